"""What can be done with the rows that are chosen, and with what lies in the trash."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard import actions, permissions
from dashboard import components as ui
from dashboard.compare.selection import MOST
from dashboard.formats import plain, plural
from dashboard.labels import hash_of
from dashboard.leaderboard import form
from dashboard.permissions import Permission
from dashboard.queue_state import ago
from dashboard.run_buttons import act, archive_button, notes_button, refusal
from dashboard.summaries import RunSummary
from fer_core.paths import runs_dir
from fer_core.runs import RunStore, Trashed

COMPARE_PAGE = "app_pages/compare.py"
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
        notes_button(runs, may)
        archive_button(runs, may)
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
    few = len(runs) <= MOST
    if st.button(
        "Compare",
        icon=":material/compare_arrows:",
        type="tertiary",
        disabled=not few,
        help=None if few else f"At most {MOST} runs are compared.",
    ):
        st.switch_page(COMPARE_PAGE, query_params={"runs": ",".join(hash_of(run.id) for run in runs)})


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
