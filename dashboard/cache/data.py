"""What the Data page says of a prepared dataset: computed once for each, over all its images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache.compare import Source
from dashboard.cache.datasets import dataset_stamp, prepared
from dashboard.summaries import RunSummary, Stamp
from fer_core.errors import FerError
from fer_core.evaluation import (
    LabelErrors,
    OutOfSample,
    apply_temperature,
    fit_temperature,
    label_errors,
    out_of_sample,
)
from fer_core.labels import EMOTIONS
from fer_core.runs import Run

if TYPE_CHECKING:
    # importing these would import OpenCV, which other pages need not wait for
    from fer_core.datasets import FaceSums, Inspection, Levels


@dataclass(frozen=True)
class About:
    """A dataset in words and numbers: `counts` is images per split and emotion, `shape` that of one image.

    `sizes` are (width, height, images) of the pictures that it was prepared from, empty where nobody wrote them down.
    """

    name: str
    images: int
    shape: tuple[int, ...]
    counts: dict[str, dict[str, int]]
    is_table: bool
    is_drawn: bool
    source: dict[str, Any]
    conversions: tuple[str, ...]
    missing: tuple[str, ...]
    sizes: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Doubts:
    """What runs say of the images that they have not learnt from, and whose label they doubt."""

    seen: OutOfSample
    errors: LabelErrors


def about(dataset: str) -> About:
    """What a dataset is; raises FerError where it cannot be read."""
    return _about(dataset, dataset_stamp(dataset))


@st.cache_data(max_entries=32, show_spinner=False)
def _about(dataset: str, stamp: Stamp) -> About:
    from fer_core.datasets.face_dataset import count_table

    faces = prepared(dataset, stamp)
    manifest = faces.manifest
    return About(
        dataset,
        len(faces),
        faces.images.shape[1:],
        count_table(faces.labels, faces.split),
        faces.is_table,
        faces.synthetic,
        dict(manifest.get("source", {})),
        tuple(manifest.get("conversions", ())),
        tuple(manifest.get("missing", ())),
        tuple((int(width), int(height), int(images)) for width, height, images in manifest.get("original_sizes", ())),
    )


def labelled(dataset: str) -> pd.DataFrame:
    """One row for each image: `label` (the emotion) and `split`; its index is the ids. Not to be changed."""
    return _labelled(dataset, dataset_stamp(dataset))


@st.cache_resource(max_entries=2, show_spinner=False)
def _labelled(dataset: str, stamp: Stamp) -> pd.DataFrame:
    faces = prepared(dataset, stamp)
    columns = {"label": np.asarray(EMOTIONS)[faces.labels], "split": faces.split}
    return pd.DataFrame(columns, index=pd.Index(faces.ids, name="id"))


def images(dataset: str, rows: Sequence[int] | np.ndarray) -> list[np.ndarray]:
    """The images at `rows`, uint8 (S, S[, 3]); raises FerError where the dataset has no pictures."""
    faces = prepared(dataset, dataset_stamp(dataset))
    if faces.is_table:
        raise FerError(f"{dataset} holds descriptors of faces and no pictures")
    return [np.array(faces.images[row]) for row in rows]


def shuffled(dataset: str, split: str | None, emotion: str) -> np.ndarray:
    """The rows of an emotion's images in a split (None: in all), in a random order that is always the same."""
    return _shuffled(dataset, dataset_stamp(dataset), split, emotion)


@st.cache_data(max_entries=128, show_spinner=False)
def _shuffled(dataset: str, stamp: Stamp, split: str | None, emotion: str) -> np.ndarray:
    faces = prepared(dataset, stamp)
    mask = faces.labels == EMOTIONS.index(emotion)
    rows = np.flatnonzero(mask if split is None else mask & (faces.split == split))
    return np.random.default_rng(0).permutation(rows)


def face_sums(dataset: str) -> "FaceSums":
    """Sums of all images by split and emotion, for mean faces; raises FerError where there are no pictures."""
    return _face_sums(dataset, dataset_stamp(dataset))


@st.cache_resource(max_entries=4, show_spinner="Averaging all faces, this once …")
def _face_sums(dataset: str, stamp: Stamp) -> "FaceSums":
    from fer_core.datasets import face_sums

    return face_sums(prepared(dataset, stamp))


def levels(dataset: str) -> "Levels":
    """Brightness and contrast of every image; raises FerError where there are no pictures."""
    return _levels(dataset, dataset_stamp(dataset))


@st.cache_resource(max_entries=4, show_spinner="Measuring the light of all faces, this once …")
def _levels(dataset: str, stamp: Stamp) -> "Levels":
    from fer_core.datasets import levels

    return levels(prepared(dataset, stamp))


def inspection(dataset: str) -> "Inspection":
    """The audit of a dataset, and the rows of the images that it counts."""
    return _inspection(dataset, dataset_stamp(dataset))


@st.cache_resource(max_entries=4, show_spinner="Comparing all images with each other, this once …")
def _inspection(dataset: str, stamp: Stamp) -> "Inspection":
    from fer_core.datasets import inspect

    return inspect(prepared(dataset, stamp))


def doubts(runs: Sequence[RunSummary]) -> Doubts:
    """The labels that the mean of the runs' calibrated probabilities contradicts; FerError where they do not fit."""
    return _doubts(tuple(Source.of(run) for run in runs))


@st.cache_resource(max_entries=8, show_spinner="Holding predictions against the labels …")
def _doubts(sources: tuple[Source, ...]) -> Doubts:
    seen = out_of_sample({source.id: _calibrated(source) for source in sources})
    return Doubts(seen, label_errors(seen.labels, seen.probabilities))


def _calibrated(source: Source) -> dict[str, np.ndarray]:
    arrays = Run(Path(source.folder)).predictions()
    warmth = fit_temperature(arrays["valid_labels"], arrays["valid_probabilities"])
    names = ("valid_probabilities", "test_probabilities")
    return {**arrays, **{name: apply_temperature(arrays[name], warmth) for name in names}}
