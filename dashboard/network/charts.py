"""Charts of the Network page; no Streamlit here."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from dashboard.charts import GREY, MUTED, emotion_scale, number_axis
from dashboard.network.tables import FAMILIES

GRAPH_HEIGHT = 150
SCATTER_HEIGHT = 460
HISTOGRAM_HEIGHT = 200
NARROW = alt.ExprRef("width < 420 ? 3 : 7")  # entries of a legend in a row


def graph(nodes: pd.DataFrame, arcs: pd.DataFrame, chosen: str) -> alt.LayerChart:
    """The network from left to right, a box for each layer, arcs where branches skip some; selection `node` has a name.

    A box is the higher, the larger its maps. The chosen layer is marked by a triangle and a darker edge.
    """
    click = alt.selection_point(name="node", fields=["name"], toggle=False, empty=False)
    span = [0, max(1, len(nodes))]
    reach = max(float(nodes["top"].max()), float(arcs["y"].max()) if len(arcs) else 0.0)
    low = -float(nodes["top"].max()) - 0.9
    x = alt.X("left:Q", scale=alt.Scale(domain=span, nice=False), axis=None)
    y = alt.Y("bottom:Q", scale=alt.Scale(domain=[low, reach + 0.2], nice=False), axis=None)
    families = [each for each in FAMILIES if each in set(nodes["family"])]
    color = alt.Color(
        "family:N",
        scale=alt.Scale(domain=list(FAMILIES)),
        legend=alt.Legend(
            title=None, orient="top", values=families, symbolType="square", labelFontSize=12, offset=2, columns=NARROW
        ),
    )
    tooltip = [
        alt.Tooltip("number:Q", title="#"),
        alt.Tooltip("name:N"),
        alt.Tooltip("kind:N", title="layer"),
        alt.Tooltip("kernel:N"),
        alt.Tooltip("output:N", title="output shape"),
        alt.Tooltip("parameters:Q", format=","),
    ]
    boxes = (
        alt.Chart(nodes)
        .mark_rect(cornerRadius=1.5, cursor="pointer", strokeWidth=2)
        .encode(x=x, x2="right:Q", y=y, y2="top:Q", color=color, tooltip=tooltip)
        .add_params(click)
    )
    marked = alt.Chart(nodes[nodes["name"] == chosen].assign(tip=low + 0.35))
    pointer = marked.mark_point(shape="triangle-up", size=90, filled=True, opacity=1, color=MUTED).encode(
        x=alt.X("centre:Q", scale=alt.Scale(domain=span, nice=False)), y="tip:Q"
    ).transform_calculate(centre="(datum.left + datum.right) / 2")  # fmt: skip
    return alt.LayerChart(layer=[_arcs(arcs), boxes, pointer]).properties(height=GRAPH_HEIGHT)


def _arcs(arcs: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(arcs)
        .mark_line(interpolate="basis", strokeWidth=1.25, color=GREY, opacity=0.8)
        .encode(x=alt.X("x:Q", axis=None), y=alt.Y("y:Q", axis=None), detail="arc:N", order="step:Q")
    )


def code_histogram(histogram: np.ndarray) -> alt.Chart:
    """How often each of LPQ's 256 codes occurs, as a share of the pixels."""
    table = pd.DataFrame({"code": np.arange(len(histogram)), "share": histogram})
    return (
        alt.Chart(table)
        .mark_bar(width=2)
        .encode(
            x=alt.X("code:Q", title="code", scale=alt.Scale(domain=[0, 255], nice=False), axis=number_axis(grid=False)),
            y=alt.Y("share:Q", title="share of the pixels", axis=number_axis(format=".1%", tickCount=4)),
            tooltip=[alt.Tooltip("code:Q"), alt.Tooltip("share:Q", format=".2%")],
        )
        .properties(height=HISTOGRAM_HEIGHT)
    )


def embedding_scatter(points: pd.DataFrame, colour: str, emotions: Sequence[str]) -> alt.Chart:
    """Test images in a plane, coloured by `colour` ("label" or "prediction"); selection `face` has their place.

    A filled circle is recognised, a cross is not: told by the shape too.
    """
    click = alt.selection_point(name="face", fields=["place"], toggle=False, empty=False)
    scale = emotion_scale(emotions)
    shapes = alt.Scale(domain=["recognised", "mistaken"], range=["circle", "cross"])
    outcomes = alt.Legend(title=None, orient="bottom", symbolFillColor=MUTED, symbolStrokeColor=MUTED)
    axis = alt.Axis(labels=False, ticks=False, title=None, grid=False, domain=False)
    return (
        alt.Chart(points)
        .mark_point(filled=True, size=42, cursor="pointer")
        .encode(
            x=alt.X("x:Q", scale=alt.Scale(zero=False), axis=axis),
            y=alt.Y("y:Q", scale=alt.Scale(zero=False), axis=axis),
            color=alt.Color(f"{colour}:N", scale=scale, legend=alt.Legend(title=None, orient="top", columns=NARROW)),
            shape=alt.Shape("outcome:N", scale=shapes, legend=outcomes),
            opacity=alt.condition(click, alt.value(1.0), alt.value(0.7)),
            tooltip=[alt.Tooltip("label:N"), alt.Tooltip("prediction:N")],
        )
        .add_params(click)
        .properties(height=SCATTER_HEIGHT)
    )
