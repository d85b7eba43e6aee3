"""The Video part of the Photos page: a file in; chart, table and annotated video out."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.formats import duration, percent, plain, plural, sentence
from dashboard.linked import LINKED, choice, segments
from dashboard.photos import charts, record, tables
from dashboard.photos.faces import LETTERS, Finder
from dashboard.photos.film import MOST_ANNOTATED, Film, Reader
from dashboard.photos.form import NO_FEELING, UPLOAD
from dashboard.summaries import RunSummary

SAMPLE = "Sample video"
VIDEO_MB = 400
EVERY = {"Every frame": 1, "Every 2nd frame": 2, "Every 5th frame": 5, "Every 15th frame": 15}
REFRESH_S = 0.7
SHOWN_ROWS = 5000  # in the table on the page; the files hold all
MOST_FACES = 100  # to choose from: in a long video of a crowd, a face that comes back has another number
ALL_RUNS = "All runs"
FILM = "film"
PRIVACY = (
    "Videos stay in the memory of the computer that runs this dashboard, or in temporary files that it removes, and go "
    "nowhere."
)


def video(runs: Sequence[RunSummary], names: Mapping[str, str], finder: Finder, unsure_below: float) -> None:
    """The file, what is done with it, and what `runs` read in it."""
    given = _choose_video()
    st.caption(f"{PRIVACY} {NO_FEELING}")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        every = EVERY[choice("Look at", "every", list(EVERY), width=180)]
        annotate = st.toggle("Make an annotated video", value=True, key="annotate", bind=LINKED)
        shown = _choose_shown(len(runs)) if annotate and len(runs) > 1 else 0
    film: Film | None = st.session_state.get(FILM)
    is_live = film is not None and film.is_live
    if st.button("Read the video", icon=":material/play_arrow:", type="primary", disabled=given is None or is_live):
        assert given is not None
        film = Film(given[0])
        predictors = [cache.predictor_of(run) for run in runs]
        film.start(given[1], Reader(predictors, cache.detector(finder), every, annotate, shown))
        st.session_state[FILM] = film
        st.session_state["film_settings"] = {
            "runs": dict(names),
            "annotated_by": runs[shown].id if annotate else None,
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


def _choose_shown(count: int) -> int:
    """The place of the run that names the faces in the annotated video."""
    letters = list(LETTERS[:count])
    return letters.index(segments("Faces named by", "annotated_by", letters))


def _choose_video() -> tuple[str, bytes] | None:
    """A video's name and bytes; None where none is chosen yet."""
    if segments("Video from", "video_from", [UPLOAD, SAMPLE], label_visibility="collapsed") == SAMPLE:
        return "sample.webm", cache.sample_video()
    upload = st.file_uploader("Video", type=cache.video_types(), key="video_upload", max_upload_size=VIDEO_MB)
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
        f"Frame {film.frame:,}",
        _reached(film),
        f"{film.frame / max(film.seconds, 1e-6):.0f} frames/s",
        f"{duration(film.seconds)} elapsed",
        f"{duration(film.remaining_s)} left" if film.remaining_s is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def _reached(film: Film) -> str:
    return duration(film.at_s) + (f" of {duration(film.length_s)}" if film.length_s else "")


def _result(film: Film, settings: Mapping[str, Any], unsure_below: float) -> None:
    if film.state == "failed":
        st.error(plain(sentence(film.reason)), icon=":material/error:")
        return
    if film.state == "cancelled":
        where = f"at frame {film.frame:,}, at {_reached(film)}"
        why = f", as {film.reason}" if film.reason else ""
        st.info(f"Cancelled {where}{why}; what was read until then is below.", icon=":material/stop_circle:")
    if not len(film.record):
        st.info(f"No face was found in {plural(film.looked_at, 'frame')}. Another detector may find some.")
        return
    left, right = st.columns([5, 4], gap="medium")
    with left:
        _charts(film, settings["runs"])
    with right:
        if film.annotated:
            by = f"Its faces are named by {plain(settings['runs'][settings['annotated_by']])}."
            ui.figure_title("Annotated video", by if len(settings["runs"]) > 1 else "")
            st.video(film.annotated, format="video/webm", alt=f"{film.name} with its faces framed")
            if film.annotated_s is not None:
                st.caption(
                    f"It ends after {duration(film.annotated_s)}: at most {MOST_ANNOTATED // 2**20} MB are made here. "
                    f"`python -m fer_core predict {settings['annotated_by']} VIDEO --annotate FOLDER` makes all of it."
                )
    _table(film, settings["runs"], unsure_below)
    _downloads(film, settings, unsure_below)


def _charts(film: Film, names: Mapping[str, str]) -> None:
    """What is read in one face over time: by all runs, or by one of them in a larger chart."""
    faces = record.faces_by_time(film.record)
    title = f"{plural(len(faces), 'face')} in {plural(film.looked_at, 'frame')}"
    by = "" if len(names) > 1 else f", read by {plain(next(iter(names.values())))}"
    note = f"{plain(film.name)}{by}, in {duration(film.seconds)}. A face keeps its number as long as its boxes overlap."
    runs = list(names)
    if len(runs) > 1:
        title += f" · runs agree on {percent(record.agreement(film.record), 0)} of the readings"
    ui.figure_title(title, note)
    face = next(iter(faces))
    if len(faces) > 1:
        usual = record.usual_emotions(film.record)
        said = {
            number: f"{number} · {plural(frames, 'frame')}, mostly {usual[number]}"
            for number, frames in list(faces.items())[:MOST_FACES]
        }
        face = st.selectbox("Face, seen longest first", list(said), format_func=said.__getitem__)
    if len(runs) > 1:
        shown = segments("Run", "chart_run", [ALL_RUNS, *LETTERS[: len(runs)]], label_visibility="collapsed")
        runs = runs if shown == ALL_RUNS else [runs[LETTERS.index(shown)]]
    for place, run in enumerate(runs):
        if len(names) > 1:
            st.caption(f"**{LETTERS[list(names).index(run)]}** {plain(names[run])}")
        rows = record.binned(film.record, face, run)
        seconds = (float(rows["seconds"].min()), float(rows["seconds"].max()))
        chart = charts.timeline(rows, seconds, place, len(runs))
        st.altair_chart(chart, key=f"timeline_{run}", alt=f"Probabilities of face {face} over time, by {names[run]}")


def _table(film: Film, names: Mapping[str, str], unsure_below: float) -> None:
    count = len(film.record) * len(names)
    called = dict(zip(names, LETTERS, strict=False))
    shown = record.table(film.record, called, unsure_below, slice(SHOWN_ROWS // len(names)))
    st.dataframe(shown, hide_index=True, column_config=tables.face_columns(shown), alt="Faces of each frame")
    if len(shown) < count:
        st.caption(f"The first {len(shown):,} of {count:,} rows; the files hold all.")


def _downloads(film: Film, settings: Mapping[str, Any], unsure_below: float) -> None:
    """The files are made when someone saves them: those of a long video are large."""
    stem, read, facts = PurePath(film.name).stem, film.record, dict(settings)
    with st.container(horizontal=True, gap="small"):
        ui.save_button("Download CSV", stem, "csv", lambda: record.to_csv(read, unsure_below))
        ui.save_button("Download JSON", stem, "json", lambda: film.to_json(facts))
        if film.annotated:
            ui.save_button("Download video", f"{stem}_annotated", "webm", film.annotated)
