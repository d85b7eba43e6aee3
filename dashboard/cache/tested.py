"""The test images of a run, and what its network sees in many of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.cache.datasets import dataset_stamp, prepared
from dashboard.cache.networks import network
from dashboard.network.subject import Subject
from dashboard.summaries import RunSummary, Stamp
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS
from fer_core.predictions import of_fold
from fer_core.runs import Run

if TYPE_CHECKING:
    # importing this would import torch
    from fer_core.interpretation import MeanCams


@dataclass(frozen=True, eq=False)
class Tested:
    """A run's test images: their rows in `dataset`, and the true and the predicted class of each (indices).

    Of a run of several folds, only those of the fold whose weights it keeps: the others it has learnt from.
    """

    dataset: str
    stamp: Stamp
    rows: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    emotions: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Projected:
    """Test images in a plane: `points` (N, 2), the places of `Tested` they belong to, and how to read them."""

    points: np.ndarray
    places: np.ndarray
    layer: str
    note: str


def tested(run: RunSummary) -> Tested:
    """The test images of a run; raises FerError where they, or its predictions, are not here."""
    if run.spec is None:
        raise FerError(f"run {run.id} does not say what it was trained on")
    dataset = run.spec.dataset
    kept = str(run.environment.get("weights_fold", ""))
    return _tested(str(run.path), run.stamp, kept, dataset, dataset_stamp(dataset), run.spec.emotions)


@st.cache_data(max_entries=8, show_spinner=False)
def _tested(
    folder: str, stamp: Stamp, kept: str, dataset: str, dataset_stamp: Stamp, emotions: tuple[str, ...]
) -> Tested:
    arrays = of_fold(Run(Path(folder)).predictions(), kept)
    rows = prepared(dataset, dataset_stamp).rows_of(arrays["test_ids"])
    predicted = arrays["test_probabilities"].argmax(axis=1)
    return Tested(dataset, dataset_stamp, rows, arrays["test_labels"].astype(np.int64), predicted, emotions)


def test_image(images: Tested, place: int) -> np.ndarray:
    """One of a run's test images, uint8 (S, S[, 3])."""
    return np.array(prepared(images.dataset, images.stamp).images[images.rows[place]])


def sample_place(dataset: str, row: int) -> tuple[str, str, int]:
    """(split, emotion, number from 1) by which `sample` finds a row of a dataset."""
    faces = prepared(dataset, dataset_stamp(dataset))
    split, label = str(faces.split[row]), int(faces.labels[row])
    same = (faces.split[: row + 1] == split) & (faces.labels[: row + 1] == label)
    return split, EMOTIONS[label], int(same.sum())


def mean_cams(run: RunSummary, layer: str, most: int) -> "MeanCams":
    """Mean Grad-CAM of each pair of a true and a predicted emotion, over at most `most` test images of each."""
    images = tested(run)
    return _mean_cams(Subject.of_run(run), images, images.stamp, layer, most)


@st.cache_data(max_entries=8, show_spinner=False)
def _mean_cams(subject: Subject, _images: Tested, stamp: Stamp, layer: str, most: int) -> "MeanCams":
    from fer_core.interpretation import mean_cams

    chosen = first_of_each(_images.true, _images.predicted, most)
    faces = prepared(_images.dataset, _images.stamp).images
    return mean_cams(
        network(subject),
        lambda places: np.stack([faces[row] for row in _images.rows[chosen[places]]]),
        _images.true[chosen],
        _images.predicted[chosen],
        layer,
    )


def first_of_each(true: np.ndarray, predicted: np.ndarray, most: int) -> np.ndarray:
    """The places of the first `most` images of every pair of a true and a predicted class, in their order."""
    seen: dict[tuple[int, int], int] = {}
    places = []
    for place, pair in enumerate(zip(true.tolist(), predicted.tolist(), strict=True)):
        seen[pair] = seen.get(pair, 0) + 1
        if seen[pair] <= most:
            places.append(place)
    return np.array(places, np.int64)


def projected(run: RunSummary, how: str, most: int) -> Projected:
    """Test images of a run, at most `most` of them evenly over all, as its last layer gets them, in a plane."""
    images = tested(run)
    places = np.unique(np.linspace(0, len(images.rows) - 1, min(most, len(images.rows))).round().astype(int))
    values, layer = _embedded(Subject.of_run(run), images, images.stamp, places)
    points, note = _arranged(values, how)
    return Projected(points, places, layer, note)


@st.cache_data(max_entries=4, show_spinner=False)
def _embedded(subject: Subject, _images: Tested, stamp: Stamp, places: np.ndarray) -> tuple[np.ndarray, str]:
    from fer_core.interpretation import embed

    faces, rows = prepared(_images.dataset, _images.stamp).images, _images.rows[places]
    found = embed(network(subject), lambda part: np.stack([faces[row] for row in rows[part]]), len(rows))
    return found.values, found.layer


@st.cache_data(max_entries=8, show_spinner=False)
def _arranged(values: np.ndarray, how: str) -> tuple[np.ndarray, str]:
    from fer_core.interpretation import project

    return project(values, "tsne" if how == "tsne" else "pca")
