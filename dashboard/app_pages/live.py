"""Faces on the live camera, read in the browser by one network or two."""

from hashlib import sha256

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.formats import plain, plural, sentence
from dashboard.labels import labels
from dashboard.linked import LINKED, linked_notice
from dashboard.live import assets, component, exports
from dashboard.photos import view
from dashboard.photos.faces import LETTERS, Finder, Photo
from dashboard.photos.form import NO_FEELING
from dashboard.photos.reading import look_at
from dashboard.picker import able_runs, obstacles, run_picker
from dashboard.summaries import RunSummary, find

TITLE = "Live camera"
GROUP = "Try"
ORDER = 2
URL = "live"

LIVE, SERVER, SNAPSHOT = WAYS = ("Live", "Live on the server", "Snapshot")
UNSURE_BELOW = 0.5  # no emotion has the majority
PRIVACY = {
    LIVE: "Frames never leave the browser: the networks run in it.",
    SERVER: "Frames go to the computer that runs this dashboard, are read in its memory, and are not kept.",
    SNAPSHOT: "A snapshot goes to the computer that runs this dashboard, stays in its memory, and goes nowhere else.",
}


def second_run(runs: list[RunSummary], first: RunSummary) -> RunSummary | None:
    others = [run for run in runs if run.id != first.id]
    wanted = st.query_params.get("second", "")
    found = find(others, wanted) if wanted else None
    names = labels(runs)
    st.session_state["second_picker"] = found.id if found else None
    st.selectbox(
        "Second run, on the same face",
        [run.id for run in others],
        None,
        names.__getitem__,
        key="second_picker",
        on_change=remember_second,
        placeholder="None",
        disabled=not others,
    )
    if wanted and found is None:
        st.caption("The second run of the link is the first one, or cannot be chosen here.")
    return found


def remember_second() -> None:
    chosen = st.session_state["second_picker"]
    if chosen:
        st.query_params["second"] = chosen
    else:
        st.query_params.pop("second", None)


def draw_live(runs: list[RunSummary]) -> None:
    new = [run for run in runs if not exports.is_exported(run)]
    if new:
        with st.spinner(f"Preparing {plural(len(new), 'network')} for the browser: once, for up to a minute"):
            for run in new:
                exports.exported(run)
    component.live_camera(runs, "browser", read_on_server)


def choose_way(*, in_browser: bool) -> str:
    """Where frames are read. Where no browser can, the server is what is seen as chosen, until one can again."""
    linked_notice("read", WAYS)
    state, offered = st.session_state, WAYS if in_browser else WAYS[1:]
    if in_browser and state.pop("browser_wanted", False) and state.get("read") == SERVER:
        state["read"] = LIVE
    if not in_browser and (state.get("read") or st.query_params.get("read", LIVE)) == LIVE:
        state["browser_wanted"] = True
        state["read"] = SERVER
    default = None if "read" in state else offered[0]
    chosen = st.segmented_control(
        "Read", offered, default=default, required=True, key="read", bind=LINKED, label_visibility="collapsed"
    )
    return chosen or offered[0]


def read_on_server() -> None:
    st.session_state["read"] = SERVER


def draw_snapshot(runs: list[RunSummary], names: dict[str, str]) -> None:
    with st.container(width=480):
        shot = st.camera_input("Camera", key="live_snapshot", label_visibility="collapsed")
    if shot is None:
        return
    source = shot.getvalue()
    with ui.errors_shown():
        with st.spinner("Looking for faces, and reading them"):
            looked = look_at(Photo("Snapshot", sha256(source).hexdigest(), source), runs, Finder("haar"))
        letters = dict(zip(names, LETTERS, strict=False))
        if len(runs) > 1:
            st.caption("  \n".join(f"**{letters[run]}** {name}" for run, name in names.items()))
        view.photo(looked, names, letters, UNSURE_BELOW)


ui.page_header(TITLE, "Which expression does a network read in a face, frame by frame?")
everything = cache.runs()
# an ensemble reads every face with all its networks: frame by frame, a single one comes first
runs = sorted(able_runs(everything, "faces"), key=lambda run: run.is_ensemble)
if not runs:
    st.stop()

with st.grid(2, min_column_width=320):
    with st.container():
        first = run_picker(runs, refused=obstacles(everything))
    second = second_run(runs, first)
chosen = [run for run in (first, second) if run]
every_name = labels(runs)
refused = [plain(reason) for run in chosen if (reason := exports.refusal(run, every_name[run.id]))]
reasons = refused if assets.is_installed() else [assets.MISSING]
mode = choose_way(in_browser=not reasons)
if mode == SERVER:
    for reason in reasons:
        st.warning(f"{sentence(reason)} So the server reads the frames here.", icon=":material/photo_camera:")
st.caption(f"{PRIVACY[mode]} {NO_FEELING}")
if mode == LIVE:
    draw_live(chosen)
elif mode == SERVER:
    component.live_camera(chosen, "server", read_on_server)
else:
    draw_snapshot(chosen, {run.id: every_name[run.id] for run in chosen})
