"""Faces to look at: the samples of the prepared datasets, and those that are found in a photo."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.cache.datasets import dataset_stamp, datasets, prepared
from dashboard.cache.photos import photo
from dashboard.summaries import Stamp
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS

if TYPE_CHECKING:
    # importing this would import torch
    from fer_core.inference import FaceBox

CROPS = 12  # faces of photos kept in memory, for each viewer


def image_datasets() -> list[str]:
    """The datasets that have pixels: the prepared ones, then the drawn faces."""
    return [name for name in datasets() if _has_pixels(name, dataset_stamp(name))]


@st.cache_data(max_entries=64, show_spinner=False)
def _has_pixels(dataset: str, stamp: Stamp) -> bool:
    try:
        return not prepared(dataset, stamp).is_table
    except FerError:
        return True  # who chooses it reads what is wrong with it


def dataset_splits(dataset: str) -> list[str]:
    """The splits of a dataset in the order train, valid, test; `[""]` where it assigns none."""
    return _splits(dataset, dataset_stamp(dataset))


@st.cache_data(max_entries=32, show_spinner=False)
def _splits(dataset: str, stamp: Stamp) -> list[str]:
    there = set(map(str, np.unique(prepared(dataset, stamp).split)))
    return [name for name in ("train", "valid", "test", "") if name in there]


def count_samples(dataset: str, split: str, emotion: str) -> int:
    """How many faces of an emotion a split of a dataset holds."""
    return len(_rows(dataset, dataset_stamp(dataset), split, emotion))


@st.cache_data(max_entries=128, show_spinner=False)
def _rows(dataset: str, stamp: Stamp, split: str, emotion: str) -> np.ndarray:
    faces = prepared(dataset, stamp)
    return np.flatnonzero((faces.split == split) & (faces.labels == EMOTIONS.index(emotion)))


def sample(dataset: str, split: str, emotion: str, number: int) -> np.ndarray:
    """Face `number` (from 1) of an emotion in a split: uint8 (S, S) or RGB (S, S, 3); FerError where there is none."""
    stamp = dataset_stamp(dataset)
    rows = _rows(dataset, stamp, split, emotion)
    if not 1 <= number <= len(rows):
        raise FerError(f"{dataset} has {len(rows)} {emotion} faces in this split, and no number {number}")
    return np.array(prepared(dataset, stamp).images[rows[number - 1]])


def samples_of_each_emotion(dataset: str, split: str, number: int) -> dict[str, np.ndarray]:
    """Face `number` (from 1) of each emotion that a split holds, or its last one where there are fewer."""
    counts = {emotion: count_samples(dataset, split, emotion) for emotion in EMOTIONS}
    return {each: sample(dataset, split, each, min(number, count)) for each, count in counts.items() if count}


@st.cache_data(max_entries=CROPS, show_spinner=False, scope="session")
def faces_in(source: bytes) -> "list[FaceBox]":
    """The faces that the frontal detector finds in a photo, largest first; FerError where it is no picture."""
    from fer_core.inference import get_detector

    return get_detector().detect(photo(source))


@st.cache_data(max_entries=CROPS, show_spinner=False, scope="session")
def face_in(source: bytes, number: int) -> np.ndarray:
    """Face `number` (from 1) of a photo as a square uint8 RGB (S, S, 3); 0 is the whole picture.

    Cut as for a prediction, but in the photo's own pixels and colours.
    """
    from fer_core.inference import crop_face, get_detector

    picture = photo(source)
    box = faces_in(source)[number - 1] if number else get_detector("whole").detect(picture)[0]
    return crop_face(picture, box, box.to_square().width, channels=3)
