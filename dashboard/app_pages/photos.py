"""The faces in a photo, and what a network reads in each."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import cache, charts, columns, tables
from dashboard import components as ui
from dashboard.advice import FIRST_TRAINING
from dashboard.formats import percent, plural
from dashboard.picker import run_picker
from dashboard.summaries import RunSummary

if TYPE_CHECKING:
    from fer_core.inference import Prediction

TITLE = "Photos"
GROUP = "Try"
ORDER = 1
URL = "photos"

SAMPLE_NAME = "Sample photo"
SHOWN_PHOTOS = 20  # with picture and cards; the table holds all
SHOWN_FACES = 12  # of one photo as cards; the table holds all
UNSURE = 0.5  # below this no emotion has the majority


def read_photo(run: RunSummary, name: str, source: bytes) -> "list[Prediction]":
    st.subheader(name, anchor=False)
    with st.spinner("Looking for faces, and reading them"):
        faces = cache.faces(run, source, "haar")
    if not faces:
        st.info("No face was found. Frontal faces of at least 40 pixels are found best.")
        if st.toggle("Read the whole picture as one face", key=f"whole_{name}"):
            faces = cache.faces(run, source, "whole")
    left, right = st.columns(2, gap="medium")
    left.image(cache.marked(source, faces), width="stretch", alt=f"{name}, {plural(len(faces), 'face')} marked")
    with right:
        for number, face in enumerate(faces[:SHOWN_FACES], start=1):
            draw_face(number, face)
        if len(faces) > SHOWN_FACES:
            st.caption(f"The other {len(faces) - SHOWN_FACES} faces are in the table below.")
    return faces


def draw_face(number: int, face: "Prediction") -> None:
    with st.container(border=True, horizontal=True):
        with st.container(width=120, gap="xsmall"):
            st.image(face.face, width=112, alt=f"Face {number} as the network sees it")
            st.caption("as the network sees it")
        with st.container():
            ui.figure_title(f"{number} · {face.emotion} {percent(face.confidence)}")
            if face.confidence < UNSURE:
                st.badge("unsure: no emotion has the majority", color="orange")
            chart = charts.emotion_bars(tables.probabilities(face), "probability")
            st.altair_chart(chart, alt=f"Probabilities of face {number}: {face.emotion} {percent(face.confidence)}")


ui.page_header(TITLE, "Which faces are in a photo, and which expression does a network read in each?")
everything = cache.runs()
runs = [run for run in everything if run.can_predict]
if not runs:
    ui.empty_state("No network to try", "A finished run that has its weights reads photos. Train one:", FIRST_TRAINING)
    st.stop()

run = run_picker(runs, refused={run.id: run.obstacle for run in everything if run.obstacle})
uploads = st.file_uploader(
    "Photos, or a zip of them",
    type=["jpg", "jpeg", "png", "webp", "avif", "gif", "bmp", "tif", "tiff", "zip"],
    accept_multiple_files=True,
    key="uploads",
    max_upload_size=50,
)
if st.button("Use the sample photo", icon=":material/face:", disabled=bool(uploads)):
    st.session_state["use_sample"] = True
st.caption(
    "Photos stay in the memory of the computer that runs this dashboard, and go nowhere. "
    "An expression is not a feeling: a network reads how a face looks, not what a person feels."
)

photos: dict[str, bytes] = {}
for position, upload in enumerate(uploads, start=1):
    with ui.errors_shown():
        is_zip = upload.name.lower().endswith(".zip")
        inside = cache.unpacked(upload.getvalue(), upload.name) if is_zip else {upload.name: upload.getvalue()}
        photos |= {f"{position}. {name}": source for name, source in inside.items()}
if len(photos) > SHOWN_PHOTOS:
    st.info(f"{len(photos)} photos: all are in the table below, the first {SHOWN_PHOTOS} are shown.")
if not photos and st.session_state.get("use_sample"):
    photos = {SAMPLE_NAME: cache.sample_photo()}
readings: dict[str, "list[Prediction]"] = {}
for place, (name, source) in enumerate(photos.items()):
    with ui.errors_shown():
        readings[name] = read_photo(run, name, source) if place < SHOWN_PHOTOS else cache.faces(run, source, "haar")

table = tables.predictions(readings)
if len(table):
    ui.figure_title(f"{plural(len(table), 'face')} in {plural(len(readings), 'photo')}")
    emotions = list(next(face for faces in readings.values() for face in faces).probabilities)
    st.dataframe(table, hide_index=True, column_config=columns.predictions(emotions), alt="All faces")
    ui.download(table, "faces")
