"""What runs read in faces -> Altair charts; no Streamlit here."""

from functools import lru_cache

import altair as alt
import pandas as pd

from dashboard.charts import GREY, MUTED, cell_axis, emotion_scale, number_axis

ROWS = "rows"  # the name of the data that a chart is given
ROW_HEIGHT = 20
# of a run's part of the width that a share of 1 takes; its number, of NUMBER_WIDTH pixels, stands in the rest
MOST_FULL, NUMBER_WIDTH = 0.66, 48
TIMELINE_HEIGHT = 260
STACKED_HEIGHT = 170  # of the timeline of each of several runs, with its axes
LEGEND_HEIGHT = 56  # of the emotions' colours above the first of them


@lru_cache(maxsize=32)
def side_by_side(emotions: tuple[str, ...], runs: tuple[str, ...]) -> str:
    """The shares of `tables.shares`: a row for each emotion, a column of bars for each run, its letter above.

    Vega-Lite as JSON without its rows, which are given as the data set `ROWS`: building a chart takes forty times as
    long as reading it, and a page has one for each face.
    """
    letters = " : ".join(f"datum.value == {place} ? '{run}'" for place, run in enumerate(runs))
    axis = alt.Axis(
        orient="top",
        values=list(range(len(runs))),
        labelExpr=f"{letters} : ''",
        labelAlign="left",
        labelFontWeight=600,
        labelColor=MUTED,
        domain=False,
        ticks=False,
        grid=False,
        title=None,
    )
    several = len(runs) > 1
    full = f"clamp(1 - {NUMBER_WIDTH * len(runs)} / width, 0.2, {MOST_FULL})"
    x = alt.X("place:Q", scale=alt.Scale(domain=[0, len(runs)], nice=False), axis=axis if several else None)
    tooltip = [alt.Tooltip("emotion:N"), alt.Tooltip("share:Q", title="probability", format=".2%")]
    base = (
        alt.Chart(alt.NamedData(ROWS))
        .transform_calculate(full=f"datum.place + {full}", end=f"datum.place + {full} * datum.share")
        .encode(
            y=alt.Y("emotion:N", sort=list(emotions), title=None, axis=cell_axis("left", labelPadding=6)),
            tooltip=[*([alt.Tooltip("run:N")] if several else []), *tooltip],
        )
    )
    tracks = base.mark_bar(color=GREY, opacity=0.14, cornerRadiusEnd=3).encode(x=x, x2="full:Q")
    color = alt.Color("emotion:N", scale=emotion_scale(emotions), legend=None)
    filled = base.mark_bar(cornerRadiusEnd=3).encode(x=x, x2="end:Q", color=color)
    values = base.mark_text(align="left", dx=5, fontSize=12, color=MUTED).encode(x="full:Q", text="share_text:N")
    height = ROW_HEIGHT * len(emotions) + (24 if several else 4)
    chart: str = alt.LayerChart(layer=[tracks, filled, values]).properties(height=height).to_json(indent=None)
    return chart


def timeline(rows: pd.DataFrame, seconds: tuple[float, float], place: int = 0, count: int = 1) -> alt.LayerChart:
    """The shares of `record.binned` from one of the `seconds` of a video to the other, a line for each emotion.

    Of `count` charts below each other, the first (`place` 0) tells the colours, and the last one the unit of time.
    """
    emotions = list(dict.fromkeys(rows["emotion"]))
    scale = alt.Scale(nice=False, domain=seconds)
    title = "time (s)" if place == count - 1 else None
    x = alt.X("seconds:Q", title=title, axis=number_axis(grid=False), scale=scale)
    y = alt.Y(
        "share:Q",
        title="probability",
        scale=alt.Scale(domain=[0, 1]),
        axis=number_axis(format=".0%", values=[0, 0.5, 1] if count > 1 else [0, 0.25, 0.5, 0.75, 1]),
    )
    legend = (
        alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=250, columns=4) if place == 0 else None
    )
    color = alt.Color("emotion:N", scale=emotion_scale(emotions), legend=legend, sort=emotions)
    lines = alt.Chart(rows).mark_line(strokeWidth=2, point=rows["seconds"].nunique() <= 2, clip=True)
    drawn = lines.encode(x=x, y=y, color=color, detail="part:N")
    height = TIMELINE_HEIGHT if count == 1 else STACKED_HEIGHT + (LEGEND_HEIGHT if place == 0 else 0)
    return alt.LayerChart(layer=[drawn, _moment(rows, x, emotions)]).properties(height=height)


def _moment(rows: pd.DataFrame, x: alt.X, emotions: list[str]) -> alt.Chart:
    """A rule at the second next to the pointer, which tells every emotion's share there."""
    wide = rows.pivot_table(index="seconds", columns="emotion", values="share").reset_index()
    nearest = alt.selection_point(name="hover", on="pointerover", nearest=True, fields=["seconds"], empty=False)
    return (
        alt.Chart(wide)
        .mark_rule(color=GREY, strokeWidth=1)
        .encode(
            x=x,
            opacity=alt.condition(nearest, alt.value(0.6), alt.value(0)),
            tooltip=[
                alt.Tooltip("seconds:Q", title="time (s)", format=".2f"),
                *(alt.Tooltip(f"{emotion}:Q", format=".1%") for emotion in emotions),
            ],
        )
        .add_params(nearest)
    )
