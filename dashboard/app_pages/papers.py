"""What five papers published, beside what the same systems reach here under the same protocol."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from dashboard import cache, columns
from dashboard import components as ui
from dashboard.linked import LINKED
from dashboard.papers import comparisons
from dashboard.papers import details as paper_details
from dashboard.papers.comparisons import Comparison
from fer_core.papers import published

TITLE = "Papers"
GROUP = "Results"
ORDER = 3
URL = "papers"

SUBJECTS = {1: "image processing", 2: "depth", 3: "SFEW", 4: "a contradiction", 5: "cross-validation"}


def totals(compared: Sequence[Comparison]) -> None:
    verdicts = Counter(each.verdict for each in compared if not each.is_beyond)
    comparable = sum(verdicts.values()) - verdicts["not comparable"]
    ui.metric_row(
        [
            ui.Metric(
                "Reached",
                str(verdicts["reached"]),
                f"of {comparable} comparable figures",
                "Our 95 % interval reaches the published figure or lies above it.",
            ),
            ui.Metric("Below", str(verdicts["below"]), "trained, and not reached"),
            ui.Metric("Not run", str(verdicts["not run"]), "not trained by that protocol"),
            ui.Metric("Not comparable", str(verdicts["not comparable"]), "see the remarks"),
        ],
        min_width=170,
    )


def one_table(compared: Sequence[Comparison]) -> None:
    ui.figure_title(
        "Published figures and ours, test accuracy under the same protocol",
        "Ours is the mean over seeds, never the best one. A link opens the run in a new tab.",
    )
    table = comparisons.shown_table(compared)
    st.table(columns.styled_comparisons(table), border="horizontal", hide_index=True, alt="Published figures and ours")
    ui.download(comparisons.comparison_table(compared), "papers")


@st.fragment
def details(compared: Sequence[Comparison]) -> None:
    names = {paper: f"Paper {paper} · {subject}" for paper, subject in SUBJECTS.items()}
    tabs = st.tabs(list(names.values()), on_change="rerun", key="paper", bind=LINKED)
    for tab, paper in zip(tabs, names, strict=True):
        if tab.open:
            of_paper = [each for each in compared if each.figure.paper == paper]
            with tab, ui.errors_shown():
                paper_details.draw(paper, of_paper, cache.runs())


ui.page_header(TITLE, "How close do our runs come to the figures of five papers, each under the paper's own protocol?")
compared = comparisons.compare(published(), cache.runs())
totals(compared)
one_table(compared)
details(compared)
