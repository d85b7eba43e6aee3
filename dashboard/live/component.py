"""The live camera as a Streamlit component: its scripts run in the browser, and send nothing back."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import streamlit as st

from dashboard.labels import labels
from dashboard.live.assets import SCRIPTS, VENDOR, address, published_scripts, vendor_version
from dashboard.live.exports import exported
from dashboard.palette import EMOTION_COLORS, ink_on
from dashboard.summaries import RunSummary
from fer_core.labels import EMOTIONS

LETTERS = ("A", "B")  # of the runs, on the picture and beside it
FACE_SIZE = 48  # of a run that does not say its own
START = """
export default function ({ data, parentElement }) {
  const entry = import(new URL(`${data.scripts}/main.js`, document.baseURI).href)
  entry.then(({ show }) => show(parentElement, data))
  return () => entry.then(({ hide }) => hide(parentElement))
}
"""

_mount = st.components.v2.component(
    "live_camera",
    html=(SCRIPTS / "live.html").read_text(encoding="utf-8"),
    css=(SCRIPTS / "live.css").read_text(encoding="utf-8"),
    js=START,
)


def live_camera(runs: Sequence[RunSummary]) -> None:
    """Show the camera, read by one or two `runs`, which are exported if they are not yet.

    Raises FerError for a run that has no ONNX form.
    """
    _mount(key="live_camera", data=component_data(runs))


def component_data(runs: Sequence[RunSummary]) -> dict[str, Any]:
    """What the scripts need: addresses on this server, the runs, and the emotions' colours."""
    names = labels(runs)
    letters = LETTERS if len(runs) > 1 else ("",)
    return {
        "scripts": address(published_scripts()),
        "vendor": address(VENDOR),
        "version": vendor_version(),
        "runs": [_run_data(run, names[run.id], letter) for run, letter in zip(runs, letters, strict=False)],
        "colors": {emotion: EMOTION_COLORS[emotion] for emotion in EMOTIONS},
        "inks": {emotion: ink_on(EMOTION_COLORS[emotion]) for emotion in EMOTIONS},
    }


def _run_data(run: RunSummary, label: str, letter: str) -> dict[str, Any]:
    return {
        "id": run.id,
        "label": label,
        "letter": letter,
        "url": quote(address(exported(run))),
        "emotions": list(run.spec.emotions if run.spec else EMOTIONS),
        "size": run.whole("image_size") or FACE_SIZE,
    }
