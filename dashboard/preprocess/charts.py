"""Charts of the Preprocessing page, made once and given other rows each time; no Streamlit here."""

import json
from functools import lru_cache
from typing import Any

import altair as alt

from dashboard.charts import GREY, LIVE_AXIS, cell_axis, emotion_scale, number_axis

ROWS = "rows"  # the name of the data that a chart is given
HISTOGRAM_HEIGHT = 76
LINES_HEIGHT = 340
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
TECHNIQUES = alt.Scale(type="point", padding=0.3)
PADDING = {"left": 0, "top": 2, "right": 2, "bottom": 0}


@lru_cache(maxsize=2)
def histogram(*, with_before: bool) -> str:
    """Grey levels of `frames.histogram_table`: after a step as bars, before it as a line.

    Vega-Lite as JSON without its rows, which are given as the data set `ROWS`: building a chart takes
    forty times as long as reading it.
    """
    axis = alt.Axis(values=[0, 128, 255], grid=False, labelFlush=True, **LIVE_AXIS)
    base = alt.Chart(alt.NamedData(ROWS)).encode(
        x=alt.X("level:Q", title=None, scale=alt.Scale(domain=[0, 256], nice=False), axis=axis),
        tooltip=[
            alt.Tooltip("level:Q", title="from level"),
            alt.Tooltip("to:Q", title="to level"),
            alt.Tooltip("after:Q", title="pixels", format=".1%"),
            alt.Tooltip("before:Q", title="before", format=".1%"),
        ],
    )
    bars = base.mark_bar(binSpacing=0).encode(x2="end:Q", y=alt.Y("after:Q", title=None, axis=None), y2=alt.datum(0))
    layers: list[Any] = [bars.transform_calculate(end="datum.to + 1")]
    if with_before:
        line = base.mark_line(color=GREY, strokeWidth=1.25, interpolate="step-after")
        layers.append(line.encode(y=alt.Y("before:Q", title=None, axis=None)))
    return _text(alt.LayerChart(layer=layers).properties(height=HISTOGRAM_HEIGHT, padding=PADDING))


@lru_cache(maxsize=32)
def probability_lines(emotions: tuple[str, ...], techniques: int) -> str:
    """Paper 1's figure 10: the probability of each emotion over the techniques, a line an emotion.

    As `histogram`, of the rows of `tables.long_probabilities`; lines differ in colour and in the shape
    of their points.
    """
    colors = emotion_scale(emotions)
    shapes = alt.Scale(domain=list(emotions), range=list(SHAPES[: len(emotions)]))
    in_rows = alt.ExprRef("width < 480 ? 4 : 7")
    legend = alt.Legend(title=None, orient="top", symbolSize=90, labelFontSize=12, columns=in_rows)
    base = alt.Chart(alt.NamedData(ROWS)).encode(
        x=alt.X("technique:N", sort=None, title=None, scale=TECHNIQUES, axis=_technique_axis(techniques)),
        y=alt.Y("probability:Q", title="probability", scale=alt.Scale(domain=[0, 1]), axis=number_axis(format=".0%")),
        color=alt.Color("emotion:N", sort=None, scale=colors, legend=legend),
        tooltip=[
            alt.Tooltip("technique:N"),
            alt.Tooltip("emotion:N"),
            alt.Tooltip("probability:Q", format=".1%"),
            alt.Tooltip("network:N"),
        ],
    )
    lines = base.mark_line(strokeWidth=2).encode(detail="emotion:N")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        shape=alt.Shape("emotion:N", sort=None, scale=shapes, legend=legend)
    )
    return _text(alt.LayerChart(layer=[lines, points]).properties(height=LINES_HEIGHT))


def _technique_axis(techniques: int) -> alt.Axis:
    """Labels lie flat where each has room, and are turned where the page is narrower."""
    narrow = f"width / {techniques} < 120"
    return cell_axis(
        "bottom",
        labelAngle=alt.ExprRef(f"{narrow} ? -40 : 0"),
        labelAlign=alt.ExprRef(f"{narrow} ? 'right' : 'center'"),
    )


def _text(chart: alt.LayerChart) -> str:
    spec: dict[str, Any] = chart.to_dict()
    del spec["config"]  # altair's own size, in place of the page's
    return json.dumps(spec)
