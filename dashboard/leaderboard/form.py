"""The fields of the leaderboard; every choice is part of the page's link."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from dashboard import cache
from dashboard.formats import plain, plural
from dashboard.labels import board_label, labels
from dashboard.leaderboard.metrics import FORMER_TITLES, METRICS
from dashboard.leaderboard.query import FILTERS, Query
from dashboard.linked import LINKED, choice, linked_notice, segments
from dashboard.summaries import Board, RunSummary, find

FEW_BOARDS = 4  # fit in one row of buttons
FIRST_COLUMNS = ("accuracy", "clean", "macro_f1", "ece", "parameters", "total")
FACTS = {
    "interval": "95 % interval",
    "recipe": "Recipe",
    "setting": "Setting",
    "seed": "Seed",
    "epochs": "Epochs",
    "device": "Device",
    "tags": "Tags",
    "note": "Note",
}
FIRST_FACTS = ("recipe", "setting", "seed", "epochs", "tags")
NAMES_OF_METRICS = ("map", "sort", "figures", "quality")  # fields of the link that hold titles of metrics
SEARCHED = "architecture, preprocessing, recipe, tag, note …"
BOARD_HELP = "Only runs that were tested on the same faces, and tell the same emotions apart, are ranked together."
BEST, WORST = "best first", "worst first"
RUNS, SEEDS = "Runs", "Means over seeds"
MOST_OFFERED = 100  # baselines in the list; any other run is pinned from its row


@dataclass(frozen=True)
class View:
    """What the table shows, apart from which runs; `baseline_name` is what the baseline is called in its field."""

    sorting: "cache.Sorting"
    metrics: list[str]
    facts: list[str]
    baseline: RunSummary | None
    baseline_name: str


def renew_link() -> None:
    """Draw the page anew where its link calls a metric by a former title."""
    is_old = False
    for key in NAMES_OF_METRICS:
        titles = st.query_params.get_all(key)
        if set(titles) & set(FORMER_TITLES):
            st.query_params[key] = [FORMER_TITLES.get(title, title) for title in titles]
            is_old = True
    if is_old:
        st.rerun()


def clear() -> None:
    """Take back the search and the filters."""
    st.session_state["q"] = ""
    for name in FILTERS:
        st.session_state[name] = []


def choose_board(*, width: int | Literal["stretch"] = "stretch") -> Board | None:
    """The dataset, protocol and emotions whose runs are ranked; None where no run is finished."""
    options = {board_label(board): board for board in cache.ranked_boards()}
    if not options:
        return None
    names = list(options)
    if len(names) == 1:
        linked_notice("board", names)
        return options[names[0]]
    label = "Dataset, protocol and emotions"
    if len(names) <= FEW_BOARDS:
        return options[segments(label, "board", names, help=BOARD_HELP)]
    return options[choice(label, "board", names, help=BOARD_HELP, width=width)]


def choose_query() -> Query | None:
    """The board, the search and the filters; None where no run is finished."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        board = choose_board(width=320)
        if board is None:
            return None
        offered = cache.board_choices(board)
        text = st.text_input("Search", key="q", bind=LINKED, icon=":material/search:", placeholder=SEARCHED, live=True)
        with st.popover("Filter", icon=":material/filter_list:"):
            chosen = tuple((name, _filter(name, offered.filters[name])) for name in FILTERS)
            archived = st.toggle(
                "Archived runs too", key="archived", bind=LINKED, help=plural(offered.archived, "archived run")
            )
    return Query(board, tuple(text.lower().split()), chosen, archived)


def _filter(name: str, options: list[str]) -> tuple[str, ...]:
    linked_notice(name, options)
    return tuple(st.multiselect(name.capitalize(), options, key=name, bind=LINKED, placeholder="All"))


def choose_view(board: Board, shown: Sequence[RunSummary], everyone: Sequence[RunSummary]) -> View:
    """What a row is, which columns there are, their order, and what they are held against."""
    offered = cache.board_choices(board)
    possible = titles([*offered.metrics, *offered.efforts])
    pinned = pinned_baseline(everyone)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = segments("Rows", "rows", [RUNS, SEEDS])
        metric = possible[choice("Sort by", "sort", list(possible), width=200)]
        order = segments("Order", "order", [BEST, WORST])
        name = _baseline_field(pinned, shown)
        with st.popover("Columns", icon=":material/view_column:"):
            metrics = _columns("Figures", "figures", possible, FIRST_COLUMNS)
            facts = _columns("Facts", "facts", {title: key for key, title in FACTS.items()}, FIRST_FACTS)
    return View(cache.Sorting(metric, order == BEST, rows == SEEDS), metrics, facts, pinned, name)


def titles(keys: Sequence[str]) -> dict[str, str]:
    """Keys of metrics by the title that fields and links show."""
    return {METRICS[key].title: key for key in keys}


def _columns(label: str, key: str, options: dict[str, str], first: Sequence[str]) -> list[str]:
    names = list(options)
    linked_notice(key, names)
    chosen = st.multiselect(label, names, [title for title in names if options[title] in first], key=key, bind=LINKED)
    return [options[title] for title in names if title in chosen]


def pinned_baseline(everyone: Sequence[RunSummary]) -> RunSummary | None:
    """The run that the others are held against: the link names it (`?baseline=`), and says so where it cannot be."""
    wanted = st.query_params.get("baseline", "")
    pinned = find(everyone, wanted) if wanted else None
    if wanted and pinned is None:
        st.warning(
            plain(f"The link's baseline {wanted[:60]!r} is no run of this ranking; nothing is pinned."),
            icon=":material/link_off:",
        )
        st.query_params.pop("baseline")
    return pinned


def _baseline_field(pinned: RunSummary | None, shown: Sequence[RunSummary]) -> str:
    """Returns what the baseline is called, "" where there is none."""
    offered = list(shown[:MOST_OFFERED])
    if pinned is not None and pinned.id not in {run.id for run in offered}:
        offered.insert(0, pinned)
    names = {"": "None", **labels(offered)}
    st.session_state["baseline_picker"] = pinned.id if pinned else ""
    st.selectbox(
        "Baseline",
        list(names),
        format_func=lambda name: names[name],
        key="baseline_picker",
        on_change=_pin_chosen,
        help="Pin a run: every figure gets its difference from it, and a paired test says which accuracies differ.",
    )
    return names[pinned.id] if pinned else ""


def _pin_chosen() -> None:
    pin(st.session_state["baseline_picker"])


def pin(run_id: str) -> None:
    """Make a run the baseline, or none where the name is empty."""
    if run_id:
        st.query_params["baseline"] = run_id
    else:
        st.query_params.pop("baseline", None)
