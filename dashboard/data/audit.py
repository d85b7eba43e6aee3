"""What is wrong with a dataset: copies, contradictions, leakage between splits, images of nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.cache import About
from dashboard.data import tables
from dashboard.formats import NONE, count, percent, plain, plural
from dashboard.linked import segments
from dashboard.paging import page_of, pager

if TYPE_CHECKING:
    # importing this would import OpenCV
    from fer_core.datasets import Inspection

CONFLICTS, ACROSS, COPIES, CONSTANT = "Conflicting labels", "Across splits", "All copies", "One grey level"
PER_PAGE = 12
NOTHING = {
    CONFLICTS: "No image is here twice with different labels.",
    ACROSS: "No image is in more than one split.",
    COPIES: "No image is here twice.",
    CONSTANT: "No image is a single grey level.",
}


@st.fragment
def audit(about: About) -> None:
    """The counts, and the images behind them."""
    with ui.errors_shown():
        inspection, labelled = cache.inspection(about.name), cache.labelled(about.name)
        numbers(about, inspection)
        kind = segments("Show", "audit_show", [CONFLICTS, ACROSS, COPIES, CONSTANT])
        groups = chosen_groups(inspection, labelled, kind)
        if not groups:
            st.caption(NOTHING[kind])
            return
        ui.figure_title(title(kind, groups), _note(kind, about))
        gallery(about, groups, labelled, kind)


def numbers(about: About, inspection: "Inspection") -> None:
    """The counts of the audit in tiles."""
    found = inspection.audit
    parted = len(about.counts) > 1
    sizes = {split: sum(each.values()) for split, each in about.counts.items()}

    def leak(number: int, split: str) -> tuple[str, str]:
        if split not in sizes or "train" not in sizes:
            return NONE, "no such splits"
        return count(number), f"{percent(number / sizes[split])} of its images"

    tests, valids = leak(found.test_in_train, "test"), leak(found.valid_in_train, "valid")
    ui.metric_row(
        [
            ui.Metric("Surplus copies", count(found.surplus_copies), f"in {plural(found.groups, 'group')}",
                      "Images whose pixels all equal those of an earlier one."),
            ui.Metric("Conflicting labels", count(found.conflicting_groups), "groups of copies",
                      "Groups of equal images that have more than one label."),
            ui.Metric("Across splits", count(found.cross_split_groups) if parted else NONE,
                      "groups of copies" if parted else "one split only", "Equal images in more than one split."),
            ui.Metric("Test leaks", *tests, "Test images with an exact copy in training."),
            ui.Metric("Validation leaks", *valids, "Validation images with an exact copy in training."),
            ui.Metric("One grey level", count(found.constant_images), "images", "They show nothing."),
        ]
    )  # fmt: skip


def chosen_groups(inspection: "Inspection", labelled: pd.DataFrame, kind: str) -> list[np.ndarray]:
    """The groups of rows that are shown, the largest first; of constant images, each by itself."""
    if kind == CONSTANT:
        return [np.array([row]) for row in inspection.constant.tolist()]
    groups = inspection.groups
    if kind != COPIES:
        values = labelled["label" if kind == CONFLICTS else "split"].to_numpy()
        groups = tuple(rows for rows in groups if len(set(values[rows])) > 1)
    return sorted(groups, key=lambda rows: -len(rows))


def title(kind: str, groups: Sequence[np.ndarray]) -> str:
    """What is shown, with its numbers."""
    images = count(sum(map(len, groups)))
    if kind == CONSTANT:
        return f"{plural(len(groups), 'image')} of a single grey level"
    has, lies = ("has", "lies") if len(groups) == 1 else ("have", "lie")
    ends = {CONFLICTS: f" {has} more than one label", ACROSS: f" {lies} in more than one split", COPIES: ""}
    return f"{plural(len(groups), 'group')} of exactly equal images{ends[kind]}, {images} images in all"


def _note(kind: str, about: About) -> str:
    if kind == CONSTANT:
        return "Whatever they are labelled, nothing is to be seen in them."
    if about.is_table:
        return "All descriptors of a group are the same."
    return "All pixels of a group are the same, so that it is drawn once; below it, what its images are labelled."


def gallery(about: About, groups: Sequence[np.ndarray], labelled: pd.DataFrame, kind: str) -> None:
    """The groups in pages: a picture, and the labels and splits of its images."""
    shown = page_of(len(groups), PER_PAGE, "audit_page", (about.name, kind))
    part = groups[shown]
    if about.is_table:
        st.dataframe(tables.group_table(part, labelled), hide_index=True, alt="Groups of equal descriptors")
    else:
        _cards(cache.images(about.name, [int(rows[0]) for rows in part]), part, labelled)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        pager(shown, len(groups), PER_PAGE, "audit_page")
        name = f"{about.name}_{kind.lower().replace(' ', '_')}"
        ui.download(tables.group_table(groups, labelled), name)


def _cards(images: Sequence[np.ndarray], groups: Sequence[np.ndarray], labelled: pd.DataFrame) -> None:
    with st.grid(6, min_column_width=135, row_height="content"):
        for image, rows in zip(images, groups, strict=True):
            with st.container(border=True, gap="xsmall", height="stretch"):
                found = labelled.iloc[rows]
                st.image(image, width="stretch", alt=f"An image that is here {plural(len(rows), 'time')}")
                names = ", ".join(map(str, found.index[:8])) + (" …" if len(rows) > 8 else "")
                lines = tables.members(found["label"].tolist(), found["split"].tolist())
                st.markdown("  \n".join(lines))
                st.caption(plural(len(rows), "image"), help=plain(names))
