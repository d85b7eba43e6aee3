"""What is in a dataset, what it looks like on average, and what is wrong with it."""

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.data.audit import audit
from dashboard.data.averages import averages
from dashboard.data.doubts import doubts
from dashboard.data.form import choose_dataset
from dashboard.data.overview import overview
from dashboard.face_source import DRAWN
from dashboard.linked import LINKED, linked_notice

TITLE = "Dataset"
GROUP = "Data"
ORDER = 1
URL = "data"

VIEWS = ["Overview", "Averages", "Audit", "Label errors"]


ui.page_header(TITLE, "What is in a dataset, what does it look like on average, and what is wrong with it?")
dataset = choose_dataset()
if dataset == DRAWN:
    st.caption("These faces are drawn: good for trying, not a result.")
linked_notice("view", VIEWS)
tabs = st.tabs(VIEWS, key="view", on_change="rerun", bind=LINKED)
with ui.errors_shown():
    about = cache.about(dataset)
    for tab, draw in zip(tabs, (overview, averages, audit, lambda about: doubts(about, cache.runs())), strict=True):
        if tab.open:
            with tab, ui.errors_shown():
                draw(about)
