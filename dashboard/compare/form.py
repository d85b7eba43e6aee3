"""The choices of the Compare page: which runs, and which of them the others are measured against."""

from collections.abc import Sequence

import streamlit as st

from dashboard.compare.selection import (
    FEWEST,
    MOST,
    Selection,
    able,
    first_choice,
    link_names,
    linked_runs,
    names,
    select,
)
from dashboard.formats import plain
from dashboard.labels import hash_of, labels
from dashboard.linked import LINKED, linked_notice
from dashboard.summaries import RunSummary, find

REMEMBERED = "compared"  # ids, when one comes back to the page without a link
FIELD, BASELINE = "compare_runs", "compare_baseline"


def choose(runs: Sequence[RunSummary]) -> Selection | None:
    """The runs to compare, chosen here or by the link (`?runs=07bf177a,eafaf933&baseline=07bf177a`).

    None, with a sentence on what to do, where fewer than two are chosen.
    """
    candidates = able(runs)
    chosen, notices = _wanted(candidates)
    field, base = st.columns([4, 1], vertical_alignment="bottom")
    with field:
        chosen = _choose_runs(candidates, chosen)
    for notice in notices:
        st.warning(plain(notice), icon=":material/link_off:")
    _keep(chosen, candidates)
    if len(chosen) < FEWEST:
        with base:
            short = [name.partition(" · ")[2] for name in names(chosen).values()]
            st.selectbox("Baseline", short, key="no_baseline", disabled=True)
        st.info(f"Choose {'two' if not chosen else 'another'} of the {len(candidates)} runs to see what differs.")
        return None
    with base:
        return _choose_baseline(chosen)


def _wanted(candidates: Sequence[RunSummary]) -> tuple[list[RunSummary], list[str]]:
    """What the link says, else what was compared last, else the best ones; and what of the link cannot be shown."""
    linked = st.query_params.get("runs")
    if linked is not None:
        found, vain = linked_runs(linked, candidates)
        full = [name for name in vain if find(candidates, name) is not None]
        absent = [name for name in vain if name not in full]
        notices = []
        if absent:
            notices.append(
                f"The link names {', '.join(name[:60] for name in absent)}: no such run can be compared here."
            )
        if full:
            notices.append(f"The link names more than {MOST} runs; the first {MOST} are compared.")
        return found or ([] if not absent else first_choice(candidates)), notices
    known = {run.id: run for run in candidates}
    remembered = [known[name] for name in st.session_state.get(REMEMBERED, []) if name in known]
    return remembered or first_choice(candidates), []


def _choose_runs(candidates: Sequence[RunSummary], chosen: Sequence[RunSummary]) -> list[RunSummary]:
    known = {run.id: run for run in candidates}
    texts = labels(candidates) | names(chosen)  # a chosen run is called as in the charts below
    st.session_state[FIELD] = [run.id for run in chosen]
    st.multiselect(
        "Runs",
        list(known),
        key=FIELD,
        format_func=lambda name: texts[name],
        max_selections=MOST,
        on_change=_take_runs,
        placeholder="Choose two to eight runs",
        select_all=False,
        wrap=True,
        help="Type to search by architecture, preprocessing, dataset, accuracy or seed.",
    )
    return list(chosen)


def _take_runs() -> None:
    """The field has changed: what it holds is what is compared, and the link says so."""
    st.session_state[REMEMBERED] = list(st.session_state[FIELD])
    st.query_params["runs"] = ",".join(st.session_state[FIELD])


def _keep(chosen: Sequence[RunSummary], candidates: Sequence[RunSummary]) -> None:
    """The link names what is shown, so that a copy of it shows the same when there are more runs."""
    st.session_state[REMEMBERED] = [run.id for run in chosen]
    text = link_names(chosen, candidates)
    if st.query_params.get("runs") != text:
        st.query_params["runs"] = text


def _choose_baseline(chosen: Sequence[RunSummary]) -> Selection:
    wanted = st.query_params.get("baseline", "")
    found = find(chosen, wanted) if wanted else None
    if wanted and found is None:
        st.query_params.pop("baseline")
    short = names(chosen)
    st.session_state[BASELINE] = (found or chosen[0]).id
    st.selectbox(
        "Baseline",
        [run.id for run in chosen],
        key=BASELINE,
        format_func=lambda name: short[name],
        on_change=_take_baseline,
        help="What the others are measured against; only runs that were tested as it was are ranked with it.",
    )
    return select(chosen, (found or chosen[0]).id)


def _take_baseline() -> None:
    st.query_params["baseline"] = hash_of(st.session_state[BASELINE])


def letter_field(label: str, key: str, letters: Sequence[str], first: str) -> str:
    """One of the runs by its letter, which the link holds; `first` where the chosen one is no longer there."""
    if key not in st.session_state:
        linked_notice(key, letters)
    elif st.session_state[key] not in letters:
        st.session_state[key] = first
    start = 0 if key in st.session_state else letters.index(first)  # Streamlit wants one or the other
    return st.selectbox(label, letters, start, key=key, bind=LINKED, width=90) or first
