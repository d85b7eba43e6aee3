"""Pipelines, what their steps do to a face, and what networks say of the result."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.cache.photos import predictor, predictor_of
from dashboard.preprocess.frames import Frame, frames_of
from dashboard.summaries import RunSummary, Stamp

if TYPE_CHECKING:
    # importing these would import torch
    from torch import Tensor

    from fer_core.preprocessing import Pipeline, StepDescription

TRACES = 256  # of one face through one pipeline, some ten kilobytes each, kept for each viewer
TIMED_S = 0.01  # how long the steps are repeated, to tell how long each takes at least


@st.cache_data(max_entries=1, show_spinner=False)
def steps() -> "list[StepDescription]":
    """The steps that a pipeline may hold, by name."""
    from fer_core.preprocessing import RAW, describe_steps

    return [step for step in describe_steps() if step.name != RAW]


def pipeline(text: str) -> "Pipeline":
    """The pipeline that `text` describes; raises FerError, which says what is possible."""
    from fer_core.preprocessing import Pipeline

    return Pipeline.parse(text)


def fitted(image: np.ndarray, side: int, channels: int) -> np.ndarray:
    """A face (H, W) or (H, W, 3) as a network of `side` pixels and `channels` gets it, before preprocessing."""
    from fer_core.inference.boxes import resize_face, to_channels

    return resize_face(to_channels(image, channels), side)


@st.cache_data(max_entries=TRACES, show_spinner=False, scope="session")
def trace(image: np.ndarray, text: str, seed: int) -> list[Frame]:
    """A face (S, S[, 3]) as given, and after each step of a pipeline as in training: its noise is drawn by `seed`."""
    from fer_core.devices import one_thread

    with one_thread():
        return frames_of(pipeline(text).trace(_batch(image[None]), training=True, seed=seed, repeat_s=TIMED_S))


@st.cache_data(max_entries=TRACES, show_spinner=False, scope="session")
def preprocessed(images: np.ndarray, text: str, seed: int) -> np.ndarray:
    """Faces (N, S, S[, 3]) after all steps of a pipeline, as `trace` shows them."""
    from fer_core.devices import one_thread

    with one_thread():
        after = pipeline(text).apply(_batch(images), training=True, seed=seed)
    return after.permute(0, 2, 3, 1).numpy().reshape(images.shape)


def _batch(images: np.ndarray) -> "Tensor":
    """Faces (N, S, S[, 3]) as pipelines take them, (N, channels, S, S)."""
    import torch

    channelled = images[..., None] if images.ndim == 3 else images
    return torch.from_numpy(np.ascontiguousarray(channelled.transpose(0, 3, 1, 2)))


def probabilities(run: RunSummary, image: np.ndarray, text: str | None = None) -> dict[str, float]:
    """What a run's network says of a face (H, W[, 3]): the probability of each of its emotions.

    `text` is a pipeline that replaces the run's own. Raises FerError where the run cannot predict.
    """
    reader = predictor_of(run)
    face = fitted(image, reader.input_size, reader.channels)
    return _probabilities(str(run.path), run.stamp, face, text)


@st.cache_data(max_entries=TRACES, show_spinner=False, scope="session")
def _probabilities(folder: str, stamp: Stamp, face: np.ndarray, text: str | None) -> dict[str, float]:
    from fer_core.devices import one_thread

    reader = predictor(folder, stamp)
    if text is not None:
        reader = replace(reader, pipeline=pipeline(text))
    with one_thread():
        (row,) = reader.predict_faces(face[None])
    return {emotion: float(share) for emotion, share in zip(reader.emotions, row, strict=True)}
