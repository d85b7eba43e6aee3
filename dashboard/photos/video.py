"""The Video part of the Photos page: a file in; chart, table and annotated video out."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.formats import duration, plain, plural, sentence
from dashboard.linked import LINKED, choice, segments
from dashboard.photos import charts, tables, tracks
from dashboard.photos.faces import Finder
from dashboard.photos.film import Film, Reader
from dashboard.photos.form import UPLOAD
from dashboard.summaries import RunSummary
from dashboard.tables import to_csv
from fer_core.labels import EMOTIONS

SAMPLE = "Sample video"
VIDEO_TYPES = ("mp4", "m4v", "mov", "avi", "mkv", "webm")
VIDEO_MB = 400
EVERY = {"Every frame": 1, "Every 2nd frame": 2, "Every 5th frame": 5, "Every 15th frame": 15}
REFRESH_S = 0.7
SHOWN_ROWS = 5000  # in the table on the page; the files hold all
FILM = "film"
PRIVACY = (
    "A video is kept in memory. Its reader needs a file: a temporary one, which is removed as soon as it is open; "
    "the annotated video's is removed when the reading ends or is cancelled. Nothing goes anywhere else."
)


def video(run: RunSummary, name: str, finder: Finder, unsure_below: float) -> None:
    """The file, what is done with it, and what was read in it; `run` is the one that reads it."""
    given = _choose_video()
    st.caption(PRIVACY)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        every = EVERY[choice("Look at", "every", list(EVERY), width=180)]
        annotate = st.toggle("Make an annotated video", value=True, key="annotate", bind=LINKED)
    film: Film | None = st.session_state.get(FILM)
    is_live = film is not None and film.is_live
    if st.button("Read the video", icon=":material/play_arrow:", type="primary", disabled=given is None or is_live):
        assert given is not None
        film = Film(given[0])
        reader = Reader(cache.predictor_of(run), cache.detector(finder), every, annotate)
        film.start(given[1], reader)
        st.session_state[FILM] = film
        st.session_state["film_settings"] = {
            "run": run.id,
            "run_name": name,
            "detector": finder.detector,
            "alignment": "level" if finder.is_level else "upright",
            "every": every,
        }
    if film is None:
        return
    if film.is_live:
        _progress(film)
    else:
        _result(film, st.session_state["film_settings"], unsure_below)


def _choose_video() -> tuple[str, bytes] | None:
    """A video's name and bytes; None where none is chosen yet."""
    if segments("Video from", "video_from", [UPLOAD, SAMPLE], label_visibility="collapsed") == SAMPLE:
        return "sample.webm", cache.sample_video()
    upload = st.file_uploader("Video", type=list(VIDEO_TYPES), key="video_upload", max_upload_size=VIDEO_MB)
    return None if upload is None else (upload.name, upload.getvalue())


@st.fragment(run_every=REFRESH_S)
def _progress(film: Film) -> None:
    """How far the reading is, until it ends: then the page shows the result."""
    film.look()
    if not film.is_live:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(film.share, _progress_text(film))
        if st.button("Cancel", icon=":material/close:"):
            film.cancel()


def _progress_text(film: Film) -> str:
    if film.state == "waiting" or not film.looked_at:
        return f"Opening {plain(film.name)}"
    parts = [
        f"Frame {film.frame:,}" + (f" of {film.frames:,}" if film.frames else ""),
        f"{film.frame / max(film.seconds, 1e-6):.0f} frames/s",
        f"{duration(film.seconds)} elapsed",
        f"{duration(film.remaining_s)} left" if film.remaining_s is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def _result(film: Film, settings: Mapping[str, Any], unsure_below: float) -> None:
    if film.state == "failed":
        st.error(plain(sentence(film.reason)), icon=":material/error:")
        return
    if film.state == "cancelled":
        where = f"at frame {film.frame:,}" + (f" of {film.frames:,}" if film.frames else "")
        why = f", as {film.reason}" if film.reason else ""
        st.info(f"Cancelled {where}{why}; what was read until then is below.", icon=":material/stop_circle:")
    if not film.rows:
        st.info(f"No face was found in {plural(film.looked_at, 'frame')}. Another detector may find some.")
        return
    table = tracks.frame_table(film.rows, unsure_below)
    emotions = [name for name in EMOTIONS if name in table]
    left, right = st.columns([5, 4], gap="medium")
    with left:
        _chart(film, table, emotions, settings)
    with right:
        if film.annotated:
            ui.figure_title("Annotated video")
            st.video(film.annotated, format="video/webm", alt=f"{film.name} with its faces framed")
    shown = table.head(SHOWN_ROWS)
    st.dataframe(shown, hide_index=True, column_config=tables.face_columns(shown), alt="Faces of each frame")
    if len(shown) < len(table):
        st.caption(f"The first {len(shown):,} of {len(table):,} rows; the files hold all.")
    _downloads(film, table, settings)


def _chart(film: Film, table: pd.DataFrame, emotions: list[str], settings: Mapping[str, Any]) -> None:
    faces = tracks.faces_by_time(table)
    title = f"{plural(len(faces), 'face')} in {plural(film.looked_at, 'frame')}"
    note = f"{plain(film.name)}, read by {plain(settings['run_name'])} in {duration(film.seconds)}. "
    ui.figure_title(title, f"{note}A face keeps its number as long as its boxes overlap.")
    face = faces[0]
    if len(faces) > 1:
        face = st.selectbox("Face, seen longest first", faces, format_func=lambda number: _face_name(table, number))
    st.altair_chart(
        charts.timeline(tracks.binned(table, face, emotions)), alt=f"Probabilities of face {face} over time"
    )


def _face_name(table: pd.DataFrame, number: int) -> str:
    own = table[table["face"] == number]
    return f"{number} · {plural(len(own), 'frame')}, mostly {own['emotion'].mode().iloc[0]}"


def _downloads(film: Film, table: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    stem = PurePath(film.name).stem
    files: list[tuple[str, Any, str, str]] = [
        ("Download CSV", to_csv(table), f"{stem}.csv", "text/csv"),
        ("Download JSON", film.to_json(settings), f"{stem}.json", "application/json"),
    ]
    if film.annotated:
        files.append(("Download video", film.annotated, f"{stem}_annotated.webm", "video/webm"))
    with st.container(horizontal=True, gap="small"):
        for label, data, name, mime in files:
            st.download_button(
                label, data, name, mime, key=f"video_{label}", icon=":material/download:", type="tertiary",
                on_click="ignore",
            )  # fmt: skip
