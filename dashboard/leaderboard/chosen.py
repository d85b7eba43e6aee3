"""What can be done with the rows that are chosen, and with what lies in the trash."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard import actions, permissions
from dashboard import components as ui
from dashboard.formats import plain, plural
from dashboard.leaderboard import form
from dashboard.permissions import Permission
from dashboard.queue_state import ago, what
from dashboard.run_buttons import act, refusal
from dashboard.summaries import RunSummary
from fer_core.paths import runs_dir
from fer_core.runs import RunStore, Trashed
from fer_core.runs.notes import LONGEST_NOTE

COMPARE_PAGE = "app_pages/compare.py"
MOST_COMPARED = 8
MOST_TRASHED = 20  # shown; the command line lists all


def bar(runs: Sequence[RunSummary], baseline: RunSummary | None) -> None:
    """Buttons for the chosen rows; what changes a run asks for permission itself."""
    if not runs:
        st.caption("Choose rows at their left to compare, pin, tag, archive or delete them.")
        return
    may = permissions.permission()
    refusal(may)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plural(len(runs), 'run')} chosen**", width="content")
        if len(runs) == 1:
            _single(runs[0], baseline)
        else:
            _compare(runs)
        if st.button("Tags and note", icon=":material/sell:", type="tertiary", disabled=not may.is_allowed):
            annotate(runs)
        _archive(runs, may)
        if st.button("Delete", icon=":material/delete:", type="tertiary", disabled=not may.is_allowed):
            act(_delete, runs, told=f"{plural(len(runs), 'run')} moved to the trash; undo it below the table.")


def _single(run: RunSummary, baseline: RunSummary | None) -> None:
    if st.button("Open", icon=":material/open_in_full:", type="tertiary"):
        ui.open_run(run.id)
    is_pinned = baseline is not None and baseline.id == run.id
    if st.button("Unpin" if is_pinned else "Pin as baseline", icon=":material/keep:", type="tertiary"):
        form.pin("" if is_pinned else run.id)
        st.rerun()


def _compare(runs: Sequence[RunSummary]) -> None:
    few = len(runs) <= MOST_COMPARED
    if st.button(
        "Compare",
        icon=":material/compare_arrows:",
        type="tertiary",
        disabled=not few,
        help=None if few else f"At most {MOST_COMPARED} runs are compared.",
    ):
        names = ",".join(run.id.rsplit("__", 1)[-1] for run in runs)
        st.switch_page(COMPARE_PAGE, query_params={"runs": names})


def _archive(runs: Sequence[RunSummary], may: Permission) -> None:
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
    """Fields for the tags of all chosen runs, and for the note of one."""
    st.caption(plain(what(runs[0])) if len(runs) == 1 else f"For all {len(runs)} chosen runs.")
    common = [tag for tag in runs[0].notes.tags if all(tag in run.notes.tags for run in runs)]
    known = sorted({tag for run in runs for tag in run.notes.tags})
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


def _delete(runs: Sequence[RunSummary]) -> None:
    for run in runs:
        actions.delete(run)


def trash() -> None:
    """The runs that were deleted lately, each with the button that brings it back."""
    deleted = RunStore(runs_dir()).trash()
    if not deleted:
        return
    may = permissions.permission()
    with st.expander(f"Trash: {plural(len(deleted), 'run')}"):
        st.caption("Deleted runs lie in `.trash` in the folder of the runs; nothing is erased.")
        for each in deleted[:MOST_TRASHED]:
            _trashed(each, may)
        if len(deleted) > MOST_TRASHED:
            st.caption(f"{len(deleted) - MOST_TRASHED:,} earlier ones: `python -m fer_core runs trash` lists them.")


def _trashed(each: Trashed, may: Permission) -> None:
    moment = datetime.fromtimestamp(each.deleted_ns / 1e9, UTC).isoformat()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            "Restore",
            key=f"restore_{each.path.name}",
            icon=":material/undo:",
            type="tertiary",
            disabled=not may.is_allowed,
        ):
            act(actions.restore, each, told=f"**{plain(each.id)}** is back.")
        st.caption(f"{plain(each.id)} · deleted {ago(moment)}", width="content")
