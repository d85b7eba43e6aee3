"""The one door to OpenCV's cascades; where faces are found is tested with those who look for them."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import skimage.data

from fer_core.errors import FerError
from fer_core.haar import FRONTAL, FRONTAL_ALT2, PROFILE, find_squares, find_squares_in_two_looks, require_cascade

PORTRAIT = cv2.cvtColor(np.asarray(skimage.data.astronaut())[:220, 120:340], cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("cascade", [FRONTAL, FRONTAL_ALT2, PROFILE])
def test_every_cascade_that_is_named_comes_with_opencv(cascade: str) -> None:
    require_cascade(cascade)


def test_a_cascade_that_did_not_come_with_opencv_is_named() -> None:
    with pytest.raises(FerError, match="came without haarcascade_cat.xml; install opencv-python-headless again"):
        require_cascade("haarcascade_cat.xml")


def test_squares_come_largest_first_and_none_is_smaller_than_asked_for() -> None:
    two = np.hstack([cv2.copyMakeBorder(cv2.resize(PORTRAIT, (150, 150)), 0, 70, 0, 0, cv2.BORDER_REPLICATE), PORTRAIT])
    large, small = find_squares(two, scale_factor=1.1, min_neighbors=5)
    assert large.x > 150 > small.x + small.side
    (only,) = find_squares(two, scale_factor=1.1, min_neighbors=5, min_side=small.side + 10)
    assert only.x > 150


@pytest.mark.parametrize("side", [60, 110, 220, 440])
def test_a_face_of_any_size_is_found_about_where_opencv_finds_it(side: int) -> None:
    picture = np.full((480, 640), 127, np.uint8)
    picture[20 : 20 + side, 150 : 150 + side] = cv2.resize(PORTRAIT, (side, side), interpolation=cv2.INTER_AREA)
    ((x, y, width),) = find_squares(picture, scale_factor=1.1, min_neighbors=5)
    (found,) = find_squares_in_two_looks(picture, scale_factor=1.1, min_neighbors=5)
    assert np.abs(np.array(found) - (x, y, width)).max() <= 0.1 * width


def test_two_looks_find_every_face_once_and_none_below_the_smallest_side() -> None:
    row = np.hstack([cv2.copyMakeBorder(PORTRAIT, 0, 30, 0, 30, cv2.BORDER_REPLICATE)] * 4)
    faces = find_squares_in_two_looks(row, scale_factor=1.1, min_neighbors=5)
    assert sorted(face.x // 250 for face in faces) == [0, 1, 2, 3]
    too_large = max(face.side for face in faces) + 20
    assert find_squares_in_two_looks(row, scale_factor=1.1, min_neighbors=5, min_side=too_large) == []


@pytest.mark.parametrize("shape", [(1, 1), (23, 400), (24, 24), (480, 640)])
def test_two_looks_at_a_picture_without_a_face_find_none(shape: tuple[int, int]) -> None:
    assert find_squares_in_two_looks(np.full(shape, 90, np.uint8), scale_factor=1.1, min_neighbors=3) == []


def test_many_threads_find_what_one_finds() -> None:
    pictures = [np.ascontiguousarray(PORTRAIT[:, start:]) for start in range(0, 40, 5)]

    def look(picture: np.ndarray) -> object:
        return find_squares(picture, FRONTAL_ALT2, scale_factor=1.1, min_neighbors=3)

    expected = [look(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, pictures)) == expected
    assert all(expected)
