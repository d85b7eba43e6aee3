from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import skimage.data

from fer_core.errors import FerError
from fer_core.inference import (
    DETECTORS,
    FaceBox,
    FaceDetector,
    crop_face,
    detector_obstacle,
    find_faces,
    get_detector,
)
from fer_core.inference.detectors import centerface
from fer_core.inference.detectors.found import Found, Framing, distinct

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


@pytest.mark.parametrize("times", [1 / 3, 0.7, 1, 6000 / 4096, 3])
def test_a_scaled_box_has_the_same_place_and_stays_within_the_picture(times: float) -> None:
    size = round(600 * times)
    assert FaceBox(0, 0, 600, 600).scaled(times, times) == FaceBox(0, 0, size, size)
    assert FaceBox(30, 60, 300, 240, -7.5).scaled(times, 1) == FaceBox(
        round(30 * times), 60, round(300 * times), 240, -7.5
    )
    for x, width in ((0, 1), (599, 1), (597, 2), (593, 7), (1, 599), (250, 350)):
        box = FaceBox(x, x, width, width).scaled(times, times)
        assert 0 <= box.x < box.x + box.width <= size
        assert (box.x, box.width) == (box.y, box.height)
        assert box.x + box.width / 2 == pytest.approx((x + width / 2) * times, abs=0.51)


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
def test_every_registered_detector_finds_the_face_and_is_shared_or_says_what_to_install(name: str) -> None:
    if detector_obstacle(name):
        assert "`pip install" in detector_obstacle(name)
        return
    assert get_detector(name) is get_detector(name)
    (box,) = get_detector(name).detect(ASTRONAUT)
    assert holds(box, FEATURES)
    assert box.roll == 0
    assert DETECTORS.get(name).label


def test_an_unknown_detector_or_alignment_is_refused_with_the_choices() -> None:
    with pytest.raises(FerError, match="choose from centerface, haar, mtcnn, whole"):
        get_detector("har")
    with pytest.raises(FerError, match="choose from upright, level"):
        find_faces(ASTRONAUT, "mtcnn", "sideways")  # type: ignore[arg-type]
    with pytest.raises(FerError, match="'haar' finds no eyes to level; choose from centerface, mtcnn"):
        find_faces(ASTRONAUT, "haar", "level")


@pytest.mark.parametrize("name", ["mtcnn", "centerface"])
def test_a_detector_without_its_package_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"fer_core.inference.detectors.{name}.package_file", lambda package, file: None)
    with pytest.raises(FerError, match="`pip install ") as caught:
        DETECTORS.get(name)()
    assert "\n" not in str(caught.value)


def turned(degrees: float) -> np.ndarray:
    """The portrait, turned clockwise around the face; upright it is 3 to 4 degrees off itself."""
    matrix = cv2.getRotationMatrix2D((224, 112), -degrees, 1)
    return cv2.warpAffine(ASTRONAUT, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("degrees", [-30, -20, 20, 30])
def test_a_turned_face_is_found_and_its_crop_levelled(degrees: int) -> None:
    (box,) = find_faces(turned(degrees), "mtcnn", "level")
    (straight,) = find_faces(ASTRONAUT, "mtcnn", "level")
    assert abs(box.roll - straight.roll - degrees) < 6
    levelled, expected = crop_face(turned(degrees), box, 48), crop_face(ASTRONAUT, straight, 48)
    as_it_stands = crop_face(turned(degrees), box.upright(), 48)
    assert np.corrcoef(levelled.ravel(), expected.ravel())[0, 1] > 0.85
    assert np.corrcoef(as_it_stands.ravel(), expected.ravel())[0, 1] < 0.75


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.5])
def test_mtcnns_boxes_are_framed_as_the_cascades(factor: float, detector: FaceDetector) -> None:
    (cascades,), (box,) = detector.detect(scaled(factor)), find_faces(scaled(factor), "mtcnn")
    assert overlap(box, cascades) > 0.75


def overlap(first: FaceBox, second: FaceBox) -> float:
    wide = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    high = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    shared = max(0, wide) * max(0, high)
    return shared / (first.area + second.area - shared)


def test_mtcnn_finds_small_faces_that_the_cascade_passes_over(detector: FaceDetector) -> None:
    head = cv2.resize(ASTRONAUT[0:220, 110:330], (64, 64), interpolation=cv2.INTER_AREA)  # a face of 28 pixels
    canvas = np.full((480, 640, 3), 120, np.uint8)
    corners = [(40, 60), (300, 200), (540, 380)]
    for x, y in corners:
        canvas[y : y + 64, x : x + 64] = head
    assert detector.detect(canvas) == []
    found = sorted(find_faces(canvas, "mtcnn"), key=lambda box: box.x)
    assert [holds(FaceBox(x, y, 64, 64), box) for (x, y), box in zip(corners, found, strict=True)] == [True] * 3


def test_mtcnn_finds_no_face_where_there_is_none() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    pictures = [np.full((480, 640, 3), 128, np.uint8), noise, skimage.data.coffee()]
    pictures += [np.zeros((1, 1, 3), np.uint8), np.zeros((1, 5000, 3), np.uint8), np.zeros((30, 30), np.uint8)]
    assert [find_faces(picture, "mtcnn") for picture in pictures] == [[]] * len(pictures)


def test_a_face_cut_by_the_border_keeps_the_cascades_framing() -> None:
    (whole,) = find_faces(ASTRONAUT, "mtcnn")
    cut = np.ascontiguousarray(ASTRONAUT[:, whole.x + 12 :])
    (box,) = find_faces(cut, "mtcnn")
    assert box.x < 0
    assert overlap(box, FaceBox(-12, whole.y, whole.width, whole.height)) > 0.8


def test_one_mtcnn_serves_many_threads() -> None:
    mtcnn = get_detector("mtcnn")
    pictures = [np.ascontiguousarray(ASTRONAUT[:220, start : start + 220]) for start in (80, 100, 120, 140)]
    expected = [mtcnn.detect(picture) for picture in pictures]
    assert all(len(boxes) == 1 for boxes in expected)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(mtcnn.detect, pictures * 2)) == expected * 2


def test_centerfaces_answer_becomes_boxes_and_eyes() -> None:
    heat, sizes, offsets = (np.zeros((1, channels, 8, 8), np.float32) for channels in (1, 2, 2))
    points = np.zeros((1, 10, 8, 8), np.float32)
    heat[0, 0, 3, 5], heat[0, 0, 3, 6], heat[0, 0, 7, 0] = 0.9, 0.8, 0.4  # one face twice, and one too unsure
    sizes[0, :, 3, 5:7] = np.log([20 / 4, 12 / 4])[:, None]  # high, wide
    offsets[0, :, 3, 5] = 0.25, -0.5  # down, right
    points[0, :4, 3, 5] = 0.4, 0.25, 0.5, 0.75  # y and x of an eye, then of the other, as shares of the box
    found = centerface._decoded(heat, sizes, offsets, points)
    # its centre is (5 - 0.5 + 0.5, 3 + 0.25 + 0.5) places of 4 pixels
    np.testing.assert_allclose(found.corners, [[20 - 6, 15 - 10, 20 + 6, 15 + 10]], rtol=1e-6)
    np.testing.assert_allclose(found.eyes, [[[14 + 3, 5 + 8], [14 + 9, 5 + 10]]], rtol=1e-6)
    np.testing.assert_allclose(found.scores, [0.9])


def test_of_overlapping_boxes_the_surest_stays() -> None:
    corners = np.float32([[0, 0, 10, 10], [1, 1, 11, 11], [50, 0, 60, 10], [2, 2, 8, 8]])
    scores = np.float32([0.7, 0.9, 0.8, 0.6])
    assert distinct(corners, scores, 0.5).tolist() == [1, 2, 3]
    assert distinct(corners, scores, 0.5, of_smaller=True).tolist() == [1, 2]


def test_a_face_seen_from_the_side_is_not_turned_by_its_eyes() -> None:
    corners, eyes = np.float32([[0, 0, 100, 100]]), np.float32([[[48, 40], [50, 46]]])
    (box,) = Framing(1.0, 0.1).boxes(Found(corners, np.float32([1]), eyes), np.zeros((200, 200), np.uint8))
    assert box == FaceBox(-1, 3, 100, 100)


@pytest.mark.parametrize("quarter", [1, 2, -1])
def test_a_crop_is_turned_back_by_its_boxs_roll(quarter: int) -> None:
    turned_picture = np.ascontiguousarray(np.rot90(ASTRONAUT, -quarter))  # clockwise
    upright = crop_face(ASTRONAUT, FaceBox(200, 160, 112, 112), 112)
    x, y = {1: (512 - 160 - 112, 200), 2: (512 - 200 - 112, 512 - 160 - 112), -1: (160, 512 - 200 - 112)}[quarter]
    crop = crop_face(turned_picture, FaceBox(x, y, 112, 112, 90.0 * quarter), 112)
    assert np.abs(crop.astype(int) - upright).mean() < 1


def test_a_turned_crop_over_the_border_repeats_the_edge() -> None:
    flat = np.full((60, 80, 3), 77, np.uint8)
    assert (crop_face(flat, FaceBox(-20, -20, 100, 100, 33.0), 48) == 77).all()


def test_a_box_turned_beyond_half_a_turn_is_refused() -> None:
    with pytest.raises(FerError, match="at most 180 degrees"):
        FaceBox(0, 0, 5, 5, float("nan"))


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
