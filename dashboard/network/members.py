"""Which member of an ensemble is looked into: the ensemble itself has no layers of its own."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import components as ui
from dashboard.formats import percent
from dashboard.labels import hash_of
from dashboard.linked import LINKED, linked_notice
from dashboard.network.subject import Subject
from dashboard.summaries import RunSummary

HELP = "An ensemble has no layers of its own: one of its members is looked into, at first the heaviest."


def choose_member(ensemble: RunSummary, notices: DeltaGenerator) -> int:
    """The place in an ensemble of the member to look into: chosen here or by the link, else the heaviest.

    Raises FerError where the ensemble does not say what its members are.
    """
    _check(ensemble)
    names = member_names(ensemble.members)
    if st.session_state.get("member_of", ensemble.id) == ensemble.id:
        linked_notice("member", list(names), place=notices)
    elif "member" in st.session_state:  # that of another ensemble, which the link and the field still name
        st.session_state["member"] = next(iter(names))
    st.session_state["member_of"] = ensemble.id
    chosen = st.selectbox(
        "Member", list(names), key="member", bind=LINKED, on_change=_keep_run, args=(ensemble.id,), help=HELP
    )
    return names[chosen]


def _check(ensemble: RunSummary) -> None:
    # this imports torch, which the page has loaded by now
    from fer_core.architectures.ensemble import read_members

    read_members({"members": ensemble.members})


def _keep_run(ensemble: str) -> None:
    """Let the link name the ensemble too: the best run, which is shown without a name, may be another one later."""
    st.session_state["run"] = ensemble
    st.query_params["run"] = ensemble


def member_names(members: Sequence[dict[str, Any]]) -> dict[str, int]:
    """What the members of an ensemble are called -> their places in it, by falling weight; no two alike."""
    places = sorted(range(len(members)), key=lambda place: -members[place]["weight"])
    # a plain space: this stands in links
    texts = [
        f"{each['architecture']} · {each['preprocessing']} · weight {100 * each['weight']:.1f} %" for each in members
    ]
    return {
        texts[place]
        if texts.count(texts[place]) == 1
        else f"{texts[place]} · {hash_of(str(members[place]['run']))}": place
        for place in places
    }


def of_member(runs: Sequence[RunSummary], ensemble: RunSummary, place: int) -> tuple[Subject, RunSummary | None]:
    """The member of an ensemble at a place, and its own run; without that, as the ensemble's weights hold it."""
    name = ensemble.members[place]["run"]
    own = next((run for run in runs if run.id == name and run.can_predict), None)
    return (Subject.of_run(own), own) if own else (Subject.of_member(ensemble, place), None)


def member_title(ensemble: RunSummary, place: int, own: RunSummary | None) -> None:
    """Say that one member is shown, not the ensemble, and where its network comes from."""
    member = ensemble.members[place]
    source = (
        f"its run {own.id}"
        if own
        else f"its network in the ensemble's weights, because its run {member['run']} is not here with weights"
    )
    ui.figure_title(
        f"Member {member['architecture']} on {member['preprocessing']} faces, {percent(member['weight'])} of the "
        "ensemble",
        f"Shown is this member, not the ensemble of {len(ensemble.members)}: {source}.",
    )
