"""The faces in photos and videos, and what networks read in each."""

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.advice import FIRST_TRAINING
from dashboard.face_source import PRIVACY
from dashboard.linked import LINKED, linked_notice
from dashboard.photos import form, tables, video, view
from dashboard.photos.faces import Finder
from dashboard.photos.reading import look_at_all
from dashboard.summaries import RunSummary

TITLE = "Photos"
GROUP = "Try"
ORDER = 1
URL = "photos"

TABS = ["Photos", "Video"]


def read_photos(runs: list[RunSummary], names: dict[str, str], finder: Finder, unsure_below: float) -> None:
    photos, unopened = form.choose_photos()
    st.caption(f"{PRIVACY} {form.NO_FEELING}")
    if not photos and not unopened:
        return
    with st.spinner("Looking for faces, and reading them"):
        looked, refused = look_at_all(photos, runs, finder)
    refused = [*unopened, *refused]
    view.refusals(refused)
    if not looked:
        return
    view.take_turn()
    ui.figure_title(tables.summary(looked, refused, unsure_below))
    shown, letters = view.choose_photo(looked), form.letters_of(runs)
    view.photo(shown, names, letters, unsure_below)
    if any(photo.faces for photo in looked):
        view.table(looked, letters, unsure_below)
    settings = {
        "runs": names,
        "detector": finder.detector,
        "alignment": "level" if finder.is_level else "upright",
        "unsure_below": unsure_below,
    }
    view.downloads(looked, refused, names, settings)


ui.page_header(TITLE, "Which faces are in a photo or a video, and which expression does a network read in each?")
everything = cache.runs()
if not any(run.can_predict for run in everything):
    ui.empty_state("No network to try", "A finished run that has its weights reads photos. Train one:", FIRST_TRAINING)
    st.stop()

with st.spinner("Looking up the detectors; the first time, this loads PyTorch"):
    cache.detectors()
chosen = form.choose_runs(everything)
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    finder = form.choose_finder()
    unsure_below = form.choose_limit()
runs = form.usable(chosen)
if not runs:
    st.stop()
names = dict(form.names_of(runs, everything))
if len(runs) > 1:
    st.caption("  \n".join(f"**{form.letters_of(runs)[run]}** {name}" for run, name in names.items()))

linked_notice("view", TABS)
photos_tab, video_tab = st.tabs(TABS, key="view", on_change="rerun", bind=LINKED)
if photos_tab.open:
    with photos_tab, ui.errors_shown():
        read_photos(runs, names, finder, unsure_below)
if video_tab.open:
    with video_tab, ui.errors_shown():
        video.video(runs, names, finder, unsure_below)
