"""The editor of boxes as a Streamlit component: a photo, on which faces are framed by pointer or keyboard."""

from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import cache
from dashboard.formats import percent, plural
from dashboard.photos.faces import Box, Face, Looked, boxes_within
from dashboard.theme import CONTROLS_CSS
from fer_core.palette import EMOTION_COLORS, ink_on

HERE = Path(__file__).parent
KEY = "box_editor"
DRAWN = "drawn_boxes"  # in the session: of each photo's key the boxes, or None for those that are found
REVISIONS = "box_revisions"  # of each photo's key, the browser's number of its last change

_mount = st.components.v2.component(
    "box_editor",
    html=(HERE / "editor.html").read_text(encoding="utf-8"),
    css=CONTROLS_CSS + (HERE / "editor.css").read_text(encoding="utf-8"),
    js=(HERE / "editor.js").read_text(encoding="utf-8"),
)


def box_editor(looked: Looked, run: str, unsure_below: float) -> None:
    """Show a photo with its boxes, named by what `run` (an id) reads; a change is kept, and read at the next run."""
    sizes = st.session_state.setdefault("box_sizes", {})
    sizes[looked.photo.key] = (looked.width, looked.height)
    _mount(key=KEY, data=component_data(looked, run, unsure_below), on_changed_change=_keep)


def drawn_boxes(key: str) -> tuple[Box, ...] | None:
    """The boxes that someone has drawn or corrected on the photo called `key`; None where those found hold."""
    kept: dict[str, tuple[Box, ...] | None] = st.session_state.get(DRAWN, {})
    return kept.get(key)


def draw_boxes(key: str, boxes: tuple[Box, ...] | None) -> None:
    """Keep `boxes` of a photo as if someone had drawn them; None for those found."""
    st.session_state.setdefault(DRAWN, {})[key] = boxes


def component_data(looked: Looked, run: str, unsure_below: float) -> dict[str, Any]:
    """What the editor needs: the picture, its size, and of each face the box, the label and the colours."""
    return {
        "photo": looked.photo.key,
        "picture": cache.shown_picture(looked.photo),
        "alt": f"{looked.name}, {plural(len(looked.faces), 'face')} marked",
        "width": looked.width,
        "height": looked.height,
        "drawn": looked.is_drawn,
        "revision": st.session_state.get(REVISIONS, {}).get(looked.photo.key, 0),
        "boxes": [_box_data(face, run, unsure_below) for face in looked.faces],
    }


def _box_data(face: Face, run: str, unsure_below: float) -> dict[str, Any]:
    reading = face.readings[run]
    color = EMOTION_COLORS[reading.emotion]
    is_unsure = reading.confidence < unsure_below
    words = f"{face.number} {reading.emotion}{'?' if is_unsure else ''} {percent(reading.confidence, 0)}"
    return {**face.box._asdict(), "label": words, "color": color, "ink": ink_on(color), "unsure": is_unsure}


def _keep() -> None:
    """Take over what the browser sends; whatever is not a change of a photo shown here is passed over."""
    change = st.session_state[KEY].changed
    sizes = st.session_state.get("box_sizes", {})
    if not isinstance(change, dict) or change.get("photo") not in sizes:
        return
    key = change["photo"]
    revision = change.get("revision")
    if isinstance(revision, int):
        st.session_state.setdefault(REVISIONS, {})[key] = revision
    boxes = change.get("boxes")
    draw_boxes(key, None if boxes is None else boxes_within(boxes, *sizes[key]))
