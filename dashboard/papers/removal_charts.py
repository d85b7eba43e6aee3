"""Charts of bimodal distribution removal: error histograms and their variance over the epochs; no Streamlit here."""

from collections.abc import Sequence
from math import ceil, floor, log10

import altair as alt
import pandas as pd

from dashboard.charts import CURVE_HEIGHT, GREY, MUTED, number_axis
from dashboard.papers.removal import Panel

PANEL_HEIGHT = 150
THRESHOLD = "#D8386B"
MOST_TICKS = 7


def error_histogram(panel: Panel, most: int) -> alt.LayerChart:
    """How many training samples have which error, with their mean (dotted) and the threshold of removal.

    `most` is the largest count of all panels, so that they can be compared. Bars grow with the square
    root of the count: a handful of samples is seen beside hundreds.
    """
    top = float(panel.bins["end"].max())
    layers = [_bars(panel.bins, top, most), _mark(panel.mean, "mean", GREY, [2, 2])]
    if panel.threshold is not None:
        layers.append(_mark(panel.threshold, "threshold", THRESHOLD, [1, 0]))
        layers.append(_threshold_label(panel.threshold, top))
    return alt.LayerChart(layer=layers).properties(height=PANEL_HEIGHT)


def _bars(bins: pd.DataFrame, top: float, most: int) -> alt.Chart:
    scale = alt.Scale(domain=[0, top], nice=False)
    ticks = [tick for tick in (1, 10, 50, 100, 200, 400, 800) if tick <= most]
    bars = alt.Chart(bins).mark_bar(binSpacing=0.5, color=GREY)
    return bars.encode(
        x=alt.X("start:Q", title="error (cross-entropy)", scale=scale, axis=number_axis(grid=False)),
        x2="end:Q",
        y=alt.Y("count:Q", title=None, scale=alt.Scale(type="sqrt", domain=[0, most]), axis=number_axis(values=ticks)),
        y2=alt.datum(0),
        tooltip=[
            alt.Tooltip("start:Q", title="error from", format=".3f"),
            alt.Tooltip("end:Q", title="to", format=".3f"),
            alt.Tooltip("count:Q", title="training samples"),
        ],
    )


def _mark(error: float, name: str, color: str, dash: Sequence[int]) -> alt.Chart:
    data = pd.DataFrame({"start": [error]})
    rule = alt.Chart(data).mark_rule(color=color, strokeWidth=2, strokeDash=list(dash))
    return rule.encode(x="start:Q", tooltip=[alt.Tooltip("start:Q", title=name, format=".3f")])


def _threshold_label(error: float, top: float) -> alt.Chart:
    right = error > 0.6 * top
    text = alt.Chart(pd.DataFrame({"start": [error]})).mark_text(
        text=f"threshold {error:.2f}",
        align="right" if right else "left",
        dx=-6 if right else 6,
        baseline="top",
        color=MUTED,
        fontSize=12,
    )
    return text.encode(x="start:Q", y=alt.value(2))


def most_of(panels: Sequence[Panel]) -> int:
    """The largest count of some panels."""
    return int(max(panel.bins["count"].max() for panel in panels))


def variance_curves(table: pd.DataFrame, stop: float | None) -> alt.LayerChart:
    """Variance of the training samples' errors over the epochs of `removal.variances`, on a logarithmic axis.

    Below `stop` (a rule, or None without removal) removal ends the training. A variance of 0, for which such an axis
    has no place, is drawn at its lower end, which is then called 0.
    """
    names = list(dict.fromkeys(table["series"]))
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=300) if len(names) > 1 else None
    positive = [*table.loc[table["variance"] > 0, "variance"], *([stop] if stop else [])] or [1.0]
    zero = 10.0 ** (floor(log10(min(positive))) - 1)
    # the two rows of a round have one epoch: `order` keeps them in their order
    shown = table.assign(
        shown=table["variance"].where(table["variance"] > 0, zero),
        order=table["epoch"] + table["step"].astype(float) / 2,
    )
    base = alt.Chart(shown).encode(
        x=alt.X("epoch:Q", title="epoch", scale=alt.Scale(nice=False), axis=number_axis(format=",d", grid=False)),
        y=alt.Y("shown:Q", title=None, scale=alt.Scale(type="log"), axis=_variance_axis(shown["shown"], zero)),
        color=alt.Color("series:N", scale=alt.Scale(domain=names), legend=legend),
        tooltip=[
            alt.Tooltip("series:N", title="run"),
            alt.Tooltip("epoch:Q", format=","),
            alt.Tooltip("variance:Q", title="variance of the errors", format=".3~g"),
            alt.Tooltip("samples:Q", title="training samples"),
        ],
    )
    dashes = alt.Scale(domain=names, range=[[1, 0], [5, 3]])
    lines = base.mark_line(strokeWidth=2).encode(
        order="order:Q", strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=legend)
    )
    points = base.mark_point(filled=True, size=30, opacity=1)
    return alt.LayerChart(layer=[*_stop_rule(stop), lines, points]).properties(height=CURVE_HEIGHT)


def _variance_axis(shown: "pd.Series[float]", zero: float) -> alt.Axis:
    """Ticks at powers of ten, every one or every few of them; that at `zero` is called 0."""
    lowest, highest = floor(log10(shown.min())), ceil(log10(shown.max()))
    step = 1 + (highest - lowest) // MOST_TICKS
    ticks = [10.0**power for power in range(lowest, highest + 1, step)]
    return number_axis(values=ticks, labelExpr=f"datum.value < {2 * zero!r} ? '0' : format(datum.value, '~g')")


def _stop_rule(stop: float | None) -> list[alt.Chart]:
    if stop is None:
        return []
    rule = alt.Chart(pd.DataFrame({"shown": [stop]})).mark_rule(color=GREY, strokeDash=[2, 2])
    tooltip = [alt.Tooltip("shown:Q", title="removal ends the training below")]
    return [rule.encode(y="shown:Q", tooltip=tooltip)]
