"""Every st.cache_*: what is read or computed once and shared between reruns and viewers."""

import os
import platform
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.formats import plural
from dashboard.summaries import RunShelf, RunSummary, Stamp, stamp_of
from fer_core.errors import FerError
from fer_core.paths import runs_dir
from fer_core.runs import Run, RunStore

if TYPE_CHECKING:
    # these import torch, which takes seconds: only the page that predicts waits for it
    import numpy as np

    from fer_core.inference import Prediction, Predictor
    from fer_core.interpretation import LayerRow

PREDICTORS = 3  # networks kept in memory at once
PHOTOS = 24  # photos and readings kept in memory, for each viewer


@st.cache_resource(max_entries=4, show_spinner=False)
def _shelf(root: str) -> RunShelf:
    return RunShelf()


def runs() -> list[RunSummary]:
    """All runs, best first; costs one look at each folder's times where nothing changed."""
    root = runs_dir()
    return _shelf(str(root)).read(RunStore(root))


def evaluation(run: RunSummary) -> dict[str, Any]:
    """evaluation.json of a run; raises RunError where it cannot be read."""
    return _evaluation(str(run.path), stamp_of(run.path, ("evaluation.json",)))


@st.cache_data(max_entries=64, show_spinner=False)
def _evaluation(folder: str, stamp: Stamp) -> dict[str, Any]:
    return Run(Path(folder)).evaluation()


def environment(run: RunSummary) -> dict[str, Any]:
    """environment.json of a run; raises RunError where it cannot be read."""
    return _environment(str(run.path), stamp_of(run.path, ("environment.json",)))


@st.cache_data(max_entries=64, show_spinner=False)
def _environment(folder: str, stamp: Stamp) -> dict[str, Any]:
    return Run(Path(folder)).environment()


def metrics(run: RunSummary) -> list[dict[str, Any]]:
    """One dict for each epoch that a run has finished."""
    return _metrics(str(run.path), stamp_of(run.path, ("metrics.jsonl",)))


@st.cache_data(max_entries=64, show_spinner=False)
def _metrics(folder: str, stamp: Stamp) -> list[dict[str, Any]]:
    return Run(Path(folder)).metrics()


def has_removals(run: RunSummary) -> bool:
    """Whether a run tells how the errors of its training samples were distributed."""
    return bool(stamp_of(run.path, ("bdr.json",)))


def removals(run: RunSummary) -> dict[str, Any]:
    """bdr.json of a run; raises RunError where it cannot be read."""
    return _removals(str(run.path), stamp_of(run.path, ("bdr.json",)))


@st.cache_data(max_entries=16, show_spinner=False)
def _removals(folder: str, stamp: Stamp) -> dict[str, Any]:
    return Run(Path(folder)).removal_history()


@st.cache_data(max_entries=16, show_spinner=False)
def layers(architecture: str, channels: int, size: int, classes: int) -> "list[LayerRow]":
    """The layers of a freshly built network with its default arguments, counted on the live one."""
    from fer_core.architectures import build
    from fer_core.interpretation import layer_table

    return layer_table(build(architecture, channels=channels, size=size, classes=classes), channels, size)


@st.cache_data(max_entries=16, show_spinner=False)
def default_arguments(architecture: str) -> dict[str, Any]:
    """What an architecture takes beside the shape of its faces, with the values that it has by default."""
    from fer_core.architectures import ARCHITECTURES

    return ARCHITECTURES.get(architecture).arguments()


def log(run: RunSummary) -> str:
    """log.txt of a run, read anew each time: it grows while the run is trained."""
    return Run(run.path).log()


@st.cache_resource(max_entries=PREDICTORS, show_spinner=False)
def _predictor(folder: str, stamp: Stamp) -> "Predictor":
    from fer_core.inference import Predictor

    return Predictor.from_run(Run(Path(folder)), device="cpu")


@st.cache_data(max_entries=PHOTOS, show_spinner=False, scope="session")
def photo(source: bytes) -> "np.ndarray":
    """A photo's bytes as uint8 RGB (H, W, 3); raises FerError where they are no picture."""
    from fer_core.inference import read_image

    return read_image(source)


@st.cache_data(max_entries=1, show_spinner=False)
def sample_photo() -> bytes:
    """A smiling face: Eileen Collins, NASA, public domain; comes with scikit-image. PNG."""
    import io

    from PIL import Image
    from skimage.data import astronaut

    buffer = io.BytesIO()
    Image.fromarray(astronaut()).save(buffer, "PNG")
    return buffer.getvalue()


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

    predictor = _predictor(folder, stamp)
    found = predictor.predict(photo(source), detector=get_detector(detector))
    return [replace(face, face=_seen(predictor, face.face)) for face in found]


def _seen(predictor: "Predictor", face: "np.ndarray") -> "np.ndarray":
    scaled = predictor.inputs(face[None])[0].permute(1, 2, 0).numpy()  # (S, S, channels) in [-1, 1]
    seen: np.ndarray = ((scaled.clip(-1, 1) + 1) * 127.5).round().astype("uint8")
    return seen[:, :, 0] if seen.shape[2] == 1 else seen


@st.cache_data(max_entries=1, show_spinner=False)
def device_name() -> str:
    """The accelerator of this machine, else its number of processors; found without importing torch."""
    for facts in Path("/proc/driver/nvidia/gpus").glob("*/information"):
        for line in facts.read_text().splitlines():
            if line.startswith("Model:"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "Apple GPU"
    return f"CPU, {plural(os.cpu_count() or 1, 'core')}"
