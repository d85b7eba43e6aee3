"""Faces framed and named in a picture."""

import numpy as np
import pytest

from fer_core.inference import FaceBox, Prediction, mark_faces
from fer_core.labels import EMOTIONS


def prediction(box: FaceBox, emotion: str = "happy") -> Prediction:
    probabilities = {each: 0.88 if each == emotion else 0.02 for each in EMOTIONS}
    return Prediction(box, emotion, 0.88, probabilities, np.zeros((48, 48), np.uint8))


def test_faces_are_framed_in_the_colour_of_their_emotion() -> None:
    image = np.full((200, 300, 3), 128, np.uint8)
    marked = mark_faces(image, [prediction(FaceBox(100, 80, 60, 60))], side=1200)
    assert marked.shape == image.shape
    assert (image == 128).all(), "the photo itself stays as it is"
    happy = [0xE6, 0x9F, 0x00]
    assert (marked == happy).all(axis=2).sum() > 200
    assert (marked[90:130, 110:150] == 128).all(), "the face is not painted over"


@pytest.mark.parametrize("box", [FaceBox(0, 0, 20, 20), FaceBox(280, 180, 20, 20), FaceBox(0, 0, 300, 200)])
def test_faces_at_the_edge_keep_their_label_inside(box: FaceBox) -> None:
    marked = mark_faces(np.full((200, 300, 3), 128, np.uint8), [prediction(box, "surprise")], side=1200)
    assert (marked != 128).any()


def test_large_photos_are_shown_smaller_with_frames_in_place() -> None:
    marked = mark_faces(np.full((2400, 1200, 3), 128, np.uint8), [prediction(FaceBox(600, 1200, 400, 400))], side=1200)
    assert marked.shape == (1200, 600, 3)
    rows, columns = np.nonzero((marked == [0xE6, 0x9F, 0x00]).all(axis=2))
    assert abs(columns.max() - 500) < 8
    assert abs(rows.max() - 800) < 8


def test_a_face_below_the_limit_is_marked_as_doubtful() -> None:
    image = np.full((300, 300, 3), 128, np.uint8)
    face = prediction(FaceBox(100, 150, 60, 60))
    sure = mark_faces(image, [face], side=1200)
    assert np.array_equal(mark_faces(image, [face], side=1200, unsure_below=face.confidence), sure)
    doubtful = mark_faces(image, [face], side=1200, unsure_below=1.0)
    assert np.array_equal(doubtful[150:], sure[150:]), "the frame stays"
    assert not np.array_equal(doubtful[:150], sure[:150]), "its plate gets a question mark"


def test_a_turned_box_is_framed_as_it_is_turned() -> None:
    image = np.full((300, 300, 3), 128, np.uint8)
    box = FaceBox(100, 100, 80, 80, 45.0)
    marked = mark_faces(image, [prediction(box)], side=1200)
    tip = 140 + round(40 * 2**0.5)  # the lowest corner, below the centre
    assert (marked[tip - 2 : tip + 3, 140] != 128).any()
    assert (marked[178:182, 102:106] == 128).all(), "nothing is where the upright box has its corner"
