"""What is shown of the photos: one of them with its faces, the table of all, and the files to save."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.formats import percent, plain, sentence
from dashboard.linked import segments
from dashboard.photos import charts, tables
from dashboard.photos.editor import box_editor, draw_boxes
from dashboard.photos.faces import Box, Face, Looked, Refused
from dashboard.tables import to_csv

FEW_FACES = 2  # that are as high as a photo
SHOWN_FACES = 12  # of one photo as cards; the table holds all
SHOWN_REFUSED = 6
CROP = 104  # pixels of a crop on the page
NO_PICTURE = " is not a picture; choose "  # what the reader of pictures says, before the kinds that it reads
PAGE = "photo_page"


def refusals(refused: Sequence[Refused]) -> None:
    """A sentence for each file that is no photo."""
    told = [f"- {_told(each)}" for each in refused]
    if len(told) == 1:
        st.error(_told(refused[0]), icon=":material/error:")
    elif told:
        st.error("\n".join([f"{len(told)} files could not be read:", *told[:SHOWN_REFUSED]]), icon=":material/error:")
    if len(told) > SHOWN_REFUSED:
        with st.expander(f"{len(told) - SHOWN_REFUSED} more"):
            st.markdown("\n".join(told[SHOWN_REFUSED:]))


def _told(refused: Refused) -> str:
    """One sentence, which names the file once; where it is no picture, it says that a zip is read as well."""
    name = PurePath(refused.name).name
    reason = refused.reason + (", or a zip of them" if NO_PICTURE in refused.reason else "")
    for subject in (f"'{name}' ", "the file "):
        if reason.startswith(subject):
            return f"**{plain(refused.name)}** {plain(reason.removeprefix(subject))}."
    return f"**{plain(refused.name)}**: {plain(sentence(reason))}"


def choose_photo(looked: Sequence[Looked]) -> Looked:
    """The photo that is shown large: of several, the one turned to here or in the table."""
    if len(looked) == 1:
        return looked[0]
    if st.session_state.get(PAGE, 1) > len(looked):
        st.session_state[PAGE] = 1
    number = st.pagination(len(looked), key=PAGE, max_visible_pages=9)
    return looked[number - 1]


def photo(looked: Looked, names: Mapping[str, str], letters: Mapping[str, str], unsure_below: float) -> None:
    """A photo whose boxes can be corrected, and its faces: a few beside it, more of them below."""
    is_few = len(looked.faces) <= FEW_FACES
    left, right = st.columns([5, 4], gap="medium") if is_few else (st.container(), st.grid(3, min_column_width=320))
    with left:
        ui.figure_title(plain(looked.name), " ".join(looked.notes))
        box_editor(looked, next(iter(names)), unsure_below)
    with right:
        if not looked.faces:
            _no_face(looked)
        for face in looked.faces[:SHOWN_FACES]:
            _face(face, names, letters, unsure_below)
    if len(looked.faces) > SHOWN_FACES:
        st.caption(f"The other {len(looked.faces) - SHOWN_FACES} faces are in the table below.")


def _no_face(looked: Looked) -> None:
    st.info("No face was found. Frame one in the picture by dragging over it, or choose another detector.")
    st.button(
        "Read the whole picture as one face",
        icon=":material/crop_free:",
        on_click=draw_boxes,
        args=(looked.photo.key, (Box(0, 0, looked.width, looked.height),)),
    )


def _face(face: Face, names: Mapping[str, str], letters: Mapping[str, str], unsure_below: float) -> None:
    first = next(iter(face.readings.values()))
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{face.number} · {first.emotion} {percent(first.confidence)}**", width="content")
            if face.is_unsure(unsure_below):
                st.badge("unsure", color="orange", icon=":material/help:")
            if not face.agrees:
                st.badge("runs disagree", color="blue", icon=":material/call_split:")
        if len(face.readings) == 1:
            crop, chart = st.columns([2, 5], gap="small", vertical_alignment="center")
        else:
            crop = chart = st.container()
        with crop:
            _crops(face, letters, unsure_below)
        rows = tables.shares(face, letters)
        emotions = tuple(dict.fromkeys(row["emotion"] for row in rows))
        spec = json.loads(charts.side_by_side(emotions, tuple(letters[run] for run in face.readings)))
        said = "; ".join(
            f"{names[run]}: {each.emotion} {percent(each.confidence)}" for run, each in face.readings.items()
        )
        chart.vega_lite_chart(
            spec=spec | {"datasets": {charts.ROWS: rows}}, alt=f"Probabilities of face {face.number} by {said}"
        )


def _crops(face: Face, letters: Mapping[str, str], unsure_below: float) -> None:
    several = len(face.readings) > 1
    with st.container(horizontal=True, gap="small"):
        for run, reading in face.readings.items():
            doubt = "?" if reading.confidence < unsure_below else ""
            caption = f"{letters[run]} · {reading.emotion}{doubt}" if several else "network input"
            alt = f"Face {face.number} as network {letters[run]} sees it"
            st.image(reading.face, caption=caption, width=84 if several else CROP, alt=alt)


def table(looked: Sequence[Looked], names: Mapping[str, str], unsure_below: float) -> None:
    """All faces of all photos in a table; a click shows the photo."""
    kinds = [tables.ALL, tables.UNSURE, *([tables.DISAGREED] if len(names) > 1 else [])]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = segments("Faces in the table", "faces_shown", kinds, label_visibility="collapsed")
    rows = tables.face_rows(looked, names, unsure_below, shown)
    if rows.empty:
        st.caption("No face is of this kind.")
        return
    event = st.dataframe(
        rows,
        key=f"faces_table_{shown}",
        hide_index=True,
        column_config=tables.face_columns(rows),
        on_select="rerun",
        selection_mode="single-row",
        alt="All faces",
    )
    picked = event["selection"]["rows"]
    if picked and len(looked) > 1:
        _turn_to(int(rows["place"].iloc[picked[0]]) + 1, (shown, picked[0]))


def _turn_to(number: int, picked: tuple[str, int]) -> None:
    """Show another photo, once for each click: afterwards, the pages can be turned as well."""
    if st.session_state.get("picked_row") != picked:
        st.session_state["picked_row"] = picked
        st.session_state["turn_to"] = number
        st.rerun()


def take_turn() -> None:
    """Turn to the photo that was clicked in the table; must stand before the pages."""
    if "turn_to" in st.session_state:
        st.session_state[PAGE] = st.session_state.pop("turn_to")


def downloads(
    looked: Sequence[Looked], refused: Sequence[Refused], names: Mapping[str, str], settings: Mapping[str, Any]
) -> None:
    """Buttons that save the table, the numbers, and the pictures with their faces framed."""
    unsure_below = float(settings["unsure_below"])
    rows = tables.face_rows(looked, {run: run for run in names}, unsure_below).drop(columns="place")
    first = next(iter(names))
    kind: ui.FileKind
    label, kind = ("Download pictures", "zip") if len(looked) > 1 else ("Download picture", "jpg")
    with st.container(horizontal=True, gap="small"):
        ui.save_button("Download CSV", "faces", "csv", to_csv(rows))
        ui.save_button("Download JSON", "faces", "json", tables.to_json(looked, refused, settings))
        ui.save_button(label, "faces", kind, lambda: _pictures(looked, first, unsure_below))


def _pictures(looked: Sequence[Looked], run: str, unsure_below: float) -> bytes:
    """The photos with what `run` reads in their faces: a JPEG, or a zip of several."""
    files = {
        each.name: cache.marked_picture(each.photo, [face.readings[run] for face in each.faces], unsure_below)
        for each in looked
    }
    if len(files) == 1:
        return next(iter(files.values()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # JPEG does not become smaller
        for number, (name, content) in enumerate(files.items(), start=1):
            archive.writestr(f"{number:03}_{PurePath(name).stem}.jpg", content)
    return buffer.getvalue()
