"""Data frames -> Altair charts; no Streamlit here. Colours of axes and ramps come from the theme."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from dashboard.fitted_text import fitted_text
from fer_core.palette import BLACK, EMOTION_COLORS, WHITE

PictureKind = Literal["png", "svg"]
Drawn = alt.Chart | alt.LayerChart | alt.ConcatChart
PICTURE_PPI, PICTURE_WIDTH = 192, 880  # pixels, of which the axes take a part
CURVE_HEIGHT = 270
LIVE_HEIGHT = 110
LIVE_DATA = "epochs"  # the name of the rows that a live chart is given
LIVE_PADDING = {"left": 0, "top": 6, "right": 4, "bottom": 2}
LIVE_AXIS: dict[str, Any] = {"labelFontSize": 11, "domain": False, "ticks": False}
FEW_FOLDS = 5  # whose lines can be told apart without making them fainter
Measure = Literal["loss", "accuracy"]
CellValue = Literal["count", "row", "column"]
TILES = alt.Scale(paddingInner=0.03, paddingOuter=0)
GREY = "#8A8F9C"  # lines: 3:1 on the light and on the dark background
# text needs 4.5:1, which no single grey has on both; `background` is the theme's own
MUTED = alt.ExprRef("luminance(background) > 0.5 ? '#5A5F6C' : '#A4A9B5'")
INK = alt.ExprRef("luminance(background) > 0.5 ? '#1B1D24' : '#E6E7EB'")
SPLITS = {"train": "training", "valid": "validation"}
SHARES = "%"  # with as many decimals as tell the ticks apart
PLAIN = "~r"  # numbers of a linear axis: d3's "~g" would write 60 as 6e+1 where the ticks are tens


def readable_on_fill(field: str) -> alt.ExprRef:
    """White or black for text in a cell that is filled by `field`: whichever contrasts more with the theme's ramp.

    On any colour the better of the two has a contrast of at least 4.58.
    """
    fill = f"scale('color', datum['{field}'])"
    return alt.ExprRef(f"contrast({fill}, '{WHITE}') >= contrast({fill}, '{BLACK}') ? '{WHITE}' : '{BLACK}'")


def accuracy_heatmap(cells: pd.DataFrame) -> alt.LayerChart:
    """Test accuracy of one run of every architecture × preprocessing pair; selection `cell` has both names.

    `cells` as `accuracy_cells` gives them; a pair without a run is drawn as a dash.
    """
    color = alt.Color("accuracy:Q", scale=alt.Scale(domain=_spread(cells["accuracy"])), legend=None)
    drawn = filled_grid(cells, "accuracy", color, _accuracy_tooltip(), 15)
    return drawn.properties(height=48 * cells["architecture"].nunique() + 60)


def filled_grid(cells: pd.DataFrame, field: str, color: alt.Color, tooltip: Any, size: int) -> alt.LayerChart:
    """Architectures down, preprocessing across, in the order of `cells`; selection `cell` has both names.

    Each is filled by `field` and has its text `shown`; one without a value is drawn as a dash.
    """
    click = alt.selection_point(name="cell", fields=["architecture", "preprocessing"], toggle=False)
    columns = cells["preprocessing"].nunique()
    base = alt.Chart(cells).encode(
        x=alt.X("preprocessing:N", sort=None, title=None, scale=TILES, axis=column_axis("top", columns, 100)),
        y=alt.Y("architecture:N", sort=None, title=None, scale=TILES, axis=cell_axis("left")),
    )
    done = base.transform_filter(f"isValid(datum.{field})")
    tiles = done.mark_rect(cornerRadius=4, cursor="pointer").encode(color=color, tooltip=tooltip).add_params(click)
    fitted = fitted_text("shown", cells.loc[cells[field].notna(), "shown"], columns, size)
    look: dict[str, Any] = {"fontWeight": 600, "color": readable_on_fill(field), "cursor": "pointer"}
    values = done.mark_text(**fitted, **look).encode(tooltip=tooltip)
    absent = base.transform_filter(f"!isValid(datum.{field})").mark_text(color=MUTED, text="–", fontSize=size)
    return tiles + values + absent


def _accuracy_tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("architecture:N"),
        alt.Tooltip("preprocessing:N"),
        alt.Tooltip("shown:N", title="test accuracy"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("n:Q", title="test images", format=","),
        alt.Tooltip("runs:Q", title="runs of this pair"),
        alt.Tooltip("mean:N", title="their mean"),
    ]


def cell_axis(orient: Literal["top", "bottom", "left"], **changes: Any) -> alt.Axis:
    """An axis of names beside rows or columns, none of which is left out."""
    common = {"labelLimit": 220, "labelOverlap": False, "labelPadding": 8, "labelFontSize": 13, "grid": False}
    return alt.Axis(orient=orient, labelColor=MUTED, labelFlush=False, **common | changes)


def column_axis(orient: Literal["top", "bottom"], columns: int, room: int) -> alt.Axis:
    """Labels lie flat where each column has `room` pixels, and are turned where the page is narrower."""
    narrow = f"width / {columns} < {room}"
    end = "left" if orient == "top" else "right"
    return cell_axis(
        orient,
        labelAngle=alt.ExprRef(f"{narrow} ? -40 : 0"),
        labelAlign=alt.ExprRef(f"{narrow} ? '{end}' : 'center'"),
    )


def _spread(values: "pd.Series[float]") -> list[float]:
    """Ends of a colour scale: the values', or a little around a single one."""
    low, high = float(values.min()), float(values.max())
    return [low, high] if high - low >= 0.02 else [low - 0.01, high + 0.01]


def learning_curves(epochs: pd.DataFrame, measure: Literal["loss", "accuracy"], best: pd.DataFrame) -> alt.LayerChart:
    """`measure` of training and validation over the epochs of `tables.curves`, one line a fold.

    The epochs of `best` are marked (see `tables.best_epochs`).
    """
    names = {f"{split}_{measure}": name for split, name in SPLITS.items()}
    wide = epochs[["fold", "epoch", *names]].rename(columns=names)
    number, form = (".2%", SHARES) if measure == "accuracy" else (".4f", PLAIN)
    x = epoch_axis(wide)
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=number_axis(format=form, tickCount=6))
    lines = _split_lines(wide, x, y)
    if wide["fold"].nunique() > 1:
        chosen = wide.merge(best[["fold", "epoch"]], on=["fold", "epoch"])
        hover = _hover_rule(_over_folds(wide), x, _fold_tooltip(number))
        return _figure([lines, hover, _best_points(chosen, x, number)])
    tooltip = [alt.Tooltip("epoch:Q"), *(alt.Tooltip(f"{name}:Q", format=number) for name in names.values())]
    return _figure([lines, _hover_rule(wide, x, tooltip), *_best_epoch(wide, x, best)])


def live_curves(measure: Measure, epochs: int) -> alt.LayerChart:
    """Small curves of a training that goes on, whose rows of `tables.curves` are given later as `LIVE_DATA`.

    The axis has room for all `epochs`, so that the lines grow into it; a dot is at the last one.
    """
    number, form = (".2%", SHARES) if measure == "accuracy" else (".4f", PLAIN)
    order: list[Any] = list(SPLITS.values())
    first_and_last = [1, max(2, epochs)]
    ends = alt.ExprRef("datum.value > 1 ? 'right' : 'left'")
    x = alt.X(
        "epoch:Q",
        title=None,
        scale=alt.Scale(domain=first_and_last, nice=False),
        axis=alt.Axis(values=first_and_last, format="d", grid=False, labelAlign=ends, **LIVE_AXIS),
    )
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=form, tickCount=3, **LIVE_AXIS))
    rows = alt.Chart(alt.NamedData(LIVE_DATA))
    for split, name in SPLITS.items():
        rows = rows.transform_calculate(**{name: f"datum.{split}_{measure}"})
    values = rows.transform_fold(order, as_=["split", "value"]).transform_filter("isValid(datum.value)")
    color = alt.Color("split:N", scale=alt.Scale(domain=order), legend=None)
    dashes = alt.StrokeDash("split:N", scale=alt.Scale(domain=order, range=[[4, 3], [1, 0]]), legend=None)
    lines = values.mark_line(strokeWidth=1.75).encode(x=x, y=y, detail="fold:N", color=color, strokeDash=dashes)
    latest = values.transform_joinaggregate(latest="max(epoch)", groupby=["fold"])
    dots = latest.transform_filter("datum.epoch == datum.latest").mark_point(filled=True, size=26, opacity=1)
    nearest = alt.selection_point(name="hover", on="pointerover", nearest=True, fields=["epoch"], empty=False)
    rule = rows.mark_rule(color=GREY, strokeWidth=1).encode(
        x=x,
        opacity=alt.condition(nearest, alt.value(0.6), alt.value(0)),
        tooltip=[alt.Tooltip("epoch:Q"), *(alt.Tooltip(f"{name}:Q", format=number) for name in order)],
    )
    layers = [lines, dots.encode(x=x, y=y, color=color), rule.add_params(nearest)]
    return alt.LayerChart(layer=layers).properties(height=LIVE_HEIGHT, padding=LIVE_PADDING)


def _figure(layers: list[alt.Chart]) -> alt.LayerChart:
    return alt.LayerChart(layer=layers).properties(height=CURVE_HEIGHT)


def _over_folds(wide: pd.DataFrame) -> pd.DataFrame:
    """Each epoch's means over the folds that reached it, and the ends of the validation's."""
    first, second = SPLITS.values()
    figures = {"folds": ("fold", "nunique"), first: (first, "mean"), second: (second, "mean")}
    return wide.groupby("epoch", as_index=False).agg(**figures, lowest=(second, "min"), highest=(second, "max"))


def _fold_tooltip(number: str) -> list[alt.Tooltip]:
    means = [alt.Tooltip(f"{name}:Q", title=f"{name}, mean", format=number) for name in SPLITS.values()]
    ends = [alt.Tooltip(f"{end}:Q", title=f"validation, {end}", format=number) for end in ("lowest", "highest")]
    return [alt.Tooltip("epoch:Q"), alt.Tooltip("folds:Q"), *means, *ends]


def _best_points(chosen: pd.DataFrame, x: alt.X, number: str) -> alt.Chart:
    points = alt.Chart(chosen).mark_point(filled=True, size=45, opacity=1, color=MUTED)
    return points.encode(
        x=x,
        y=alt.Y("validation:Q", title=None),
        tooltip=[
            alt.Tooltip("fold:N"),
            alt.Tooltip("epoch:Q", title="best epoch"),
            alt.Tooltip("validation:Q", format=number),
        ],
    )


def _split_lines(wide: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    """Training dashed, validation solid: told by more than the colour."""
    order = list(SPLITS.values())
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=300)
    dashes = alt.Scale(domain=order, range=[[5, 3], [1, 0]])
    folds = wide["fold"].nunique()
    return (
        alt.Chart(wide.melt(["fold", "epoch"], var_name="split"))
        .mark_line(
            strokeWidth=2 if folds == 1 else 1.25,
            opacity=1 if folds <= FEW_FOLDS else 0.5,
            point=len(wide) <= 2 * folds,
        )
        .encode(
            x=x,
            y=y,
            detail="fold:N",
            color=alt.Color("split:N", scale=alt.Scale(domain=order), legend=legend),
            strokeDash=alt.StrokeDash("split:N", scale=dashes, legend=legend),
        )
    )


def number_axis(**properties: Any) -> alt.Axis:
    """An axis of numbers, with labels that are read from a distance; percent as in the text, `66 %`."""
    if str(properties.get("format", "")).endswith("%"):
        properties.setdefault("labelExpr", "replace(datum.label, '%', '\u00a0%')")
    return alt.Axis(labelFontSize=12, titlePadding=6, **properties)


def epoch_axis(epochs: pd.DataFrame) -> alt.X:
    """The `epoch` column from the first epoch to the last, in whole numbers."""
    last = int(epochs["epoch"].max()) if len(epochs) else 1
    scale = alt.Scale(domain=[1, max(2, last)], nice=False)
    return alt.X("epoch:Q", title="epoch", axis=number_axis(tickMinStep=1, format="d", grid=False), scale=scale)


def _hover_rule(epochs: pd.DataFrame, x: alt.X, tooltip: Sequence[alt.Tooltip]) -> alt.Chart:
    nearest = alt.selection_point(name="hover", on="pointerover", nearest=True, fields=["epoch"], empty=False)
    opacity = alt.condition(nearest, alt.value(0.6), alt.value(0))
    rule = alt.Chart(epochs).mark_rule(color=GREY, strokeWidth=1)
    return rule.encode(x=x, opacity=opacity, tooltip=list(tooltip)).add_params(nearest)


def _best_epoch(epochs: pd.DataFrame, x: alt.X, best: pd.DataFrame) -> list[alt.Chart]:
    """A rule at the best epoch, with its label above the plot, where no line is."""
    if best.empty:
        return []
    epoch = int(best["epoch"].iloc[0])
    chosen = alt.Chart(epochs[epochs["epoch"] == epoch]).encode(x=x)
    near_end = epoch > 0.6 * epochs["epoch"].max()
    label = chosen.mark_text(
        text=f"best epoch {epoch}",
        align="right" if near_end else "left",
        baseline="bottom",
        color=MUTED,
        fontSize=12,
    ).encode(y=alt.value(-3))
    return [chosen.mark_rule(color=GREY, strokeDash=[2, 2]), label]


def learning_rate_curve(epochs: pd.DataFrame) -> alt.Chart:
    """Learning rate at the end of each epoch, one line a fold."""
    return (
        alt.Chart(epochs)
        .mark_line(color=GREY, strokeWidth=2, point=len(epochs) <= 2)
        .encode(
            x=epoch_axis(epochs),
            detail="fold:N",
            y=alt.Y("learning_rate:Q", title=None, axis=number_axis(format=PLAIN, tickCount=6)),
            tooltip=[alt.Tooltip("epoch:Q"), alt.Tooltip("learning_rate:Q", title="learning rate", format=".3e")],
        )
        .properties(height=CURVE_HEIGHT)
    )


def emotion_scale(emotions: Sequence[str]) -> alt.Scale:
    """Every emotion in its own colour, in the order given."""
    return alt.Scale(domain=list(emotions), range=[EMOTION_COLORS[emotion] for emotion in emotions])


def emotion_bars(table: pd.DataFrame, field: str, *, row_height: int = 26) -> alt.LayerChart:
    """One bar an emotion of `field` (a share in [0, 1]), in the emotion's colour, with `<field>_text` beside it."""
    emotions = list(table["emotion"])
    base = alt.Chart(table).encode(
        y=alt.Y("emotion:N", sort=None, title=None, axis=cell_axis("left")),
        x=alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, 1.15]), axis=None),
        tooltip=[alt.Tooltip("emotion:N"), alt.Tooltip(f"{field}_text:N", title=field)],
    )
    color = alt.Color("emotion:N", scale=emotion_scale(emotions), legend=None)
    bars = base.mark_bar(cornerRadiusEnd=3).encode(color=color)
    values = base.mark_text(align="left", dx=5, fontSize=13, color=MUTED).encode(text=f"{field}_text:N")
    return (bars + values).properties(height=row_height * len(table) + 10)


def picture(chart: Drawn, kind: PictureKind, config: Mapping[str, Any], width: int = PICTURE_WIDTH) -> bytes:
    """A chart as a file for slides and papers, `width` pixels wide; a PNG has 192 dots an inch.

    `config` is what the page that it stands on gives Vega-Lite (`theme.chart_config`): colours, sizes, the ground.
    A chart of several charts keeps their own widths.
    """
    import vl_convert  # a JavaScript engine: only who saves a chart waits for it

    spec: dict[str, Any] = chart.to_dict()
    spec["config"] = dict(config)  # in place of Altair's own
    if not isinstance(chart, alt.ConcatChart):
        spec |= {"width": spec.get("width", width), "autosize": {"type": "fit", "contains": "padding"}}
    if kind == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode()
    return bytes(vl_convert.vegalite_to_png(spec, ppi=PICTURE_PPI))
