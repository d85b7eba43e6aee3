"""Matrices of emotions and of runs; data frames -> Altair charts, no Streamlit here."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts import INK, TILES, CellValue, cell_axis, column_axis, readable_on_fill

CHOSEN = {"true": "chosen_true", "predicted": "chosen_predicted"}  # the spec's parameters for the framed cell
FRAMED = [f"({param} == '' || datum.{name} == {param})" for name, param in CHOSEN.items()] + [
    "(" + " || ".join(f"{param} != ''" for param in CHOSEN.values()) + ")"
]
ROW_HEIGHT = 46
FULL_HEIGHT = 400
# where there is little room, a run is its letter and the last of what tells it apart: their beginnings are alike
SHORT_NAME = "width < 460 ? split(datum.label, ' · ')[0] + ' · ' + peek(split(datum.label, ' · ')) : datum.label"


def confusion_heatmap(cells: pd.DataFrame, shown: CellValue, *, height: int = FULL_HEIGHT) -> alt.LayerChart:
    """Confusion matrix of `tables.confusion_cells`: rows true, columns predicted; `shown` is what the cells say.

    Selection `cell` has the `true` and `predicted` emotion of the cell that is clicked; see `framed`.
    """
    full = max(1, int(cells["count"].max())) if shown == "count" else 1
    color = alt.Color(f"{shown}:Q", scale=alt.Scale(domain=[0, full]), legend=None)
    tooltip = [
        alt.Tooltip("true:N"),
        alt.Tooltip("predicted:N"),
        alt.Tooltip("count:Q", title="faces", format=","),
        alt.Tooltip("row_exact:N", title="of the true class"),
        alt.Tooltip("column_exact:N", title="of the predicted class"),
    ]
    return _emotion_matrix(cells, shown, color, tooltip, height)


def difference_heatmap(cells: pd.DataFrame, limit: float, *, height: int = FULL_HEIGHT) -> alt.LayerChart:
    """Two confusion matrices' difference, from `compare.tables.difference_cells`; colours reach ±limit."""
    tooltip = [
        alt.Tooltip("true:N"),
        alt.Tooltip("predicted:N"),
        alt.Tooltip("difference_text:N", title="difference"),
        alt.Tooltip("mine_text:N", title="this run"),
        alt.Tooltip("baseline_text:N", title="baseline"),
    ]
    return _emotion_matrix(cells, "difference", _diverging("difference", limit), tooltip, height)


def _emotion_matrix(
    cells: pd.DataFrame, field: str, color: alt.Color, tooltip: Sequence[alt.Tooltip], height: int
) -> alt.LayerChart:
    """One tile for each `true` and `predicted` emotion, filled by `color` of `field`, with `<field>_text`."""
    emotions = list(dict.fromkeys(cells["true"]))
    is_small = height < FULL_HEIGHT
    titles: dict[str, Any] = {"title": None} if is_small else {}  # a small one among others has them in its caption
    click = alt.selection_point(name="cell", fields=["true", "predicted"], toggle=False, empty=False)
    x = alt.X("predicted:N", sort=emotions, scale=TILES, axis=column_axis("bottom", len(emotions), 62), **titles)
    y = alt.Y("true:N", sort=emotions, scale=TILES, axis=cell_axis("left"), **titles)
    base = alt.Chart(cells).encode(x=x, y=y, tooltip=list(tooltip))
    tiles = base.mark_rect(cornerRadius=3, cursor="pointer").encode(color=color).add_params(click)
    values = base.mark_text(fontSize=11 if is_small else 13, color=readable_on_fill(field), cursor="pointer")
    frame = base.transform_filter(" && ".join(FRAMED)).mark_rect(
        cornerRadius=3, fillOpacity=0, stroke=INK, strokeWidth=2.5, cursor="pointer"
    )
    layers = [tiles, values.encode(text=f"{field}_text:N"), frame]
    chart = alt.LayerChart(layer=layers).properties(height=height)
    return chart.add_params(*(alt.param(name=name, value="") for name in CHOSEN.values()))


def framed(spec: dict[str, Any], chosen: Mapping[str, str]) -> dict[str, Any]:
    """The spec of a matrix of emotions with the cell `true`, `predicted` framed, or a row or a column of them.

    The frame is a value of the spec, so that a matrix is made once and framed at each click.
    """
    values = {param: chosen.get(name, "") for name, param in CHOSEN.items()}
    params = [each | {"value": values[each["name"]]} if each["name"] in values else each for each in spec["params"]]
    return spec | {"params": params}


def _diverging(field: str, limit: float) -> alt.Color:
    return alt.Color(f"{field}:Q", scale=alt.Scale(domain=[-limit, limit], domainMid=0, interpolate="rgb"), legend=None)


def change_heatmap(rows: pd.DataFrame) -> alt.LayerChart:
    """Each run's change in each emotion, from `compare.tables.change_rows`; what is more than chance is bold."""
    limit = max(0.05, float(rows["difference"].abs().max()))
    tooltip = [
        alt.Tooltip("run:N"),
        alt.Tooltip("emotion:N"),
        alt.Tooltip("difference_text:N", title="difference (points)"),
        alt.Tooltip("value_text:N", title="this run"),
        alt.Tooltip("baseline_text:N", title="baseline"),
        alt.Tooltip("support:Q", title="test images", format=","),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("p:N", title="p (Holm)"),
    ]
    return _matrix(rows, ("emotion", "run"), "difference", _diverging("difference", limit), tooltip)


def pair_heatmap(rows: pd.DataFrame) -> alt.LayerChart:
    """Accuracy of the row's run less that of the column's, from `compare.tables.pair_rows`; bold: more than chance."""
    limit = max(0.01, float(rows["difference"].abs().max()))
    tooltip = [
        alt.Tooltip("run:N", title="run"),
        alt.Tooltip("other:N", title="less"),
        alt.Tooltip("difference_text:N", title="difference (points)"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("p:N", title="p (Holm)"),
        alt.Tooltip("only_run:Q", title="it alone is right", format=","),
        alt.Tooltip("only_other:Q", title="the other alone", format=","),
    ]
    return _matrix(rows, ("column", "run"), "difference", _diverging("difference", limit), tooltip)


def agreement_heatmap(rows: pd.DataFrame, measure: str) -> alt.LayerChart:
    """How far every two runs say the same, from `compare.tables.agreement_rows`."""
    known = rows[rows["run"] != rows["other"]][measure]
    low = min(0.5, float(known.min())) if len(known) else 0.0
    color = alt.Color(f"{measure}:Q", scale=alt.Scale(domain=[low, 1]), legend=None)
    tooltip = [
        alt.Tooltip("run:N"),
        alt.Tooltip("other:N"),
        alt.Tooltip("share_text:N", title="the same answer"),
        alt.Tooltip("kappa_text:N", title="Cohen's kappa"),
    ]
    return _matrix(rows, ("column", "run"), measure, color, tooltip)


def probability_heatmap(rows: pd.DataFrame) -> alt.LayerChart:
    """Each run's probabilities for one image, from `compare.tables.probability_rows`; its answer is bold."""
    color = alt.Color("probability:Q", scale=alt.Scale(domain=[0, 1]), legend=None)
    tooltip = [
        alt.Tooltip("run:N"),
        alt.Tooltip("emotion:N"),
        alt.Tooltip("exact:N", title="probability"),
        alt.Tooltip("label:N", title="true"),
    ]
    return _matrix(rows, ("emotion", "run"), "probability", color, tooltip, row_height=34)


def _matrix(
    rows: pd.DataFrame, fields: tuple[str, str], value: str, color: alt.Color, tooltip: Sequence[alt.Tooltip],
    row_height: int = ROW_HEIGHT,
) -> alt.LayerChart:  # fmt: skip
    """Tiles of `value` over two columns of names, each with `<value>_text`, bold where `is_bold`."""
    columns, lines = (list(dict.fromkeys(rows[field])) for field in fields)
    room = 62 if fields[0] == "emotion" else 0  # a letter needs no turning
    x = alt.X(f"{fields[0]}:N", sort=columns, title=None, scale=TILES, axis=column_axis("top", len(columns), room))
    names = cell_axis("left", labelExpr=SHORT_NAME, labelLimit=260)
    y = alt.Y(f"{fields[1]}:N", sort=lines, title=None, scale=TILES, axis=names)
    base = alt.Chart(rows).encode(x=x, y=y, tooltip=list(tooltip))
    known = base.transform_filter(f"isValid(datum.{value})")
    tiles = known.mark_rect(cornerRadius=3).encode(color=color)
    look: dict[str, Any] = {"fontSize": 13, "color": readable_on_fill(value)}
    plain = known.transform_filter("!datum.is_bold").mark_text(**look).encode(text=f"{value}_text:N")
    bold = known.transform_filter("datum.is_bold").mark_text(fontWeight=700, **look).encode(text=f"{value}_text:N")
    return alt.LayerChart(layer=[tiles, plain, bold]).properties(height=row_height * len(lines) + 50)
