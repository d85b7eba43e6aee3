"""What preprocessing does to a face, step by step, and to what a network reads in it."""

import streamlit as st

from dashboard import cache, preprocess_form, preprocess_prediction, preprocess_view
from dashboard import components as ui
from dashboard.face_source import DRAWN, Face, choose_face
from dashboard.preprocess_frames import RAW, Frame

TITLE = "Preprocessing"
GROUP = "Data"
ORDER = 2
URL = "preprocessing"


def of_each_emotion(face: Face, names: list[str], size: tuple[int, int], seed: int) -> None:
    dataset = face.dataset or cache.image_datasets()[0]
    kind = "drawn faces" if dataset == DRAWN else dataset
    st.caption(f"Number {face.number or 1} of each emotion in {kind}, through each pipeline.")
    preprocess_view.each_emotion(face, dataset, names, size, seed)


ui.page_header(TITLE, "What does preprocessing do to a face, and to what a network reads in it?")
runs = cache.runs()
with st.spinner("Looking up the steps; the first time, this loads PyTorch"):
    cache.steps()
face = choose_face()
with st.container(horizontal=True, vertical_alignment="bottom"):
    with st.container():
        pipelines = preprocess_form.choose_pipelines(runs)
    with st.container(width=170):
        size = preprocess_form.choose_size()
    with st.container(width=130):
        seed = preprocess_form.choose_seed(list(pipelines.values()))
if face is None:
    st.stop()

picture = cache.fitted(face.image, *size)
names = [RAW, *(name for name in pipelines if name != RAW)]
traces: dict[str, list[Frame]] = {name: cache.trace(picture, name, seed) for name in names}

st.subheader("Step by step", anchor=False)
st.caption(face.name)
built = preprocess_form.choose_built(list(pipelines))
preprocess_view.chain(pipelines[built].steps if built in pipelines else (), traces[built])

st.subheader("Side by side", anchor=False)
preprocess_view.side_by_side(traces)
preprocess_view.downloads(traces, "preprocessing")

st.subheader("What it does to the prediction", anchor=False)
with ui.errors_shown():
    preprocess_prediction.prediction(face, pipelines, runs)

st.subheader("One face of each emotion", anchor=False)
with ui.errors_shown():
    of_each_emotion(face, names, size, seed)
