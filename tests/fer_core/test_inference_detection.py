from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import skimage.data

from fer_core.errors import FerError
from fer_core.inference import DETECTORS, FaceBox, FaceDetector, crop_face, get_detector

ASTRONAUT = np.asarray(skimage.data.astronaut())
# Measured by hand on the photo: eyes, nose and mouth lie within x 190..260, y 80..150.
FEATURES = FaceBox(190, 80, 70, 70)


def holds(box: FaceBox, part: FaceBox) -> bool:
    return (
        box.x <= part.x
        and box.y <= part.y
        and part.x + part.width <= box.x + box.width
        and part.y + part.height <= box.y + box.height
    )


def scaled(factor: float) -> np.ndarray:
    return cv2.resize(ASTRONAUT, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def test_exactly_one_face_is_found_in_the_portrait_of_an_astronaut(detector: FaceDetector) -> None:
    (box,) = detector.detect(ASTRONAUT)
    assert box.width == box.height
    assert box.width < 130
    assert holds(box, FEATURES)


def test_gray_and_colour_give_the_same_face(detector: FaceDetector) -> None:
    assert detector.detect(cv2.cvtColor(ASTRONAUT, cv2.COLOR_RGB2GRAY)) == detector.detect(ASTRONAUT)


def test_no_face_is_found_where_there_is_none(detector: FaceDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    pictures = [np.full((480, 640, 3), 128, np.uint8), noise, skimage.data.chelsea(), skimage.data.coffee()]
    pictures += [np.zeros((1, 1, 3), np.uint8), np.zeros((1, 5000, 3), np.uint8)]
    assert [detector.detect(picture) for picture in pictures] == [[]] * len(pictures)


def test_a_large_photo_is_looked_at_reduced_and_its_box_is_in_its_own_pixels(detector: FaceDetector) -> None:
    (box,) = detector.detect(scaled(5.0))
    assert holds(box, FaceBox(*(5 * value for value in (200, 90, 50, 50))))
    assert 5 * 70 < box.width < 5 * 130


def test_faces_come_largest_first(detector: FaceDetector) -> None:
    canvas = np.full((300, 600, 3), 127, np.uint8)
    canvas[20:276, 10:266] = scaled(0.5)
    canvas[20:276, 300:556] = ASTRONAUT[:256, 100:356]
    boxes = detector.detect(canvas)
    assert [box.x > 300 for box in boxes] == [True, False]
    assert boxes[0].area > boxes[1].area


@pytest.mark.parametrize("factor", [1.0, 3.37])
def test_a_face_cut_close_to_the_border_has_its_box_inside_the_photo(detector: FaceDetector, factor: float) -> None:
    cut = np.ascontiguousarray(
        scaled(factor)[int(67 * factor) : int(161 * factor), int(178 * factor) : int(272 * factor)]
    )
    framed = cv2.copyMakeBorder(cut, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    boxes = FaceDetector(min_neighbors=1, max_side=100).detect(framed)
    assert boxes
    for box in boxes:
        assert holds(FaceBox(0, 0, framed.shape[1], framed.shape[0]), box)


def test_one_detector_serves_many_threads(detector: FaceDetector) -> None:
    pictures = [np.ascontiguousarray(ASTRONAUT[:220, start : start + 220]) for start in (80, 100, 120, 140)] * 3
    expected = [detector.detect(picture) for picture in pictures]
    assert all(len(boxes) == 1 for boxes in expected)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.detect, pictures)) == expected


def test_a_picture_of_another_kind_is_refused(detector: FaceDetector) -> None:
    for wrong in (np.zeros((5, 5)), np.zeros((5, 5, 4), np.uint8), np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(FerError, match="a picture is uint8"):
            detector.detect(wrong)


def test_an_opencv_without_cascades_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(FerError, match="install 'opencv-python-headless>=4"):
        FaceDetector()


@pytest.mark.parametrize("name", DETECTORS.names())
def test_every_registered_detector_finds_the_face_and_is_shared(name: str) -> None:
    assert get_detector(name) is get_detector(name)
    (box,) = get_detector(name).detect(ASTRONAUT)
    assert holds(box, FEATURES)


def test_an_unknown_detector_is_refused_with_the_choices() -> None:
    with pytest.raises(FerError, match="choose from haar, whole"):
        get_detector("har")


def test_a_crop_of_the_networks_size_is_the_pictures_own_gray_levels() -> None:
    gray = cv2.cvtColor(ASTRONAUT, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(crop_face(ASTRONAUT, FaceBox(30, 40, 48, 48), 48), gray[40:88, 30:78])


def test_a_crop_shrinks_by_averaging_and_grows_linearly() -> None:
    gray = cv2.cvtColor(ASTRONAUT, cv2.COLOR_RGB2GRAY)
    blocks = gray[:96, :96].reshape(48, 2, 48, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(crop_face(ASTRONAUT, FaceBox(0, 0, 96, 96), 48), blocks, atol=0.5)
    grown = cv2.resize(gray[:24, :24], (48, 48), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(crop_face(ASTRONAUT, FaceBox(0, 0, 24, 24), 48), grown)


def test_a_colour_crop_keeps_its_colours_and_a_gray_picture_can_serve_it() -> None:
    np.testing.assert_array_equal(crop_face(ASTRONAUT, FaceBox(5, 6, 48, 48), 48, 3), ASTRONAUT[6:54, 5:53])
    gray = cv2.cvtColor(ASTRONAUT, cv2.COLOR_RGB2GRAY)
    assert crop_face(gray, FaceBox(5, 6, 48, 48), 48, 3).shape == (48, 48, 3)


def test_an_oblong_box_becomes_a_square_around_the_same_centre() -> None:
    assert FaceBox(10, 20, 30, 50).to_square() == FaceBox(0, 20, 50, 50)
    np.testing.assert_array_equal(
        crop_face(ASTRONAUT, FaceBox(60, 50, 48, 20), 48), crop_face(ASTRONAUT, FaceBox(60, 36, 48, 48), 48)
    )


def test_a_box_over_the_border_repeats_the_edge() -> None:
    gray = cv2.cvtColor(ASTRONAUT, cv2.COLOR_RGB2GRAY)
    padded = np.pad(gray, 48, mode="edge")
    for x, y in ((-20, -10), (490, 500), (-20, 500), (490, -30)):
        expected = padded[y + 48 : y + 96, x + 48 : x + 96]
        np.testing.assert_array_equal(crop_face(ASTRONAUT, FaceBox(x, y, 48, 48), 48), expected)


@pytest.mark.parametrize(
    "box", [(512, 0, 40, 40), (-40, 0, 40, 40), (0, 600, 5, 5), (-(10**9), -(10**9), 2 * 10**9, 9)]
)
def test_a_box_beside_the_picture_or_far_larger_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(FerError, match="the picture of 512 × 512 pixels"):
        crop_face(ASTRONAUT, FaceBox(*box), 48)


def test_a_box_without_area_is_refused() -> None:
    with pytest.raises(FerError, match="at least 1 pixel, got 0 × 5"):
        FaceBox(1, 2, 0, 5)
