"""The way to the Compare page: other pages send runs there."""

from collections.abc import Sequence

import streamlit as st

from dashboard.compare.selection import FEWEST, MOST, link_names
from dashboard.summaries import RunSummary

COMPARE_PAGE = "app_pages/compare.py"


def open_comparison(chosen: Sequence[RunSummary], runs: Sequence[RunSummary]) -> None:
    """Go to the Compare page with the `chosen` ones of all `runs`; the first of them is the baseline."""
    st.switch_page(COMPARE_PAGE, query_params={"runs": link_names(chosen, runs)})


def compare_button(chosen: Sequence[RunSummary], runs: Sequence[RunSummary], key: str = "send_to_compare") -> None:
    """A button that opens the comparison of the `chosen` runs; it is off where they are not two to eight."""
    fits = FEWEST <= len(chosen) <= MOST
    label = f"Compare {len(chosen)} runs" if fits else "Compare"
    why = f"Side by side: curves, settings, confusions, images. Choose {FEWEST} to {MOST} runs."
    if st.button(label, key=key, icon=":material/compare_arrows:", disabled=not fits, help=why):
        open_comparison(chosen, runs)
