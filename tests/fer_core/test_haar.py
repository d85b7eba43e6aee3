"""The one door to OpenCV's cascades; where faces are found is tested with those who look for them."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import skimage.data

from fer_core.errors import FerError
from fer_core.haar import FRONTAL, FRONTAL_ALT2, PROFILE, find_squares, require_cascade

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


def test_many_threads_find_what_one_finds() -> None:
    pictures = [np.ascontiguousarray(PORTRAIT[:, start:]) for start in range(0, 40, 5)]

    def look(picture: np.ndarray) -> object:
        return find_squares(picture, FRONTAL_ALT2, scale_factor=1.1, min_neighbors=3)

    expected = [look(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, pictures)) == expected
    assert all(expected)
