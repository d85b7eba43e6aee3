"""Two to eight runs side by side: what differs, and whether it is more than chance."""

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.advice import FIRST_TRAINING
from dashboard.compare import confusion, explorer, form, views
from dashboard.compare.selection import FEWEST, Selection, able, why_apart
from dashboard.linked import linked_notice
from dashboard.robustness import compared

TITLE = "Compare"
GROUP = "Results"
ORDER = 2
URL = "compare"

ALL_RUNS = {"Curves": views.learning, "Settings": views.differences}
PAIRED = {
    "Accuracy": views.standings,
    "Emotions": views.emotions,
    "Confusion": confusion.side_by_side,
    "Images": explorer.explore,
    "Tests": views.tests,
    "Calibration": views.calibration,
    "Robustness": compared.robustness,
}


def comparison(selection: Selection) -> None:
    """What all runs have in common, and what only those that were tested alike have."""
    why = why_apart(selection)
    if why:
        st.info(why, icon=":material/call_split:")
    is_paired = len(selection.paired) >= FEWEST
    if is_paired:
        with ui.errors_shown():
            views.finding(selection)
            views.report(selection)
    shown = PAIRED | ALL_RUNS if is_paired else ALL_RUNS
    linked_notice("view", list(shown))
    tabs = st.tabs(list(shown), on_change="rerun", key="view", bind="query-params")
    for tab, draw in zip(tabs, shown.values(), strict=True):
        if tab.open:
            with tab, ui.errors_shown():
                draw(selection)


ui.page_header(TITLE, "Where do two to eight runs differ, on which faces, and is the difference more than chance?")
runs = cache.runs()
if len(able(runs)) < FEWEST:
    ui.empty_state(
        "Fewer than two runs",
        "Two or more trained networks are compared here: their curves, settings, confusions and images. Train one:",
        FIRST_TRAINING,
    )
    st.stop()
chosen = form.choose(runs)
if chosen is not None:
    comparison(chosen)
