"""What a network is made of, what every layer sees, and which pixels speak for an emotion."""

import streamlit as st

from dashboard import cache, charts, tables
from dashboard import components as ui
from dashboard.cache import Reading
from dashboard.face_source import choose_face
from dashboard.formats import percent
from dashboard.linked import LINKED
from dashboard.network import descriptors, many, saliency, view
from dashboard.network.form import choose_subject
from dashboard.network.subject import Subject

TITLE = "Network"
GROUP = "Model"
ORDER = 2
URL = "network"

TABS = ("Feature maps", "Filters", "Walk", "Saliency", "Layers", "Descriptors", "Averages", "Embedding", "Side by side")


def read(subject: Subject, reading: Reading) -> None:
    """What the network gets, and what it says."""
    verdict = f"{reading.emotion} {percent(reading.probabilities[reading.emotion])}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(reading.face, width=112, alt="The face as the network gets it")
        with st.container(width="content"):
            ui.figure_title(
                verdict, "As the network gets it" + ("" if subject.is_trained else "; its weights are random")
            )
    bars = charts.emotion_bars(tables.probabilities(reading), "probability", row_height=22)
    st.altair_chart(bars, alt=f"Probabilities: {verdict}")


ui.page_header(TITLE, "What is a network made of, what does every layer see, and which pixels speak for an emotion?")
runs = cache.runs()
with st.spinner("Looking up the networks; the first time, this loads PyTorch"):
    cache.architectures()
chosen = None
with ui.errors_shown():
    chosen = choose_subject(runs)
if chosen is None:
    st.stop()
subject, run = chosen
face = choose_face()
if face is None:
    st.stop()
looked = None
with ui.errors_shown(), st.spinner(f"Building {subject.architecture}"):
    looked = cache.network_layers(subject), cache.reading(subject, face.image)
if looked is None:
    st.stop()
rows, reading = looked

left, right = st.columns([2, 5], gap="large")
with left:
    st.caption(face.name)
    read(subject, reading)
with right:
    view.overview(rows)
    layer = view.graph(subject, rows)

tabs = dict(zip(TABS, st.tabs(list(TABS), on_change="rerun", key="view", bind=LINKED), strict=True))
for name, tab in tabs.items():
    if not tab.open:
        continue
    with tab, ui.errors_shown():
        if name == "Feature maps":
            view.feature_maps(subject, face.image, layer)
        elif name == "Filters":
            view.filters(subject, rows, layer)
        elif name == "Walk":
            view.walk(subject, face.image, reading)
        elif name == "Saliency":
            saliency.saliency(subject, face.image, reading)
        elif name == "Layers":
            view.layers(subject, rows)
        elif name == "Descriptors":
            descriptors.descriptors(subject, reading)
        elif name == "Averages":
            many.averages(subject, run)
        elif name == "Embedding":
            many.embedding(subject, run)
        else:
            many.side_by_side(runs, run, face.image)
