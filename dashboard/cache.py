"""Every st.cache_*: what is read or computed once and shared between reruns and viewers."""

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import tables
from dashboard.formats import plural
from dashboard.launching import Catalogue, read_catalogue
from dashboard.load import Load, LoadMeter
from dashboard.queue_state import Queue, sorted_queue
from dashboard.summaries import RunShelf, RunSummary, Stamp, stamp_of
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.jobs import JobQueue, worker_info
from fer_core.jobs.estimate import Machine, Workload
from fer_core.jobs.local import find_devices
from fer_core.paths import data_dir, runs_dir
from fer_core.runs import Run, RunStore, stop_request

if TYPE_CHECKING:
    # these import torch, which takes seconds: only the page that predicts waits for it
    import numpy as np

    from fer_core.datasets import FaceDataset
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


def live_metrics(run: RunSummary) -> tuple[bytes, dict[str, Any]]:
    """Rows of `tables.curves` as Arrow, as a chart takes them, and the last epoch; empty before the first."""
    return _live_metrics(str(run.path), stamp_of(run.path, ("metrics.jsonl",)))


@st.cache_data(max_entries=64, show_spinner=False)
def _live_metrics(folder: str, stamp: Stamp) -> tuple[bytes, dict[str, Any]]:
    import pyarrow as pa  # type: ignore[import-untyped]  # as Streamlit sends tables to the browser

    epochs = _metrics(folder, stamp)
    table = pa.Table.from_pandas(tables.curves(epochs), preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes(), epochs[-1] if epochs else {}


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


def queue() -> Queue:
    """What is trained, waits, stopped and ended, as the folders tell it now: the same for every viewer."""
    store, found = RunStore(runs_dir()), runs()
    stops = {run.id: request for run in found if run.state == "running" and (request := stop_request(Run(run.path)))}
    return sorted_queue(found, JobQueue(store).entries(), stops, worker_info(store))


def load(run: RunSummary) -> Load | None:
    """What the trainer of a run takes of its machine; None where nobody says that they train it."""
    holder = Run(run.path).holder()
    return _meter().read(*holder, device=run.status.device) if holder else None


@st.cache_resource(max_entries=1, show_spinner=False)
def _meter() -> LoadMeter:
    return LoadMeter()


@st.cache_data(max_entries=1, show_spinner=False)
def catalogue() -> Catalogue:
    """The networks, recipes and steps that there are."""
    return read_catalogue()


def datasets() -> list[str]:
    """The prepared datasets, then the drawn faces; looked up anew each time, since one may have been added."""
    from fer_core.datasets import dataset_names

    return dataset_names()


def protocols(dataset: str) -> list[str]:
    """The protocols that a dataset can serve; raises FerError where it cannot be read."""
    return _protocols(dataset, _dataset_stamp(dataset))


@st.cache_data(max_entries=16, show_spinner=False)
def _protocols(dataset: str, stamp: Stamp) -> list[str]:
    from fer_core.datasets import served_protocols

    return served_protocols(_dataset(dataset, stamp))


def workload(spec: RunSpec) -> Workload:
    """The training images of each fold of a spec, and what they are; the same for every network and seed."""
    return _workload(spec.dataset, _dataset_stamp(spec.dataset), spec.protocol, spec.emotions)


@st.cache_data(max_entries=64, show_spinner=False)
def _workload(dataset: str, stamp: Stamp, protocol: str, emotions: tuple[str, ...]) -> Workload:
    from fer_core.datasets import get_splits
    from fer_core.training.prepare import wanted_labels

    faces = _dataset(dataset, stamp)
    classes = wanted_labels(faces, emotions)
    images = tuple(int((classes[faces.labels[split.train]] >= 0).sum()) for split in get_splits(faces, protocol))
    return Workload(images, None if faces.is_table else faces.images.shape[1], faces.channels)


def check_choice(specs: Sequence[RunSpec]) -> None:
    """Raise FerError where the dataset cannot be trained on as asked; no network is built for that."""
    for spec in {(spec.architecture, spec.preprocessing == "raw"): spec for spec in specs}.values():
        _check_choice(spec.run_id, _dataset_stamp(spec.dataset), spec)


@st.cache_data(max_entries=256, show_spinner=False)
def _check_choice(run_id: str, stamp: Stamp, _spec: RunSpec) -> None:
    from fer_core.training.prepare import Plan

    Plan.make(_dataset(_spec.dataset, stamp), _spec)


def check_specs(specs: Sequence[RunSpec]) -> None:
    """Raise FerError where a training would be refused before it begins, as its network for these faces would be.

    Specs that differ in nothing that this depends on are checked once.
    """
    from fer_core.training import check_spec

    store = RunStore(runs_dir())
    for spec in {(spec.architecture, spec.preprocessing == "raw", spec.seed): spec for spec in specs}.values():
        check_spec(spec, store, _dataset(spec.dataset, _dataset_stamp(spec.dataset)))


@st.cache_resource(max_entries=2, show_spinner=False)
def _dataset(name: str, stamp: Stamp) -> "FaceDataset":
    from fer_core.datasets import load_dataset

    return load_dataset(name)


def _dataset_stamp(name: str) -> Stamp:
    return stamp_of(data_dir() / name, ("manifest.json",))


def machines() -> dict[str, Machine]:
    """The devices that a worker of this machine trains on, accelerators first."""
    worker, devices = worker_info(RunStore(runs_dir())), _devices()
    accelerators = len(devices) - 1  # the CPU is one of them
    threads = worker.facts.get("threads") if worker else None
    return {
        name: Machine("cpu", model, threads or max(1, (os.cpu_count() or 1) // max(1, accelerators)))
        if name == "cpu"
        else Machine(name.partition(":")[0], model)
        for name, model in devices.items()
    }


@st.cache_data(max_entries=1, show_spinner=False)
def _devices() -> dict[str, str]:
    """Name and model of each device; the model is "" where it is not known."""
    from fer_core.training.environment import processor_name

    models = {"cpu": processor_name(), "mps": "Apple GPU (MPS)"}
    models |= {f"cuda:{index}": model for index, model in enumerate(_gpu_models())}
    return {name: models.get(name, "") for name in find_devices()}


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
    for model in _gpu_models():
        return model
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "Apple GPU"
    return f"CPU, {plural(os.cpu_count() or 1, 'core')}"


def _gpu_models() -> list[str]:
    """What NVIDIA's driver calls its devices, in the order of the bus."""
    facts = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = (line for each in facts for line in each.read_text().splitlines())
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
