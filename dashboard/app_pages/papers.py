"""What five papers published, beside what the same systems reach here under the same protocol."""

from collections.abc import Sequence

import streamlit as st

from dashboard import cache, columns
from dashboard import components as ui
from dashboard.linked import LINKED, linked_notice
from dashboard.papers import comparisons
from dashboard.papers import details as paper_details
from dashboard.papers.comparisons import BELOW, NOT_COMPARABLE, NOT_RUN, REACHED, WITHIN, Comparison, tally, tally_text
from fer_core.papers import published

TITLE = "Papers"
GROUP = "Results"
ORDER = 3
URL = "papers"

SUBJECTS = {1: "image processing", 2: "depth", 3: "SFEW", 4: "a contradiction", 5: "cross-validation"}
TABS = {paper: f"Paper {paper} · {subject}" for paper, subject in SUBJECTS.items()}


def totals(compared: Sequence[Comparison]) -> None:
    verdicts = tally([each for each in compared if not each.is_beyond])
    further = [each for each in compared if each.is_beyond]
    comparable = sum(verdicts.values()) - verdicts[NOT_COMPARABLE]
    tiles = [
        ui.Metric(
            "Reached",
            str(verdicts[REACHED]),
            f"of {comparable} comparable",
            "Our mean is the published figure or more.",
        ),
        ui.Metric(
            "Within the interval",
            str(verdicts[WITHIN]),
            "covers the figure",
            "Our mean is less than the published figure, and our 95 % interval covers that figure.",
        ),
        ui.Metric("Below", str(verdicts[BELOW]), "interval ends below", "Our 95 % interval ends below the figure."),
        ui.Metric("Not run", str(verdicts[NOT_RUN]), "by that protocol"),
        ui.Metric("Not comparable", str(verdicts[NOT_COMPARABLE]), "see the remarks"),
    ]
    if further:
        note = f"Systems of ours that no paper has, beside the nearest figure of paper 3: {tally_text(further)}."
        tiles.append(ui.Metric("Beyond the papers", str(len(further)), "counted apart", note))
    ui.metric_row(tiles, min_width=140)


def one_table(compared: Sequence[Comparison]) -> None:
    further = any(each.is_beyond for each in compared)
    last = " Rows named beyond are systems of ours that no paper has; they are counted apart." if further else ""
    ui.figure_title(
        "Published figures and ours, test accuracy under the same protocol",
        f"Ours is the mean over seeds, never the best one. A link opens the run in a new tab.{last}",
    )
    table = comparisons.shown_table(compared)
    st.table(columns.styled_comparisons(table), border="horizontal", hide_index=True, alt="Published figures and ours")
    ui.download(comparisons.comparison_table(compared), "papers")


@st.fragment
def details(compared: Sequence[Comparison]) -> None:
    tabs = st.tabs(list(TABS.values()), on_change="rerun", key="paper", bind=LINKED)
    for tab, paper in zip(tabs, TABS, strict=True):
        if tab.open:
            of_paper = [each for each in compared if each.figure.paper == paper]
            with tab, ui.errors_shown():
                paper_details.draw(paper, of_paper, cache.runs())


ui.page_header(TITLE, "How close do our runs come to the figures of five papers, each under the paper's own protocol?")
linked_notice("paper", list(TABS.values()))
compared = comparisons.compare(published(), cache.runs())
totals(compared)
one_table(compared)
details(compared)
