"""Charts of the Papers page: data frames -> Altair charts; no Streamlit here."""

from collections.abc import Set

import altair as alt
import numpy as np
import pandas as pd

from dashboard.charts import (
    CURVE_HEIGHT,
    GREY,
    MUTED,
    PLAIN,
    SPLITS,
    cell_axis,
    emotion_scale,
    epoch_axis,
    number_axis,
)
from dashboard.papers.comparisons import BELOW, REACHED, WITHIN
from dashboard.papers.tables import LINE_BREAK

ROW_HEIGHT = 36
MOST_COLORS = 8  # of the theme, before they repeat
BAR_HEIGHT = 300
LEGEND_LIMIT, LEGEND_ROW, LETTER_WIDTH = 240, 18, 7  # pixels
PHONE_WIDTH = 330  # pixels of a chart on a phone
# told by shape as well: reached is a circle, below a triangle that points down
VERDICT_COLORS = {REACHED: "#1E9E6A", WITHIN: "#3B82D0", BELOW: "#C2701B"}
# field, name, shape, colour and size; the share is the largest: it is seen around the precision that lies on it
CHANCE = (
    ("share", "share of the images", "square", GREY, 170),
    ("printed_precision", "printed precision", "diamond", "#D8386B", 55),
    ("our_precision", "our precision", "circle", "#1E9E6A", 90),
)
VERDICT_SHAPES = {REACHED: "circle", WITHIN: "diamond", BELOW: "triangle-down"}


def _names_axis() -> alt.Axis:
    """Names beside rows; where the page is narrow, in two lines (see `tables.LINE_BREAK`)."""
    lines = f"width < 420 ? split(datum.label, '{LINE_BREAK}') : datum.label"
    narrow = "width < 420"
    return cell_axis(
        "left",
        labelLimit=360,
        labelExpr=lines,
        labelLineHeight=13,
        labelFontSize=alt.ExprRef(f"{narrow} ? 11 : 13"),
        labelOffset=alt.ExprRef(f"{narrow} ? -4 : 0"),
    )


def _percent_axis(low: float, high: float, title: str) -> alt.X:
    scale = alt.Scale(domain=[low, high], nice=True, zero=False)
    return alt.X("value:Q", title=title, scale=scale, axis=number_axis(format=".0%", tickCount=6))


def figures_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Each published figure (a bar across) beside ours with its 95 % interval, from `tables.figures_beside`."""
    known = table[["published", "low", "high"]].to_numpy(dtype=float)
    x = _percent_axis(float(np.nanmin(known)) - 0.02, float(np.nanmax(known)) + 0.02, "test accuracy")
    systems = list(table["system"])
    tooltip = [
        alt.Tooltip("system:N"),
        alt.Tooltip("published_text:N", title="published"),
        alt.Tooltip("ours_text:N", title="ours"),
        alt.Tooltip("verdict:N"),
    ]
    base = alt.Chart(table).encode(y=alt.Y("system:N", sort=systems, title=None, axis=_names_axis()), tooltip=tooltip)
    published = base.mark_tick(color=GREY, thickness=3, size=20).encode(x=_moved(x, "published"))
    ours = base.transform_filter("isValid(datum.ours)")
    color, shape = _verdict_looks(set(table["verdict"]))
    interval = ours.mark_rule(strokeWidth=2).encode(x=_moved(x, "low"), x2="high:Q", color=color)
    points = ours.mark_point(filled=True, size=90, opacity=1).encode(x=_moved(x, "ours"), color=color, shape=shape)
    height = ROW_HEIGHT * len(table) + 66
    return alt.LayerChart(layer=[interval, published, points]).properties(height=height)


def _verdict_looks(found: Set[str]) -> tuple[alt.Color, alt.Shape]:
    """Colour and shape of the verdicts, with one legend of those that are found."""
    names = list(VERDICT_COLORS)
    values = [name for name in names if name in found]
    legend = alt.Legend(title=None, orient="top", values=values, symbolSize=90) if values else None
    color = alt.Color("verdict:N", scale=alt.Scale(domain=names, range=list(VERDICT_COLORS.values())), legend=legend)
    shape = alt.Shape("verdict:N", scale=alt.Scale(domain=names, range=list(VERDICT_SHAPES.values())), legend=legend)
    return color, shape


def _moved(x: alt.X, field: str) -> alt.X:
    moved = x.copy()
    moved.shorthand = f"{field}:Q"
    return moved


def class_bars(figures: pd.DataFrame, measure: str) -> alt.Chart:
    """A measure of `tables.class_figures` as one group of bars for each emotion, one bar a system."""
    systems, emotions = list(dict.fromkeys(figures["system"])), list(dict.fromkeys(figures["emotion"]))
    # as many side by side as fit; where that is few, the chart is higher by the legend's further rows
    entry = LETTER_WIDTH * max(map(len, systems), default=0) + 30
    columns = alt.ExprRef(f"clamp(floor(width / {entry}), 1, 6)")
    legend = alt.Legend(title=None, orient="top", columns=columns, labelLimit=LEGEND_LIMIT)
    rows = -(-len(systems) // max(1, PHONE_WIDTH // entry))
    return (
        alt.Chart(figures)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "emotion:N",
                sort=emotions,
                title=None,
                scale=alt.Scale(paddingInner=0.18),
                axis=cell_axis("bottom", labelAngle=alt.ExprRef("width < 500 ? -40 : 0")),
            ),
            xOffset=alt.XOffset("system:N", sort=systems),
            y=alt.Y(
                f"{measure}:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=number_axis(format=".0%", tickCount=5)
            ),
            color=alt.Color("system:N", sort=systems, legend=legend),
            tooltip=[
                alt.Tooltip("system:N"),
                alt.Tooltip("emotion:N"),
                alt.Tooltip(f"{measure}:Q", format=".1%"),
                alt.Tooltip("support:Q", title="test images", format=","),
            ],
        )
        .properties(height=BAR_HEIGHT + LEGEND_ROW * max(0, rows - 2))
    )


def loss_curves(losses: pd.DataFrame) -> alt.Chart:
    """Training (dashed) and validation loss of several systems over the epochs, from `tables.losses`."""
    systems, order = list(dict.fromkeys(losses["system"])), list(SPLITS.values())
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=300)
    return (
        alt.Chart(losses)
        .mark_line(strokeWidth=2)
        .encode(
            x=epoch_axis(losses),
            y=alt.Y("loss:Q", title=None, scale=alt.Scale(zero=False), axis=number_axis(format=PLAIN, tickCount=6)),
            color=alt.Color("system:N", sort=systems, legend=legend),
            strokeDash=alt.StrokeDash("split:N", scale=alt.Scale(domain=order, range=[[5, 3], [1, 0]]), legend=None),
            tooltip=[
                alt.Tooltip("system:N"),
                alt.Tooltip("split:N"),
                alt.Tooltip("epoch:Q"),
                alt.Tooltip("loss:Q", format=".4f"),
            ],
        )
        .properties(height=CURVE_HEIGHT + 40)
    )


def chance_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Paper 4's printed precision beside each emotion's share of the images, and ours where there is a run.

    `table` as `tables.contradiction` gives it.
    """
    looks = [look for look in CHANCE if look[0] in table]
    fields, order, shapes, colors, sizes = (list(column) for column in zip(*looks, strict=True))
    renamed = table.rename(columns=dict(zip(fields, order, strict=True)))
    long = renamed.melt("emotion", order, "what", "value").assign(value=lambda rows: rows["value"] / 100)
    x = _percent_axis(0, 1, "share")
    legend = alt.Legend(title=None, orient="top", symbolSize=90, columns=alt.ExprRef("width < 420 ? 1 : 3"))
    shape = alt.Shape("what:N", scale=alt.Scale(domain=order, range=shapes), legend=legend)
    color = alt.Color("what:N", scale=alt.Scale(domain=order, range=colors), legend=legend)
    size = alt.Size("what:N", scale=alt.Scale(domain=order, range=sizes), legend=None)
    base = alt.Chart(long).encode(
        y=alt.Y("emotion:N", sort=list(table["emotion"]), title=None, axis=cell_axis("left")),
        x=x,
        tooltip=[alt.Tooltip("emotion:N"), alt.Tooltip("what:N", title=" "), alt.Tooltip("value:Q", format=".1%")],
    )
    points = base.mark_point(filled=True, opacity=1).encode(color=color, shape=shape, size=size)
    spans = base.mark_line(color=GREY, opacity=0.35, strokeWidth=1).encode(detail="emotion:N")
    return alt.LayerChart(layer=[spans, points]).properties(height=ROW_HEIGHT * len(table) + 60)


def setting_chart(points: pd.DataFrame, published: float) -> alt.LayerChart:
    """Every fold's accuracy (small), mean and deviation of each setting, from `tables.fold_points`.

    `published` is the paper's best mean, a rule across.
    """
    known = pd.concat([points["accuracy"], points["low"], points["high"], pd.Series([published])])
    ends = (float(known.min()) - 0.005, float(known.max()) + 0.005)
    x = _percent_axis(*ends, "accuracy of a fold, and mean ± deviation")
    settings = list(dict.fromkeys(points["setting"]))
    y = alt.Y("setting:N", sort=settings, title=None, axis=_names_axis())
    one_fold = [alt.Tooltip("fold:N"), alt.Tooltip("accuracy:Q", format=".1%")]
    folds = alt.Chart(points).mark_point(size=30, color=GREY, opacity=0.8)
    rule = alt.Chart(pd.DataFrame({"value": [published]})).mark_rule(color=GREY, strokeDash=[3, 3], strokeWidth=2)
    layers = [
        rule.encode(x=x, tooltip=[alt.Tooltip("value:Q", title="published", format=".1%")]),
        folds.encode(x=_moved(x, "accuracy"), y=y, tooltip=one_fold),
        *_spreads(points, x, y),
    ]
    return alt.LayerChart(layer=layers).properties(height=ROW_HEIGHT * len(settings) + 40)


def _spreads(points: pd.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Mean and deviation of each setting, in the theme's first colour."""
    tooltip = [
        alt.Tooltip("setting:N"),
        alt.Tooltip("mean:Q", format=".1%"),
        alt.Tooltip("low:Q", title="mean − deviation", format=".1%"),
        alt.Tooltip("high:Q", title="mean + deviation", format=".1%"),
    ]
    means = alt.Chart(points.drop_duplicates("setting").assign(series="mean"))
    own = alt.Color("series:N", legend=None)
    spans = means.mark_rule(strokeWidth=2).encode(x=_moved(x, "low"), x2="high:Q", y=y, color=own, tooltip=tooltip)
    centres = means.mark_point(filled=True, size=90, opacity=1)
    return [spans, centres.encode(x=_moved(x, "mean"), y=y, color=own, tooltip=tooltip)]


def weight_bars(weights: pd.DataFrame) -> alt.LayerChart:
    """How much each emotion's loss weighs, from `tables.class_weights`, in the emotion's colour."""
    emotions = list(weights["emotion"])
    table = weights.assign(text=[f"{weight:.2f}" for weight in weights["weight"]])
    base = alt.Chart(table).encode(
        y=alt.Y("emotion:N", sort=emotions, title=None, axis=cell_axis("left")),
        x=alt.X("weight:Q", scale=alt.Scale(domain=[0, 1.15 * float(weights["weight"].max())]), axis=None),
        tooltip=[
            alt.Tooltip("emotion:N"),
            alt.Tooltip("weight:Q", format=".3f"),
            alt.Tooltip("images:Q", format=","),
        ],
    )
    color = alt.Color("emotion:N", scale=emotion_scale(emotions), legend=None)
    bars = base.mark_bar(cornerRadiusEnd=3).encode(color=color)
    values = base.mark_text(align="left", dx=5, fontSize=13, color=MUTED).encode(text="text:N")
    return (bars + values).properties(height=28 * len(weights) + 10)
