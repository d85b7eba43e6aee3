"""The two steps that do more than filter: noise for training only, and the search for a face."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fer_core.preprocessing import Pipeline
from fer_core.preprocessing.face_crop import FOUND, NOT_FOUND


def test_salt_and_pepper_falls_on_training_images_only(batch: torch.Tensor) -> None:
    pipeline = Pipeline.parse("salt_pepper(0.2)")
    assert torch.equal(pipeline.apply(batch), batch)
    assert not torch.equal(pipeline.apply(batch, training=True), batch)
    assert torch.equal(pipeline(batch), Pipeline.parse("raw")(batch))


def test_salt_and_pepper_hits_the_shares_it_is_given() -> None:
    images = torch.full((200, 1, 48, 48), 100, dtype=torch.uint8)
    noisy = Pipeline.parse("salt_pepper(amount=0.1,ratio=0.8)").apply(images, training=True)
    assert (noisy == 255).float().mean().item() == pytest.approx(0.08, abs=0.002)
    assert (noisy == 0).float().mean().item() == pytest.approx(0.02, abs=0.002)
    assert ((noisy == 0) | (noisy == 100) | (noisy == 255)).all()


@pytest.mark.parametrize(("text", "levels"), [("salt_pepper(1,1)", [255]), ("salt_pepper(1,0)", [0])])
def test_salt_and_pepper_can_replace_everything(text: str, levels: list[int]) -> None:
    images = torch.full((4, 1, 48, 48), 100, dtype=torch.uint8)
    assert Pipeline.parse(text).apply(images, training=True).unique().tolist() == levels


def test_other_seeds_and_other_places_in_the_chain_draw_other_noise() -> None:
    images = torch.full((8, 1, 48, 48), 100, dtype=torch.uint8)
    once, twice = Pipeline.parse("salt_pepper"), Pipeline.parse("salt_pepper+salt_pepper")
    assert not torch.equal(once.apply(images, training=True, seed=1), once.apply(images, training=True, seed=2))
    hit_once = (once.apply(images, training=True) != 100).float().mean()
    hit_twice = (twice.apply(images, training=True) != 100).float().mean()
    assert hit_twice > 1.8 * hit_once


def test_noise_leaves_the_global_random_state_alone(batch: torch.Tensor) -> None:
    before = torch.get_rng_state()
    Pipeline.parse("salt_pepper").apply(batch, training=True)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_face_is_found_and_fills_the_image(astronaut_face: NDArray[np.uint8]) -> None:
    photo = torch.from_numpy(astronaut_face)
    notes: dict[str, int] = {}
    cropped = Pipeline.parse("face_crop(smallest=0.3)").apply(photo, notes=notes)
    assert notes == {FOUND: 1, NOT_FOUND: 0}
    assert cropped.shape == photo.shape
    # The crop is part of the photo, enlarged: its centre is skin, where the photo's corners are background.
    again: dict[str, int] = {}
    Pipeline.parse("face_crop(smallest=0.7)").apply(cropped, notes=again)
    assert again == {FOUND: 1, NOT_FOUND: 0}


def test_a_face_of_48_pixels_is_found_too(astronaut_face: NDArray[np.uint8]) -> None:
    gray = torch.from_numpy(astronaut_face).float().mean(1, keepdim=True)
    small = torch.nn.functional.interpolate(gray, (48, 48), mode="area").to(torch.uint8)
    notes: dict[str, int] = {}
    assert not torch.equal(Pipeline.parse("face_crop(smallest=0.3)").apply(small, notes=notes), small)
    assert notes == {FOUND: 1, NOT_FOUND: 0}


def test_without_a_face_the_whole_image_is_kept_and_counted(batch: torch.Tensor) -> None:
    notes = {NOT_FOUND: 5}
    assert torch.equal(Pipeline.parse("face_crop").apply(batch, notes=notes), batch)
    assert notes == {FOUND: 0, NOT_FOUND: 5 + len(batch)}


@pytest.mark.real_data
def test_most_real_faces_are_found(real_faces: NDArray[np.uint8]) -> None:
    notes: dict[str, int] = {}
    Pipeline.parse("face_crop").apply(torch.from_numpy(real_faces[:100])[:, None], notes=notes)
    assert notes[FOUND] + notes[NOT_FOUND] == 100
    assert notes[FOUND] >= 60


def test_threads_find_the_same_faces_as_one(astronaut_face: NDArray[np.uint8]) -> None:
    photo = torch.from_numpy(astronaut_face)
    photos = torch.cat([photo, photo.flip(-1), photo.flip(-2)])
    pipeline = Pipeline.parse("face_crop(smallest=0.3)")
    expected = pipeline.apply(photos)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: pipeline.apply(photos), range(8)):
            assert torch.equal(result, expected)
