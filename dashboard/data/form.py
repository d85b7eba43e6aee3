"""The choices of the Data page: a dataset, a split, and the runs that doubt labels."""

from collections.abc import Sequence

import streamlit as st

from dashboard import cache
from dashboard.cache import About
from dashboard.data.tables import SPLITS
from dashboard.face_source import DRAWN, GET_FER2013
from dashboard.formats import plain
from dashboard.labels import hash_of, labels
from dashboard.linked import choice, segments
from dashboard.summaries import RunSummary, find

ALL = "All"
RUNS_FIELD, RUNS_LINK = "doubting_runs", "runs"
FIRST_RUNS, MOST_RUNS = 3, 12


def choose_dataset() -> str:
    """One of the prepared datasets, or the drawn faces; where only these are here, how to get others."""
    names = cache.datasets()
    if names == [DRAWN]:
        st.caption(GET_FER2013)
    with st.container(width=320):
        return choice("Dataset", "dataset", names, on_change=_forget_runs)


def _forget_runs() -> None:
    st.query_params.pop(RUNS_LINK, None)  # those of another dataset


def choose_split(about: About, key: str) -> str | None:
    """A split, or None for all of them; there is no choice where the dataset has one only."""
    names = {SPLITS[split]: split for split in about.counts}
    if len(names) < 2:
        return None
    return names.get(segments("Split", key, [ALL, *names]))


def fitting(runs: Sequence[RunSummary], dataset: str) -> list[RunSummary]:
    """The finished runs of a dataset that tell the same emotions apart as the best of them, best first."""
    kept = _finished(runs, dataset)
    full = max((len(run.spec.emotions) for run in kept if run.spec), default=0)
    emotions = next((run.spec.emotions for run in kept if run.spec and len(run.spec.emotions) == full), ())
    return [run for run in kept if run.spec and run.spec.emotions == emotions]


def narrower(runs: Sequence[RunSummary], dataset: str) -> list[RunSummary]:
    """The finished runs of a dataset that `fitting` leaves out: of other emotions, or of the same in another order."""
    there = {run.id for run in fitting(runs, dataset)}
    return [run for run in _finished(runs, dataset) if run.id not in there]


def left_out(run: RunSummary) -> list[str]:
    """The emotions that a run does not know."""
    return list(run.board.left_out) if run.board else []


def _finished(runs: Sequence[RunSummary], dataset: str) -> list[RunSummary]:
    able = [run for run in runs if run.state == "finished" and run.spec and run.spec.dataset == dataset]
    return sorted((run for run in able if not run.notes.archived), key=lambda run: -(run.accuracy or 0))


def choose_runs(candidates: Sequence[RunSummary]) -> list[RunSummary]:
    """The runs whose mean is held against the labels: chosen here or by the link (`?runs=07bf177a,eafaf933`)."""
    chosen, vain = _linked(candidates)
    if vain:
        words = f"The link names {', '.join(name[:60] for name in vain)}: no such run can be asked about these labels."
        st.warning(plain(words), icon=":material/link_off:")
    _write([run.id for run in chosen])  # a copy of the link shows the same when there are more runs
    names = labels(candidates)
    st.session_state[RUNS_FIELD] = [run.id for run in chosen]
    st.multiselect(
        "Runs whose mean is taken",
        [run.id for run in candidates],
        key=RUNS_FIELD,
        format_func=lambda name: names[name],
        max_selections=MOST_RUNS,
        on_change=_take_runs,
        placeholder="Choose at least one run",
        wrap=True,
        help="Best first. Several runs that err differently doubt fewer labels for no reason than one alone.",
    )
    return chosen


def first_runs(candidates: Sequence[RunSummary]) -> list[RunSummary]:
    """The best ones by themselves: an ensemble is a mean already, of runs that would count twice."""
    single = [run for run in candidates if not run.is_ensemble]
    return list(single or candidates)[:FIRST_RUNS]


def _linked(candidates: Sequence[RunSummary]) -> tuple[list[RunSummary], list[str]]:
    """The runs that the link names, or the best ones where it names none that is here; and the names in vain."""
    wanted = st.query_params.get(RUNS_LINK)
    if wanted is None:
        return first_runs(candidates), []
    names = [name for name in wanted.split(",") if name]
    found = {name: find(candidates, name) for name in names}
    chosen = list({run.id: run for run in found.values() if run is not None}.values())[:MOST_RUNS]
    vain = [name for name, run in found.items() if run is None]
    return chosen or ([] if not vain else first_runs(candidates)), vain


def _take_runs() -> None:
    _write(st.session_state[RUNS_FIELD])


def _write(ids: Sequence[str]) -> None:
    text = ",".join(hash_of(name) for name in ids)
    if st.query_params.get(RUNS_LINK) != text:
        st.query_params[RUNS_LINK] = text
