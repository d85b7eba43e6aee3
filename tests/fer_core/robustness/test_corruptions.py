"""Corruptions: seeded, of the same shape, and worse with every severity."""

import numpy as np
import pytest

from fer_core.datasets import load_dataset
from fer_core.errors import FerError
from fer_core.robustness import CORRUPTIONS, SEVERITIES, corrupt

every_corruption = pytest.mark.parametrize("name", list(CORRUPTIONS))


def faces(count=40):
    return load_dataset("synthetic").images[:count].copy()


def distance(first, second):
    return float(np.abs(first.astype(float) - second.astype(float)).mean())


@every_corruption
def test_a_corruption_keeps_shape_and_type_and_leaves_its_input_alone(name):
    given = faces()
    before = given.copy()
    worse = corrupt(given, name, 3)
    assert (worse.shape, worse.dtype) == (given.shape, np.uint8)
    assert np.array_equal(given, before)
    assert not np.shares_memory(worse, given)


@every_corruption
def test_the_same_seed_gives_the_same_pictures(name):
    assert np.array_equal(corrupt(faces(), name, 2, seed=5), corrupt(faces(), name, 2, seed=5))


@pytest.mark.parametrize("name", ["noise", "rotation", "occlusion"])
def test_another_seed_gives_other_pictures(name):
    assert not np.array_equal(corrupt(faces(), name, 2, seed=5), corrupt(faces(), name, 2, seed=6))


@every_corruption
def test_every_severity_is_farther_from_the_face_than_the_one_before(name):
    distances = [distance(corrupt(faces(), name, severity), faces()) for severity in SEVERITIES]
    assert distances == sorted(distances)
    assert distances[0] > 0


@every_corruption
def test_the_first_faces_are_the_same_however_many_follow(name):
    given = np.concatenate([faces(200), faces(200)])
    many, few = corrupt(given, name, 2), corrupt(given[:256], name, 2)
    assert np.array_equal(many[:256], few)


@every_corruption
def test_colour_faces_stay_gray_where_they_were_gray_but_for_noise(name):
    gray = faces(10)
    worse = corrupt(np.repeat(gray[..., None], 3, axis=3), name, 4)
    assert worse.shape == (10, *gray.shape[1:], 3)
    if name not in ("noise", "jpeg"):
        assert np.array_equal(worse[..., 0], corrupt(gray, name, 4))


def test_brightness_contrast_and_noise_do_what_their_levels_say():
    plain = np.full((200, 48, 48), 100, np.uint8)
    assert set(np.unique(corrupt(plain, "brightness", 2))) == {151}
    halves = plain.copy()
    halves[:, :24] = 200
    assert set(np.unique(corrupt(halves, "contrast", 1))) == {130, 170}
    assert corrupt(plain, "noise", 1).astype(float).std() == pytest.approx(0.04 * 255, rel=0.01)


def test_an_occlusion_covers_its_share_of_the_face_and_nothing_else():
    plain = np.zeros((50, 48, 48), np.uint8)
    covered = corrupt(plain, "occlusion", 4) > 0
    assert set(covered.sum(axis=(1, 2)).tolist()) <= {0, 24 * 24}  # 0 where the grey that was drawn is black
    assert covered.any(axis=0).mean() > 0.9  # anywhere in the face


def test_red_stays_red_through_jpeg():
    red = np.zeros((1, 48, 48, 3), np.uint8)
    red[..., 0] = 255
    assert np.abs(corrupt(red, "jpeg", 1).astype(int) - red).max() < 12


def test_no_faces_give_no_faces():
    assert corrupt(faces(0), "noise", 1).shape == (0, 48, 48)


def test_what_there_is_not_is_refused_with_what_there_is():
    with pytest.raises(FerError, match="choose from noise, blur"):
        corrupt(faces(), "fog", 1)
    with pytest.raises(FerError, match="1 to 5"):
        corrupt(faces(), "noise", 6)
    with pytest.raises(FerError, match="uint8"):
        corrupt(faces().astype(np.float32), "noise", 1)
