"""A trace of a pipeline: what a preview shows of every step."""

import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fer_core.errors import FerError
from fer_core.preprocessing import Context, Pipeline, Step
from fer_core.preprocessing.face_crop import FOUND, NOT_FOUND


def test_a_trace_shows_the_images_after_every_step(batch: torch.Tensor) -> None:
    pipeline = Pipeline.parse("gcn(lam=5)+salt_pepper+median")
    stages = pipeline.trace(batch, training=True, seed=1)
    assert [stage.step for stage in stages] == [None, *pipeline.steps]
    assert torch.equal(stages[0].images, batch)
    assert torch.equal(stages[1].images, Pipeline.parse("gcn(lam=5)").apply(batch))
    assert torch.equal(stages[-1].images, pipeline.apply(batch, training=True, seed=1))


def test_steps_for_training_only_are_left_out_of_a_prediction(batch: torch.Tensor) -> None:
    pipeline = Pipeline.parse("gcn+salt_pepper+median")
    assert [stage.step for stage in pipeline.trace(batch)] == [None, pipeline.steps[0], pipeline.steps[2]]


def test_without_a_step_the_images_are_shown_as_they_are(batch: torch.Tensor) -> None:
    (only,) = Pipeline.parse("raw").trace(batch)
    assert torch.equal(only.images, batch)
    assert only.seconds == 0


def test_what_a_step_counts_stands_beside_that_step_alone(astronaut_face: NDArray[np.uint8]) -> None:
    photo = torch.from_numpy(astronaut_face)
    raw, gcn, crop, again = Pipeline.parse("gcn+face_crop(smallest=0.3)+face_crop(smallest=1)").trace(photo)
    assert (raw.notes, gcn.notes) == ({}, {})
    assert crop.notes == {FOUND: 1, NOT_FOUND: 0}
    assert again.notes[FOUND] + again.notes[NOT_FOUND] == 1


@dataclass(frozen=True)
class Hurried(Step):
    """Takes a fifth of a second at first, and hardly any time later."""

    def apply(self, images: torch.Tensor, context: Context) -> torch.Tensor:
        time.sleep(0.001 if CALLS else 0.2)
        CALLS.append(1)
        return images


CALLS: list[int] = []


def test_a_step_takes_its_shortest_time_of_those_that_were_measured(batch: torch.Tensor) -> None:
    CALLS.clear()
    (_, once) = Pipeline((Hurried(),)).trace(batch)
    assert once.seconds >= 0.2
    assert len(CALLS) == 1
    CALLS.clear()
    (_, best) = Pipeline((Hurried(),)).trace(batch, repeat_s=0.01)  # less than the first call takes
    assert best.seconds < 0.2
    assert len(CALLS) > 1


@pytest.mark.parametrize("text", ["raw", "gcn"])
def test_other_than_images_are_refused_whatever_the_steps(text: str) -> None:
    with pytest.raises(FerError, match="uint8 images"):
        Pipeline.parse(text).trace(torch.zeros(1, 1, 8, 8))
