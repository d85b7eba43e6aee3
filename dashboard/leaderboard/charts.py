"""The leaderboard's map and its picture of effort against quality; data -> altair, no Streamlit."""

import json
import math
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts import GREY, MUTED, PLAIN, filled_grid, number_axis
from dashboard.leaderboard.metrics import Metric

ROW_HEIGHT, HEAD_HEIGHT = 44, 60
SCATTER_HEIGHT = 380
MOST_NAMED = 12  # points of a front whose names fit beside them
COUNTS, MEASURES = ".3~s", ",.4~r"  # 58.4k parameters, but 0.1 ms and 1,082 min: no 100m and 1.08k


def metric_heatmap(cells: pd.DataFrame, metric: Metric) -> alt.LayerChart:
    """`metric` of every architecture × preprocessing pair of `rows.cells`; selection `cell` has both names.

    The better end is the stronger colour, whichever end that is.
    """
    color = alt.Color("value:Q", scale=_shades(cells["value"], metric), legend=None)
    tooltip = [
        alt.Tooltip("architecture:N"),
        alt.Tooltip("preprocessing:N"),
        alt.Tooltip("exact:N", title=metric.name),
        alt.Tooltip("seeds:Q", title="seeds"),
        alt.Tooltip("variants:Q", title="variants tried"),
        alt.Tooltip("runs:Q", title="runs of this pair"),
    ]
    drawn = filled_grid(cells, "value", color, tooltip, 14)
    return drawn.properties(height=ROW_HEIGHT * cells["architecture"].nunique() + HEAD_HEIGHT)


def _shades(values: "pd.Series[float]", metric: Metric) -> alt.Scale:
    """From the worst value to the best; efforts that differ by orders of magnitude on a logarithmic scale."""
    low, high = float(values.min()), float(values.max())
    least = 2 * 10.0**-metric.decimals  # a difference that nobody can read is none to colour
    if high - low < least:
        low, high = low - least / 2, high + least / 2
    is_wide = metric.is_effort and 0 < 20 * low < high
    ends = [low, high] if metric.is_more_better else [high, low]
    return alt.Scale(domain=ends, type="log" if is_wide else "linear", nice=False)


def effort_scatter(points: pd.DataFrame, quality: Metric, effort: Metric) -> alt.LayerChart:
    """`quality` over `effort` (logarithmic) of `rows.points`; those of the Pareto front are joined and named.

    Selection `point` has the `id` of a run.
    """
    click = alt.selection_point(name="point", fields=["id"], toggle=False)
    base = alt.Chart(points.assign(series="front")).encode(
        x=alt.X(
            "effort:Q", title=effort.header.lower(), scale=alt.Scale(type="log", nice=False, padding=24),
            axis=number_axis(format=MEASURES if effort.decimals else COUNTS, tickCount=6, grid=False),
        ),
        y=alt.Y(
            "quality:Q", title=None, scale=alt.Scale(zero=False, padding=18),
            axis=number_axis(format=PLAIN, tickCount=6),
        ),
        tooltip=[
            alt.Tooltip("name:N", title="run"),
            alt.Tooltip("quality_text:N", title=quality.name),
            alt.Tooltip("effort_text:N", title=effort.name),
            alt.Tooltip("front:N", title="on the front"),
        ],
    )  # fmt: skip
    beaten = base.transform_filter("!datum.front").mark_point(
        filled=True, size=45, color=GREY, opacity=0.45, cursor="pointer"
    )
    front = base.transform_filter("datum.front")
    line = front.mark_line(interpolate="step-after", strokeWidth=1.5, strokeDash=[4, 3], color=GREY).encode(
        order="effort:Q", tooltip=alt.Tooltip()
    )
    # the theme's own first colour
    best = front.mark_point(filled=True, size=95, opacity=1, shape="diamond", cursor="pointer").encode(
        color=alt.Color("series:N", legend=None)
    )
    layers = [line, beaten.add_params(click), best]
    if points["front"].sum() <= MOST_NAMED:
        layers += _names(front, points)
    return alt.LayerChart(layer=layers).properties(height=SCATTER_HEIGHT)


def _names(front: alt.Chart, points: pd.DataFrame) -> list[alt.Chart]:
    """The names of the `named` points: above and left of one there is no other; the first has no room there.

    One whose better neighbour is so close that the names would lie on each other has its own below, to the right.
    """
    names = named(points)
    shown = front.transform_filter(f"indexof({json.dumps(list(names['id']))}, datum.id) >= 0")
    first = f"datum.effort <= {names['effort'].min()}"
    close = f"indexof({json.dumps(crowded(points))}, datum.id) >= 0"
    common: dict[str, Any] = {"fontSize": 12, "color": MUTED}
    places: tuple[tuple[str, dict[str, Any]], ...] = (
        (first, {"align": "left", "dx": 8, "dy": -8}),
        (f"!({first}) && !({close})", {"align": "right", "dx": -8, "dy": -8}),
        (f"!({first}) && {close}", {"align": "left", "dx": 8, "dy": 14}),
    )
    return [
        shown.transform_filter(which).mark_text(**place, **common).encode(text="architecture:N")
        for which, place in places
    ]


def named(points: pd.DataFrame) -> pd.DataFrame:
    """The points of the front by effort, of neighbours of one architecture the best alone: one name says it."""
    front = points[points["front"]].sort_values("effort")
    return front[front["architecture"] != front["architecture"].shift(-1)]


def crowded(points: pd.DataFrame) -> list[str]:
    """The ids of those of the `named` whose next better one is near: a quarter of the width, 8 % of the height."""
    names = named(points)
    efforts = names["effort"].map(math.log10)
    width, height = efforts.max() - efforts.min(), points["quality"].max() - points["quality"].min()
    near = (efforts.diff(-1).abs() < 0.25 * width) & (names["quality"].diff(-1).abs() < 0.08 * height)
    return list(names.loc[near, "id"])
