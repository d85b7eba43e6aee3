"""The run picker: the same on every page, best first, and it remembers."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import streamlit as st

from dashboard import components as ui
from dashboard.advice import FIRST_TRAINING
from dashboard.formats import plain
from dashboard.labels import kind_name, labels
from dashboard.summaries import RunSummary, find

FILTERS = ("architecture", "preprocessing", "dataset")
NOTHING: Mapping[str, str] = MappingProxyType({})
FEW = 5  # a list that one sees whole needs no filter


def able_runs(runs: Sequence[RunSummary], reads: str, *, to: str = "try") -> list[RunSummary]:
    """The runs whose network can predict; where there is none, how to get one that `reads` something (`photos`)."""
    able = [run for run in runs if run.can_predict]
    if not able:
        words = f"A finished run that has its weights reads {reads}. Train one:"
        ui.empty_state(f"No network to {to}", words, FIRST_TRAINING)
    return able


def obstacles(runs: Sequence[RunSummary]) -> dict[str, str]:
    """Why some runs cannot predict, as `run_picker` says it of those that a link asks for."""
    return {run.id: run.obstacle for run in runs if run.obstacle}


def run_picker(runs: Sequence[RunSummary], refused: Mapping[str, str] = NOTHING) -> RunSummary:
    """The run to show, out of at least one: chosen here or by the link (`?run=`), else the first.

    `refused` says of runs that cannot be chosen here why, as the rest of a sentence.
    """
    wanted = st.query_params.get("run") or st.session_state.get("run", "")
    found = find(runs, wanted) if wanted else None
    names = labels(runs)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # the filter's place is behind the list that it shortens
        list_place, filter_place = st.container(), st.container(width="content")
        with filter_place:
            # an archived run is out of every list; a link still opens it
            shown = _filter([run for run in runs if run is found or not run.notes.archived])
        chosen = found or (shown or runs)[0]
        options = [run.id for run in shown]
        st.session_state["run_picker"] = chosen.id
        list_place.selectbox(
            "Run",
            options if chosen.id in options else [chosen.id, *options],
            format_func=lambda name: names[name],
            key="run_picker",
            on_change=_remember,
            help="Best first. Type to search by architecture, preprocessing, accuracy, or whatever else the list says.",
        )
    if wanted and found is None:
        st.warning(plain(_instead(wanted, refused.get(wanted, ""), chosen)), icon=":material/swap_horiz:")
    if not shown:
        st.caption("No run passes the filter.")
    return chosen


def _instead(wanted: str, obstacle: str, shown: RunSummary) -> str:
    """That another run is shown than the one that was asked for, why, and which; hashes where both are alike."""
    alike = kind_name(wanted) == kind_name(shown.id)
    why = f"{kind_name(wanted, in_full=alike)} {obstacle}" if obstacle else f"There is no run {wanted} to choose here"
    return f"{why}. Shown instead: {kind_name(shown.id, in_full=alike)}, the first of the list."


def _remember() -> None:
    st.session_state["run"] = st.session_state["run_picker"]
    st.query_params["run"] = st.session_state["run_picker"]


def _filter(runs: Sequence[RunSummary]) -> list[RunSummary]:
    choices = {name: sorted({_value(run, name) for run in runs} - {""}) for name in FILTERS}
    if len(runs) <= FEW:
        return list(runs)
    kept = list(runs)
    with st.popover("Filter", icon=":material/filter_list:"):
        for name, values in choices.items():
            allowed = st.multiselect(
                name.capitalize(), values, key=f"filter_{name}", persist_state="session", placeholder="All"
            )
            kept = [run for run in kept if not allowed or _value(run, name) in allowed]
    return kept


def _value(run: RunSummary, name: str) -> str:
    return "" if run.spec is None else str(getattr(run.spec, name))
