"""The live camera as a Streamlit component: its scripts read frames in the browser, or send them to the server."""

from collections.abc import Callable, Sequence
from typing import Any, Literal
from urllib.parse import quote

import streamlit as st

from dashboard.labels import labels
from dashboard.live.assets import SCRIPTS, VENDOR, address, published_scripts, vendor_version
from dashboard.live.exports import exported
from dashboard.live.route import address as socket_address
from dashboard.live.tickets import ticket_for
from dashboard.summaries import RunSummary
from dashboard.theme import CONTROLS_CSS
from fer_core.labels import EMOTIONS
from fer_core.palette import EMOTION_COLORS, ink_on

LETTERS = ("A", "B")  # of the runs, on the picture and beside it
Way = Literal["browser", "server"]  # where frames are read
FACE_SIZE = 48  # of a run that does not say its own
START = """
export default function ({ data, parentElement, setTriggerValue }) {
  const entry = import(new URL(`${data.scripts}/main.js`, document.baseURI).href)
  entry.then(({ show }) => show(parentElement, data, setTriggerValue))
  return () => entry.then(({ hide }) => hide(parentElement))
}
"""

_mount = st.components.v2.component(
    "live_camera",
    html=(SCRIPTS / "live.html").read_text(encoding="utf-8"),
    css=CONTROLS_CSS + (SCRIPTS / "live.css").read_text(encoding="utf-8"),
    js=START,
)


def live_camera(runs: Sequence[RunSummary], way: Way, on_server_wanted: Callable[[], None]) -> None:
    """Show the camera, read by one or two `runs`, which are exported for the browser if they are not yet.

    `on_server_wanted` is called where the browser cannot, and its visitor asks the server to read.
    Raises FerError for a run that has no ONNX form where the browser is to read it.
    """
    _mount(key="live_camera", data=component_data(runs, way), on_server_wanted_change=on_server_wanted)


def component_data(runs: Sequence[RunSummary], way: Way) -> dict[str, Any]:
    """What the scripts need: addresses on this server, the runs, and the emotions' colours."""
    names = labels(runs)
    letters = LETTERS if len(runs) > 1 else ("",)
    return {
        "way": way,
        "scripts": address(published_scripts()),
        **(_for_server(runs) if way == "server" else _for_browser(runs)),
        "runs": [_run_data(run, names[run.id], letter) for run, letter in zip(runs, letters, strict=False)],
        "colors": {emotion: EMOTION_COLORS[emotion] for emotion in EMOTIONS},
        "inks": {emotion: ink_on(EMOTION_COLORS[emotion]) for emotion in EMOTIONS},
    }


def _for_browser(runs: Sequence[RunSummary]) -> dict[str, Any]:
    networks = {run.id: quote(address(exported(run))) for run in runs}
    return {"vendor": address(VENDOR), "version": vendor_version(), "networks": networks}


def _for_server(runs: Sequence[RunSummary]) -> dict[str, Any]:
    return {"socket": socket_address(), "ticket": ticket_for(runs)}


def _run_data(run: RunSummary, label: str, letter: str) -> dict[str, Any]:
    return {
        "id": run.id,
        "label": label,
        "letter": letter,
        "emotions": list(run.spec.emotions if run.spec else EMOTIONS),
        "size": run.whole("image_size") or FACE_SIZE,
    }
