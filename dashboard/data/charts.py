"""Charts of the Data page; data frames -> Altair charts, no Streamlit here."""

import altair as alt
import pandas as pd

from dashboard.charts import GREY, INK, MUTED, TILES, cell_axis, column_axis, number_axis, readable_on_fill

ROW_HEIGHT = 30
HISTOGRAM_HEIGHT = 190
CELL_HEIGHT = 44


def class_bars(rows: pd.DataFrame) -> alt.LayerChart:
    """One bar an emotion, parted by split, of `data.tables.class_bars`, with its number and share beside it."""
    splits = list(dict.fromkeys(rows["split"]))
    emotions = list(dict.fromkeys(rows["emotion"]))
    y = alt.Y("emotion:N", sort=emotions, title=None, axis=cell_axis("left"))
    # the longest bar leaves room for its text, which takes more of a narrow page
    scale = alt.Scale(domainMax=alt.ExprRef(f"{int(rows['total'].max())} * (width < 420 ? 1.75 : 1.25)"), nice=False)
    x = alt.X("images:Q", scale=scale, axis=None, stack=True)
    legend = alt.Legend(title=None, orient="top", labelFontSize=12) if len(splits) > 1 else None
    bars = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=x,
            y=y,
            order="order:Q",
            color=alt.Color("split:N", scale=alt.Scale(domain=splits), legend=legend),
            tooltip=[
                alt.Tooltip("emotion:N"),
                alt.Tooltip("split:N"),
                alt.Tooltip("images:Q", format=","),
                alt.Tooltip("share:N", title="of the split"),
            ],
        )
    )
    ends = alt.Chart(rows.drop_duplicates("emotion")).encode(y=y, x=alt.X("total:Q", scale=scale, axis=None))
    texts = ends.mark_text(align="left", dx=6, fontSize=13, color=MUTED).encode(text="text:N")
    return (bars + texts).properties(height=ROW_HEIGHT * len(emotions) + (34 if len(splits) > 1 else 10))


def histogram(bins: pd.DataFrame, title: str) -> alt.LayerChart:
    """Shares of the images in each part of `data.tables.histogram`; a line marks `mean`, a column of one value."""
    mean = float(bins["mean"].iloc[0])
    ends = [float(bins["start"].iloc[0]), float(bins["end"].iloc[-1])]
    scale = alt.Scale(domain=ends, nice=False)
    room = alt.Scale(domainMax=1.18 * float(bins["share"].max()))  # for the words above the bars
    bars = (
        alt.Chart(bins)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("start:Q", title=title, bin="binned", scale=scale, axis=number_axis(grid=False, tickCount=6)),
            x2="end:Q",
            y=alt.Y("share:Q", title=None, scale=room, axis=number_axis(format=".0%", tickCount=4)),
            tooltip=[
                alt.Tooltip("start:Q", title="from", format=".1f"),
                alt.Tooltip("end:Q", title="to", format=".1f"),
                alt.Tooltip("images:Q", format=","),
                alt.Tooltip("share:Q", format=".2%"),
            ],
        )
    )
    place = alt.Chart(pd.DataFrame({"mean": [mean], "text": [f"mean {mean:.0f}"]})).encode(
        x=alt.X("mean:Q", scale=scale)
    )
    rule = place.mark_rule(color=GREY, strokeDash=[3, 3], strokeWidth=1.5)
    text = place.mark_text(align="left", dx=5, baseline="top", color=INK, fontSize=12).encode(
        text="text:N", y=alt.value(0)
    )
    return (bars + rule + text).properties(height=HISTOGRAM_HEIGHT)


def doubt_heatmap(cells: pd.DataFrame) -> alt.LayerChart:
    """How many images of each label are surely another emotion, from `data.tables.doubt_cells`."""
    emotions = list(dict.fromkeys(cells["label"]))
    x = alt.X(
        "suggested:N", sort=emotions, title="suggested", scale=TILES, axis=column_axis("bottom", len(emotions), 62)
    )
    y = alt.Y("label:N", sort=emotions, title="label", scale=TILES, axis=cell_axis("left"))
    tooltip = [
        alt.Tooltip("label:N"),
        alt.Tooltip("suggested:N"),
        alt.Tooltip("images:Q", format=","),
        alt.Tooltip("exact:N", title="of the images of this label"),
    ]
    base = alt.Chart(cells).encode(x=x, y=y, tooltip=tooltip)
    domain = [0, max(0.01, float(cells["share"].max()))]
    tiles = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("share:Q", scale=alt.Scale(domain=domain), legend=None)
    )
    texts = base.mark_text(fontSize=13, color=readable_on_fill("share")).encode(text="text:N")
    return (tiles + texts).properties(height=CELL_HEIGHT * len(emotions) + 60)
