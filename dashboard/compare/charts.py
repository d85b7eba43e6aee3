"""Charts of the Compare page that are not matrices; data frames -> Altair charts, no Streamlit here."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from dashboard.charts import CURVE_HEIGHT, GREY, MUTED, PLAIN, cell_axis, number_axis
from dashboard.compare.curves import METRICS
from dashboard.compare.matrices import SHORT_NAME

ROW_HEIGHT = 34
RELIABILITY_HEIGHT = 420
FEW = 10  # images of a bin through which no line is drawn: their share is mostly chance


def run_color(names: Sequence[str], legend: alt.Legend | None = None) -> alt.Color:
    """Each run has the colour of its place among all `names`, whichever of them are shown."""
    return alt.Color("run:N", sort=list(names), scale=alt.Scale(domain=list(names)), legend=legend)


def _legend(names: Sequence[str], rows: pd.DataFrame) -> alt.Legend:
    """Of those names that something is drawn of."""
    return alt.Legend(
        title=None, orient="top", values=[name for name in names if (rows["run"] == name).any()],
        symbolType="stroke", symbolSize=220, symbolOpacity=1, symbolStrokeWidth=2.5,
        labelLimit=260, labelFontSize=12, columns=alt.ExprRef("width < 500 ? 1 : width < 900 ? 2 : 4"),
    )  # fmt: skip


def accuracy_chart(table: pd.DataFrame, names: Sequence[str]) -> alt.LayerChart:
    """Accuracy of each run with its 95 % interval, from `compare.tables.standings`."""
    rows = table.assign(value=table["accuracy"] / 100, text=[f"{value:.1f}" for value in table["accuracy"]])
    low, high = float(rows["low"].min()), float(rows["high"].max())
    scale = alt.Scale(domain=[low - 0.01, high + 0.02], nice=False, zero=False)
    x = alt.X("value:Q", title="test accuracy", scale=scale, axis=number_axis(format=".0%", tickCount=6))
    names_axis = cell_axis("left", labelExpr=SHORT_NAME, labelLimit=320)
    base = alt.Chart(rows).encode(
        y=alt.Y("run:N", sort=list(rows["run"]), title=None, axis=names_axis),
        color=run_color(names),
        tooltip=[
            alt.Tooltip("run:N"),
            alt.Tooltip("value:Q", title="accuracy", format=".2%"),
            alt.Tooltip("interval:N", title="95 % interval"),
            alt.Tooltip("lead_interval:N", title="difference to the baseline"),
            alt.Tooltip("p:N", title="p (Holm)"),
        ],
    )
    spans = base.mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q", title="test accuracy", scale=scale), x2="high:Q")
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(x=x)
    values = base.mark_text(align="left", dx=6, fontSize=12).encode(
        x=alt.X("high:Q", scale=scale), text="text:N", color=alt.value(MUTED)
    )
    return alt.LayerChart(layer=[spans, dots, values]).properties(height=ROW_HEIGHT * len(rows) + 45)


def curves_chart(
    lines: pd.DataFrame, names: Sequence[str], metric: str, over: str, *, log_x: bool, log_y: bool, is_smooth: bool
) -> alt.LayerChart:
    """Curves of `compare.curves.joined`; where they are smoothed, the raw ones lie faint below."""
    look = METRICS[metric]
    shown = lines.dropna(subset=[over])
    if log_y:
        shown = shown[shown["value"] > 0]
    if log_x:
        shown = shown[shown[over] > 0]
    x = alt.X(
        f"{over}:Q",
        title=over,
        scale=alt.Scale(type="log", nice=False) if log_x else alt.Scale(nice=False, zero=False),
        axis=number_axis(grid=False, format="~s", tickCount=8),
    )
    form = ".0%" if look.is_share else "~g" if log_y else PLAIN
    scale = alt.Scale(type="log", nice=False, padding=6) if log_y else alt.Scale(zero=False)
    axis = number_axis(format=form, tickCount=6)
    y = alt.Y("smooth:Q", title=None, scale=scale, axis=axis)
    base = alt.Chart(shown)
    nearest = alt.selection_point(name="hover", on="pointerover", nearest=True, fields=["run", over], empty=False)
    tooltip = [
        alt.Tooltip("run:N"),
        alt.Tooltip("epoch:Q"),
        alt.Tooltip("seconds:Q", format=",.0f"),
        alt.Tooltip("value:Q", title=metric.lower(), format=look.number),
        *([alt.Tooltip("smooth:Q", title="smoothed", format=look.number)] if is_smooth else []),
    ]
    color = run_color(names, _legend(names, shown))
    raw = base.mark_line(strokeWidth=1, opacity=0.3).encode(
        x=x, y=alt.Y("value:Q", title=None, scale=scale, axis=axis), color=color
    )
    line = base.mark_line(strokeWidth=2).encode(x=x, y=y, color=color)
    seen = alt.condition(nearest, alt.value(1), alt.value(0))
    dots = base.mark_point(filled=True, size=60).encode(x=x, y=y, color=color, opacity=seen, tooltip=tooltip)
    layers = [*([raw] if is_smooth else []), line, dots.add_params(nearest)]
    return alt.LayerChart(layer=layers).properties(height=CURVE_HEIGHT + 110)


def reliability_chart(rows: pd.DataFrame, names: Sequence[str]) -> alt.LayerChart:
    """Accuracy over confidence, one line a run, from `compare.calibration.reliability_rows`; dotted is perfect.

    The larger a point, the more images it stands for.
    """
    scale = alt.Scale(domain=[0, 1], nice=False)
    axis = number_axis(format=".0%", tickCount=6)
    x = alt.X("confidence:Q", title="confidence, the probability of the answer", scale=scale, axis=axis)
    y = alt.Y("accuracy:Q", title="accuracy", scale=scale, axis=axis)
    ends = pd.DataFrame({"confidence": [0.0, 1.0], "accuracy": [0.0, 1.0]})
    perfect = alt.Chart(ends).mark_line(color=GREY, strokeDash=[3, 3], strokeWidth=1.5).encode(x=x, y=y)
    tooltip = [
        alt.Tooltip("run:N"),
        alt.Tooltip("confidence:Q", title="mean confidence", format=".1%"),
        alt.Tooltip("accuracy:Q", format=".1%"),
        alt.Tooltip("low:Q", title="95 % from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
        alt.Tooltip("n:Q", title="test images", format=","),
    ]
    base = alt.Chart(rows).encode(x=x, y=y, color=run_color(names, _legend(names, rows)))
    lines = base.transform_filter(f"datum.n >= {FEW}").mark_line(strokeWidth=2)
    size = alt.Size("share:Q", scale=alt.Scale(domain=[0, 0.4], range=[12, 220], clamp=True), legend=None)
    points = base.mark_point(filled=True, opacity=0.9).encode(size=size, tooltip=tooltip)
    return alt.LayerChart(layer=[perfect, lines, points]).properties(height=RELIABILITY_HEIGHT)
