"""The buttons that act on a run, wherever they stand; each action asks for permission itself."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import streamlit as st

from dashboard import actions, cache
from dashboard import components as ui
from dashboard.formats import plain, plural, sentence
from dashboard.labels import network_name
from dashboard.permissions import Permission
from dashboard.queue_state import STOPPED, Item, how
from dashboard.summaries import RunSummary
from fer_core.errors import FerError
from fer_core.jobs.queue import DIRECTIONS, Direction
from fer_core.runs.notes import LONGEST_NOTE

MOVES: dict[Direction, tuple[str, str]] = {
    "first": ("vertical_align_top", "Make it the next"),
    "up": ("arrow_upward", "One place up"),
    "down": ("arrow_downward", "One place down"),
    "last": ("vertical_align_bottom", "Make it the last"),
}
AGAIN = {"failed": "Retry", "queued": "Queue"}  # else: Resume


def act(action: Callable[..., object], *arguments: Any, told: str = "") -> NoReturn:
    """Carry out what a pressed button asks for and draw the page anew; a notice says why where that cannot be.

    Called where the button stands, not by `on_click`: a browser sends a press with whatever request comes first,
    that of a fragment's timer too, so that a callback runs twice now and then.
    """
    try:
        action(*arguments)
    except (FerError, OSError) as error:
        ui.tell(plain(sentence(str(error))), ":material/error:")
    else:
        if told:
            ui.tell(told)
    cache.look_again()
    st.rerun()


def refusal(permission: Permission) -> None:
    """Why the buttons below cannot be pressed, once, and the way to change that."""
    if permission.is_allowed:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/lock: {permission.reason}", width="content")
        if permission.can_log_in:
            st.button("Log in", icon=":material/login:", on_click=st.login)


def cancel_button(run: RunSummary, may: Permission, *, is_asked: bool = False) -> None:
    """A button that takes a run out of the queue, or stops its training, unless it `is_asked` to stop already."""
    stops = run.state == "running"
    pressed = st.button(
        "Stopping …" if is_asked else "Cancel",
        key=f"cancel_{run.id}",
        icon=":material/stop_circle:" if stops else ":material/close:",
        type="tertiary",
        disabled=is_asked or not may.is_allowed,
        help="Stops with the next batch and keeps what it has learnt." if stops else "Takes it out of the queue.",
    )
    if pressed and not is_asked:
        act(actions.cancel, run)


def again_button(run: RunSummary, may: Permission) -> None:
    """A button that queues a run again: it goes on from its checkpoint."""
    if st.button(
        AGAIN.get(run.state, "Resume"),
        key=f"again_{run.id}",
        icon=":material/replay:" if run.state == "failed" else ":material/play_arrow:",
        disabled=not may.is_allowed,
        help=f"Goes on after epoch {run.status.epoch}." if run.status.epoch else "Trains it from the start.",
    ):
        act(actions.resume, run, told=f"**{plain(network_name(run))}** is in the queue.")


def move_buttons(run: RunSummary, place: int, places: int, may: Permission) -> None:
    """Buttons that change the place of a waiting run."""
    for direction in DIRECTIONS:
        icon, meaning = MOVES[direction]
        at_end = place == 1 if direction in ("first", "up") else place == places
        if st.button(
            "",
            key=f"{direction}_{run.id}",
            icon=f":material/{icon}:",
            type="tertiary",
            help=meaning,
            disabled=at_end or not may.is_allowed,
        ):
            act(actions.move, run, direction)


def worker_button(may: Permission, *, is_urgent: bool) -> None:
    """A button that starts a worker; it stands out where runs wait for one."""
    if st.button(
        "Start a worker",
        key="start_worker",
        icon=":material/play_arrow:",
        type="primary" if is_urgent else "secondary",
        disabled=not may.is_allowed,
    ):
        with st.spinner("Starting a worker …"):
            act(actions.start_worker, told="A worker is at work.")


def run_link(run: RunSummary, key: str) -> None:
    """The name of a run, which leads to its page."""
    if st.button(f"**{plain(network_name(run))}**", key=f"{key}_{run.id}", type="tertiary", help="Open this run."):
        ui.open_run(run.id)


def of_run(run: RunSummary, item: Item | None, may: Permission) -> None:
    """What can be done with one run now; `item` is its place in the queue, where it has one."""
    refusal(may)
    with st.container(horizontal=True, gap="small"):
        if item is not None:
            cancel_button(run, may, is_asked=item.stop is not None)
        elif run.state in STOPPED:
            again_button(run, may)
        notes_button([run], may)
        if run.state == "finished" or run.notes.archived:
            archive_button([run], may)
        if run.state != "running" and st.button(
            "Delete",
            key=f"delete_{run.id}",
            icon=":material/delete:",
            type="tertiary",
            disabled=not may.is_allowed,
            help="Moves it to the trash folder, after a question.",
        ):
            confirm_deletion(run)


def notes_button(runs: Sequence[RunSummary], may: Permission) -> None:
    """A button that opens the fields for tags and notes of one or several runs."""
    if st.button("Tags and note", key="notes", icon=":material/sell:", type="tertiary", disabled=not may.is_allowed):
        annotate(runs)


def archive_button(runs: Sequence[RunSummary], may: Permission) -> None:
    """A button that archives runs, or takes them out of the archive where all of them are in it."""
    is_archived = all(run.notes.archived for run in runs)
    if st.button(
        "Take out of the archive" if is_archived else "Archive",
        icon=":material/unarchive:" if is_archived else ":material/archive:",
        type="tertiary",
        disabled=not may.is_allowed,
        help="Into the rankings again." if is_archived else "Out of the rankings; its page stays as it is.",
    ):
        told = f"{plural(len(runs), 'run')} {'taken out of' if is_archived else 'moved to'} the archive."
        act(_annotated, runs, {"archived": not is_archived}, told=told)


@st.dialog("Tags and note")
def annotate(runs: Sequence[RunSummary]) -> None:
    """Fields for the tags of all chosen runs, and for the note of one; tags of any run are offered."""
    st.caption(plain(network_name(runs[0])) if len(runs) == 1 else f"For all {len(runs)} chosen runs.")
    common = [tag for tag in runs[0].notes.tags if all(tag in run.notes.tags for run in runs)]
    known = sorted({tag for run in (*runs, *cache.runs()) for tag in run.notes.tags})
    tags = st.multiselect("Tags", known, common, accept_new_options=True, placeholder="Type a tag")
    note = ""
    if len(runs) == 1:
        note = st.text_area("Note", runs[0].notes.note, max_chars=LONGEST_NOTE)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Save", type="primary", key="save_notes"):
            act(_write, runs, tags, common, note, told="Saved.")


def _write(runs: Sequence[RunSummary], tags: Sequence[str], common: Sequence[str], note: str) -> None:
    """A tag that only some of the runs have stays theirs; one that all had and that was taken away leaves all."""
    for run in runs:
        own = [tag for tag in run.notes.tags if tag not in common]
        _annotated([run], {"tags": [*tags, *own]} | ({"note": note} if len(runs) == 1 else {}))


def _annotated(runs: Sequence[RunSummary], changes: dict[str, object]) -> None:
    actions.annotate(runs, **changes)


@st.dialog("Move this run to the trash?")
def confirm_deletion(run: RunSummary) -> None:
    """Ask before a run is deleted."""
    st.markdown(f"**{plain(network_name(run))}**  \n{how(run)}")
    st.caption("It leaves every page. Its folder moves to `.trash` in the folder of the runs; nothing is erased.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it"):
            st.rerun()
        if st.button("Move to the trash", key="delete_confirmed", type="primary"):
            act(_delete, run, told=f"**{plain(network_name(run))}** is in the trash.")


def _delete(run: RunSummary) -> None:
    actions.delete(run)
    st.session_state.pop("run", None)
    st.query_params.pop("run", None)
