"""What preprocessing does to a face, step by step, and to what a network reads in it."""

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.face_source import choose_face
from dashboard.linked import LINKED, linked_notice
from dashboard.preprocess import form, view
from dashboard.preprocess import prediction as preprocess_prediction
from dashboard.preprocess.frames import RAW

TITLE = "Preprocessing"
GROUP = "Data"
ORDER = 2
URL = "preprocessing"

VIEWS = ["Side by side", "What it does to the prediction", "One face of each emotion"]


ui.page_header(TITLE, "What does preprocessing do to a face, and to what a network reads in it?")
runs = cache.runs()
with st.spinner("Looking up the steps; the first time, this loads PyTorch"):
    cache.steps()
face_place, notices = st.container(), st.container()
row = st.container(horizontal=True, vertical_alignment="bottom")
with row, st.container():
    pipelines = form.choose_pipelines(runs, notices)
with face_place:
    face = choose_face()
with row:
    with st.container(width=170):
        size = form.choose_size(notices)
    with st.container(width=130):
        seed = form.choose_seed(list(pipelines.values()), notices)
if face is None:
    st.stop()

picture = cache.fitted(face.image, *size)
names = [RAW, *(name for name in pipelines if name != RAW)]
traces = {name: cache.trace(picture, name, seed) for name in names}

st.subheader("Step by step", anchor=False)
st.caption(face.name)
built = form.choose_built(list(pipelines), notices)
view.chain(pipelines[built].steps if built in pipelines else (), traces[built])

linked_notice("view", VIEWS, place=notices)
together, prediction, emotions = st.tabs(VIEWS, key="view", on_change="rerun", bind=LINKED)
if together.open:
    with together:
        view.side_by_side(traces)
        view.downloads(traces, "preprocessing")
if prediction.open:
    with prediction, ui.errors_shown():
        preprocess_prediction.prediction(face, pipelines, runs)
if emotions.open:
    with emotions, ui.errors_shown():
        view.each_emotion(face, traces, size, seed)
