"""Charts of several runs' robustness; data frames -> Altair charts, no Streamlit here."""

from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from dashboard.charts import GREY, MUTED, cell_axis, number_axis
from dashboard.compare.charts import run_color
from dashboard.compare.matrices import SHORT_NAME
from dashboard.robustness.compared_tables import title

Height = Literal["accuracy", "kept"]
HEIGHTS: dict[Height, str] = {"accuracy": "accuracy", "kept": "share of the untouched accuracy"}
ROW_HEIGHT, PANEL_HEIGHT, PANEL_WIDTH = 38, 170, 230
PANELS_ACROSS = 4


def losses(table: pd.DataFrame, names: Sequence[str]) -> alt.LayerChart:
    """From the untouched accuracy of each run (a ring) to its mean on worse pictures (a dot), of `ranking`."""
    rows = table.assign(
        untouched=table["clean"] / 100,
        worse=table["corrupted"] / 100,
        share=table["relative"] / 100,
        text=[f"{value:.1f}" for value in table["corrupted"]],
        clean_text=[f"{value:.1f}" for value in table["clean"]],
    )
    base = alt.Chart(rows).encode(
        y=alt.Y("run:N", sort=list(rows["run"]), title=None, axis=cell_axis("left", labelExpr=SHORT_NAME)),
        color=run_color(names),
        tooltip=[
            alt.Tooltip("run:N"),
            alt.Tooltip("untouched:Q", format=".1%"),
            alt.Tooltip("worse:Q", title="mean on worse pictures", format=".1%"),
            alt.Tooltip("share:Q", title="change", format="+.1%"),
            alt.Tooltip("images:Q", title="test images", format=","),
        ],
    )
    start, end = (_accuracy_axis(rows, field) for field in ("worse", "untouched"))
    spans = base.mark_rule(strokeWidth=2, opacity=0.55).encode(x=start, x2="untouched:Q")
    dots = base.mark_point(filled=True, size=100, opacity=1).encode(x=start)
    rings = base.mark_point(filled=False, size=80, strokeWidth=2, opacity=1).encode(x=end)
    values = base.encode(color=alt.value(MUTED))
    before = values.mark_text(align="right", dx=-9, fontSize=12).encode(x=start, text="text:N")
    behind = values.mark_text(align="left", dx=9, fontSize=12).encode(x=end, text="clean_text:N")
    return alt.LayerChart(layer=[spans, dots, rings, before, behind]).properties(height=ROW_HEIGHT * len(rows) + 45)


def _accuracy_axis(rows: pd.DataFrame, field: str) -> alt.X:
    """One of the fields of `losses` across, on the scale of both."""
    both = rows[["worse", "untouched"]].to_numpy()
    low, high = float(both.min()), float(both.max())
    scale = alt.Scale(domain=[max(0.0, low - 0.05), min(1.0, high + 0.05)], nice=False, zero=False)
    return alt.X(f"{field}:Q", title="accuracy", scale=scale, axis=number_axis(format=".0%", tickCount=6))


def panel(lines: pd.DataFrame, names: Sequence[str], height: Height, ends: tuple[float, float]) -> alt.LayerChart:
    """Accuracy of each run over the severity of one corruption, of `compared_tables.lines`; 0 is untouched.

    `ends` are those of the vertical axis, the same for all panels, as shares.
    """
    rows = lines.assign(share=lines[height] / 100, exact=lines["accuracy"] / 100, part=lines["kept"] / 100)
    x = alt.X(
        "severity:Q", title=None, scale=alt.Scale(domain=[0, 5], nice=False, padding=6),
        axis=number_axis(values=[0, 1, 2, 3, 4, 5], format="d", grid=False),
    )  # fmt: skip
    scale = alt.Scale(domain=list(ends), nice=False, zero=False)
    y = alt.Y("share:Q", title=None, scale=scale, axis=number_axis(format=".0%", tickCount=5))
    tooltip = [
        alt.Tooltip("run:N"),
        alt.Tooltip("corruption:N"),
        alt.Tooltip("severity:Q"),
        alt.Tooltip("exact:Q", title="accuracy", format=".1%"),
        alt.Tooltip("part:Q", title="of untouched", format=".1%"),
        alt.Tooltip("n:Q", title="test images", format=","),
    ]
    base = alt.Chart(rows).encode(x=x, y=y, color=run_color(names))
    level = alt.Chart(rows[rows["severity"] == 0]).mark_rule(strokeDash=[2, 3], opacity=0.6, color=GREY).encode(y=y)
    drawn = [level, base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=34, opacity=1)]
    return alt.LayerChart(layer=[drawn[0], drawn[1], drawn[2].encode(tooltip=tooltip)]).properties(height=PANEL_HEIGHT)


def axis_ends(lines: pd.DataFrame, height: Height) -> tuple[float, float]:
    """The ends of the vertical axis that all panels share: a little more than the values take."""
    low, high = float(lines[height].min()) / 100, float(lines[height].max()) / 100
    room = max(0.02, 0.05 * (high - low))
    return max(0.0, low - room), high + room


def sheet(lines: pd.DataFrame, names: Sequence[str], height: Height) -> alt.ConcatChart:
    """Every panel in one picture, titled, with the names of the runs: for a file."""
    ends = axis_ends(lines, height)
    panels = []
    for place, (corruption, part) in enumerate(lines.groupby("corruption", sort=False)):
        chart = panel(part, names, height, ends).properties(width=PANEL_WIDTH, title=title(str(corruption)))
        if not place:
            chart.layer[1].encoding.color = run_color(names, alt.Legend(title=None, orient="top", columns=2))
        panels.append(chart)
    whole = alt.concat(*panels, columns=PANELS_ACROSS, title=f"{HEIGHTS[height]} over severity".capitalize())
    return whole.resolve_scale(color="shared")
