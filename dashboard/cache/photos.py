"""Photos, and the faces that a run's network finds in them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.summaries import RunSummary, Stamp
from fer_core.errors import FerError
from fer_core.runs import Run

if TYPE_CHECKING:
    # these import torch, which takes seconds: only the page that predicts waits for it
    import numpy as np

    from fer_core.inference import Prediction, Predictor

PREDICTORS = 3  # networks kept in memory at once
SHOWN_SIDE = 1200  # pixels of the longer side: more than a page shows, and quick to send
ARCHIVES = 2  # zips kept unpacked in memory, for each viewer
PHOTOS = 24  # photos and readings kept in memory, for each viewer


@st.cache_resource(max_entries=PREDICTORS, show_spinner=False)
def predictor(folder: str, stamp: Stamp) -> "Predictor":
    """The network of a run's folder as it was at `stamp`; shared by all viewers, so hook a copy."""
    from fer_core.inference import Predictor

    return Predictor.from_run(Run(Path(folder)), device="cpu")


@st.cache_data(max_entries=PHOTOS, show_spinner=False, scope="session")
def photo(source: bytes) -> "np.ndarray":
    """A photo's bytes as uint8 RGB (H, W, 3); raises FerError where they are no picture."""
    from fer_core.inference import read_image

    return read_image(source)


@st.cache_data(max_entries=ARCHIVES, show_spinner=False, scope="session")
def unpacked(archive: bytes, name: str) -> dict[str, bytes]:
    """The pictures of a zip by name; raises FerError where it is damaged, empty or far too large."""
    from fer_core.inference import unpack

    return {f"{source.name}": source.content for source in unpack(archive, name) if isinstance(source.content, bytes)}


@st.cache_data(max_entries=1, show_spinner=False)
def sample_photo() -> bytes:
    """A smiling face: Eileen Collins, NASA, public domain; comes with scikit-image. PNG."""
    import io

    from PIL import Image
    from skimage.data import astronaut

    buffer = io.BytesIO()
    Image.fromarray(astronaut()).save(buffer, "PNG")
    return buffer.getvalue()


def marked(source: bytes, faces: "Sequence[Prediction]") -> "np.ndarray":
    """A photo with its faces framed, numbered and named, as large as a page shows it: uint8 (H, W, 3)."""
    from fer_core.inference import mark_faces

    return mark_faces(photo(source), faces, SHOWN_SIDE)


def faces(run: RunSummary, source: bytes, detector: str) -> "list[Prediction]":
    """Every face that `detector` finds in a photo, with its probabilities by `run`.

    Each `face` is what the network sees: uint8 (S, S) or (S, S, 3), after the run's preprocessing.
    Raises FerError where the photo or the run's weights cannot be read.
    """
    if not run.can_predict:
        raise FerError(f"run {run.id} {run.obstacle}")
    return _faces(str(run.path), run.stamp, source, detector)


@st.cache_data(max_entries=PHOTOS, show_spinner=False, scope="session")
def _faces(folder: str, stamp: Stamp, source: bytes, detector: str) -> "list[Prediction]":
    from fer_core.inference import get_detector

    reader = predictor(folder, stamp)
    found = reader.predict(photo(source), detector=get_detector(detector))
    return [replace(face, face=_seen(reader, face.face)) for face in found]


def _seen(reader: "Predictor", face: "np.ndarray") -> "np.ndarray":
    scaled = reader.inputs(face[None])[0].permute(1, 2, 0).numpy()  # (S, S, channels) in [-1, 1]
    seen: np.ndarray = ((scaled.clip(-1, 1) + 1) * 127.5).round().astype("uint8")
    return seen[:, :, 0] if seen.shape[2] == 1 else seen
