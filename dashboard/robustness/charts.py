"""Charts of a run's robustness; data frames -> Altair charts, no Streamlit here."""

import altair as alt
import pandas as pd

from dashboard.charts import GREY, MUTED, number_axis
from dashboard.formats import percent

HEIGHT = 380


def severity_lines(table: pd.DataFrame, clean: float) -> alt.LayerChart:
    """Accuracy over severity from `tables.steps`, one line a corruption; `clean` (a share) is the dotted rule."""
    names = list(dict.fromkeys(table["corruption"]))
    rows = table.assign(share=table["accuracy"] / 100, low=table["low"] / 100, high=table["high"] / 100)
    x = alt.X(
        "severity:Q", title="severity", scale=alt.Scale(domain=[1, 5], nice=False, padding=8),
        axis=number_axis(values=[1, 2, 3, 4, 5], format="d", grid=False),
    )  # fmt: skip
    y = alt.Y("share:Q", title="accuracy", scale=alt.Scale(zero=False), axis=number_axis(format=".0%", tickCount=7))
    legend = alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolSize=90, symbolStrokeWidth=2.5, labelFontSize=12,
        columns=alt.ExprRef("width < 500 ? 3 : 7"),
    )  # fmt: skip
    shapes = alt.Shape("corruption:N", sort=names, scale=alt.Scale(domain=names), legend=None)
    color = alt.Color("corruption:N", sort=names, scale=alt.Scale(domain=names), legend=legend)
    tooltip = [
        alt.Tooltip("corruption:N"),
        alt.Tooltip("severity:Q"),
        alt.Tooltip("level:Q", format="~g"),
        alt.Tooltip("unit:N", title="level is"),
        alt.Tooltip("share:Q", title="accuracy", format=".1%"),
        alt.Tooltip("low:Q", title="95 % from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
        alt.Tooltip("loss:Q", title="points lost", format=".1f"),
    ]
    base = alt.Chart(rows).encode(x=x, y=y, color=color)
    lines = base.mark_line(strokeWidth=2)
    marks = base.mark_point(filled=True, size=55, opacity=1).encode(shape=shapes, tooltip=tooltip)
    level = alt.Chart(pd.DataFrame({"share": [clean], "text": [f"clean {percent(clean)}"]}))
    rule = level.mark_rule(color=GREY, strokeDash=[3, 3], strokeWidth=1.5).encode(y=alt.Y("share:Q", title="accuracy"))
    label = level.mark_text(align="right", baseline="bottom", dx=-4, dy=-3, color=MUTED, fontSize=12).encode(
        x=alt.value("width"), y="share:Q", text="text:N"
    )
    return alt.LayerChart(layer=[rule, label, lines, marks]).properties(height=HEIGHT)
