"""Faces on the live camera, read in the browser by one network or two."""

import streamlit as st

from dashboard import cache, charts, live, tables
from dashboard import components as ui
from dashboard.advice import FIRST_TRAINING
from dashboard.formats import percent, plural, sentence
from dashboard.labels import labels
from dashboard.picker import run_picker
from dashboard.summaries import RunSummary, find

TITLE = "Live camera"
GROUP = "Try"
ORDER = 2
URL = "live"

LIVE, SNAPSHOT = "Live", "Snapshot"
PRIVACY = {
    LIVE: "Frames never leave the browser: the networks run in it.",
    SNAPSHOT: "A snapshot goes to the computer that runs this dashboard, stays in its memory, and goes nowhere else.",
}
NO_FEELING = "An expression is not a feeling: a network reads how a face looks, not what a person feels."


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
    new = [run for run in runs if not live.export_path(run).exists()]
    if new:
        with st.spinner(f"Preparing {plural(len(new), 'network')} for the browser: once, for up to a minute"):
            for run in new:
                live.exported(run)
    live.live_camera(runs)


def draw_snapshot(runs: list[RunSummary]) -> None:
    with st.container(width=480):
        shot = st.camera_input("Camera", key="live_snapshot", label_visibility="collapsed")
    if shot is None:
        return
    names = labels(runs)
    for run in runs:
        with ui.errors_shown():
            draw_reading(run, names[run.id], shot.getvalue())


def draw_reading(run: RunSummary, name: str, shot: bytes) -> None:
    with st.spinner("Looking for faces, and reading them"):
        faces = cache.faces(run, shot, "haar")
    if not faces:
        st.info("No face was found. Look straight at the camera, in good light, and take another one.")
        return
    st.subheader(name, anchor=False)
    left, right = st.columns(2, gap="medium")
    left.image(cache.marked(shot, faces), width="stretch", alt=f"{plural(len(faces), 'face')} read by {name}")
    with right:
        for number, face in enumerate(faces, start=1):
            ui.figure_title(f"{number} · {face.emotion} {percent(face.confidence)}")
            chart = charts.emotion_bars(tables.probabilities(face), "probability")
            st.altair_chart(chart, alt=f"Probabilities of face {number} by {name}")


ui.page_header(TITLE, "Which expression does a network read in a face, frame by frame?")
everything = cache.runs()
runs = [run for run in everything if run.can_predict]
if not runs:
    ui.empty_state("No network to try", "A finished run that has its weights reads faces. Train one:", FIRST_TRAINING)
    st.stop()

with st.grid(2, min_column_width=320):
    with st.container():
        first = run_picker(runs, refused={run.id: run.obstacle for run in everything if run.obstacle})
    second = second_run(runs, first)
chosen = [run for run in (first, second) if run]
mode = st.segmented_control(
    "Read", [LIVE, SNAPSHOT], default=LIVE, required=True, key="read", bind="query-params",
    label_visibility="collapsed",
)  # fmt: skip

refusals = [reason for run in chosen if (reason := live.refusal(run))]
obstacles = refusals if live.is_installed() else [live.MISSING]
if mode == LIVE:
    for obstacle in obstacles:
        st.warning(sentence(obstacle), icon=":material/photo_camera:")
    if obstacles:
        st.caption("A snapshot works with every run:")
shown = LIVE if mode == LIVE and not obstacles else SNAPSHOT
st.caption(f"{PRIVACY[shown]} {NO_FEELING}")
if shown == LIVE:
    draw_live(chosen)
else:
    draw_snapshot(chosen)
