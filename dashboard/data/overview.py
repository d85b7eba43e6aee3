"""What a dataset holds: how many faces of each emotion, how balanced, and what they look like."""

from typing import Any

import numpy as np
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.cache import About
from dashboard.data import charts, tables
from dashboard.data.figures import figure
from dashboard.data.form import choose_split
from dashboard.formats import count, percent
from dashboard.paging import page_of, pager

SAMPLES = 10  # faces of each emotion at a time
SAMPLE_WIDTH = 76


def overview(about: About) -> None:
    """Numbers, the chart and table of emotions, faces, and where they come from."""
    numbers(about)
    totals = tables.totals(about.counts)
    figure(
        tables.balance_sentence(totals),
        tables.class_bars(about.counts),
        charts.class_bars,
        "Images of each emotion, and their share of all images.",
        f"{about.name}_emotions",
    )
    table = tables.class_table(about.counts)
    with st.expander("Images of each emotion and split as a table"):
        st.dataframe(
            table, hide_index=True, column_config=_columns(list(map(str, table))), alt="Images by emotion and split"
        )
        ui.download(table, f"{about.name}_emotions")
    if not about.is_table:
        samples(about)
    with st.expander("Where it comes from, and what was done to it"):
        source = {**about.source, "done": "; ".join(about.conversions), "missing": "; ".join(about.missing)}
        ui.facts({name: value for name, value in source.items() if value}, about.name)


def numbers(about: About) -> None:
    """The dataset in four tiles."""
    totals = tables.totals(about.counts)
    parts = {split: sum(each.values()) for split, each in about.counts.items()}
    named = " / ".join(f"{count(number)}" for number in parts.values())
    tested = tables.totals(about.counts, "test") or totals
    most = max(tested, key=lambda each: tested[each])
    rarest = min(totals, key=lambda each: totals[each])
    balanced = tables.imbalance(totals) < tables.BALANCED
    where = "the test split" if "test" in about.counts else "all images"
    ui.metric_row(
        [
            ui.Metric("Images", count(about.images), tables.size_text(about.shape, about.is_table)),
            ui.Metric(
                "Splits",
                named if len(parts) > 1 else "none",
                " / ".join(tables.SPLITS[split].lower() for split in parts) if len(parts) > 1 else "folds are drawn",
            ),
            ui.Metric(
                "Imbalance",
                f"{tables.imbalance(totals):.1f} : 1",
                "balanced" if balanced else f"{max(totals, key=lambda each: totals[each])} to {rarest}",
                "Images of the most frequent emotion for each image of the rarest.",
            ),
            ui.Metric(
                f"Always “{most}”",
                percent(tested[most] / sum(tested.values())),
                f"accuracy on {where}",
                "What a network reaches that gives every face the most frequent emotion: the least to be beaten.",
            ),
        ],
        min_width=190,
    )


def _columns(names: list[str]) -> dict[str, Any]:
    numbers = {name: st.column_config.NumberColumn(name, format="%,d") for name in names if name != "emotion"}
    shares = {name: st.column_config.NumberColumn(name, format="%.1f") for name in names if name.endswith("(%)")}
    return {"emotion": st.column_config.TextColumn("Emotion", pinned=True), **numbers, **shares}


@st.fragment
def samples(about: About) -> None:
    """Faces of each emotion, drawn at random, in pages."""
    with ui.errors_shown():
        ui.figure_title(
            "Faces of each emotion", "In a random order that is always the same, so that a link shows the same faces."
        )
        split = choose_split(about, "samples_split")
        rows = {each: cache.shuffled(about.name, split, each) for each in tables.totals(about.counts, split)}
        most = max(map(len, rows.values()))
        shown = page_of(most, SAMPLES, "samples_page", (about.name, split))
        for emotion, order in rows.items():
            with st.container(gap="xsmall"):
                st.markdown(f"**{emotion}** · {count(len(order))}")
                images = [_with_margin(image) for image in cache.images(about.name, order[shown])]
                if images:
                    st.image(images, width=SAMPLE_WIDTH, alt=[f"A face labelled {emotion}"] * len(images))
                else:
                    st.caption(f"All {count(len(order))} have been shown.")
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            pager(shown, most, SAMPLES, "samples_page")


def _with_margin(image: np.ndarray) -> np.ndarray:
    """A face with a clear margin, so that faces in a row stand apart on any ground: RGBA."""
    color = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
    margin = max(1, len(image) // 24)
    opaque = np.concatenate([color, np.full((*color.shape[:2], 1), 255, np.uint8)], axis=2)
    return np.pad(opaque, ((margin, margin), (margin, margin), (0, 0)))
