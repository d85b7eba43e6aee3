"""The prepared datasets, and what can be trained on them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.summaries import Stamp, stamp_of
from fer_core.config import RunSpec
from fer_core.jobs.estimate import Workload
from fer_core.paths import data_dir, runs_dir
from fer_core.runs import RunStore

if TYPE_CHECKING:
    from fer_core.datasets import FaceDataset


def datasets() -> list[str]:
    """The prepared datasets, then the drawn faces; looked up anew each time, since one may have been added."""
    from fer_core.datasets import dataset_names

    return dataset_names()


def protocols(dataset: str) -> list[str]:
    """The protocols that a dataset can serve; raises FerError where it cannot be read."""
    return _protocols(dataset, dataset_stamp(dataset))


@st.cache_data(max_entries=16, show_spinner=False)
def _protocols(dataset: str, stamp: Stamp) -> list[str]:
    from fer_core.datasets import served_protocols

    return served_protocols(prepared(dataset, stamp))


def workload(spec: RunSpec) -> Workload:
    """The training images of each fold of a spec, and what they are; the same for every network and seed."""
    return _workload(spec.dataset, dataset_stamp(spec.dataset), spec.protocol, spec.emotions)


@st.cache_data(max_entries=64, show_spinner=False)
def _workload(dataset: str, stamp: Stamp, protocol: str, emotions: tuple[str, ...]) -> Workload:
    from fer_core.datasets import get_splits
    from fer_core.training.prepare import wanted_labels

    faces = prepared(dataset, stamp)
    classes = wanted_labels(faces, emotions)
    images = tuple(int((classes[faces.labels[split.train]] >= 0).sum()) for split in get_splits(faces, protocol))
    return Workload(images, None if faces.is_table else faces.images.shape[1], faces.channels)


def check_choice(specs: Sequence[RunSpec]) -> None:
    """Raise FerError where the dataset cannot be trained on as asked; no network is built for that."""
    for spec in {(spec.architecture, spec.preprocessing == "raw"): spec for spec in specs}.values():
        _check_choice(spec.run_id, dataset_stamp(spec.dataset), spec)


@st.cache_data(max_entries=256, show_spinner=False)
def _check_choice(run_id: str, stamp: Stamp, _spec: RunSpec) -> None:
    from fer_core.training.prepare import Plan

    Plan.make(prepared(_spec.dataset, stamp), _spec)


def check_specs(specs: Sequence[RunSpec]) -> None:
    """Raise FerError where a training would be refused before it begins, as its network for these faces would be.

    Specs that differ in nothing that this depends on are checked once.
    """
    from fer_core.training import check_spec

    store = RunStore(runs_dir())
    for spec in {(spec.architecture, spec.preprocessing == "raw", spec.seed): spec for spec in specs}.values():
        check_spec(spec, store, prepared(spec.dataset, dataset_stamp(spec.dataset)))


@st.cache_resource(max_entries=2, show_spinner=False)
def prepared(name: str, stamp: Stamp) -> "FaceDataset":
    """A prepared dataset as it was at `stamp` (see `dataset_stamp`); raises FerError where it cannot be read."""
    from fer_core.datasets import load_dataset

    return load_dataset(name)


def dataset_stamp(name: str) -> Stamp:
    """What changes when a dataset is prepared again."""
    return stamp_of(data_dir() / name, ("manifest.json",))
