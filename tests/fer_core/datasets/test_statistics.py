"""Mean faces, brightness and contrast of a dataset."""

import numpy as np
import pytest

from fer_core.datasets import DatasetError, FaceDataset, face_sums, inspect, levels


def dataset_of(images: np.ndarray, labels: list[int], split: list[str]) -> FaceDataset:
    ids = np.array([f"row{row}" for row in range(len(images))])
    return FaceDataset("tiny", images, np.array(labels, np.uint8), ids, np.array(split), {"synthetic": False})


@pytest.fixture
def faces() -> FaceDataset:
    """Ten gray faces of angry and happy in two splits."""
    images = np.random.default_rng(0).integers(0, 256, (10, 6, 6), dtype=np.uint8)
    return dataset_of(images, [0, 3] * 5, ["train"] * 6 + ["test"] * 4)


def test_a_mean_face_is_that_of_its_split_and_emotion(faces: FaceDataset) -> None:
    sums = face_sums(faces)
    assert sums.splits == ("train", "test")
    chosen = (faces.split == "test") & (faces.labels == 3)
    np.testing.assert_allclose(sums.mean("test", "happy"), faces.images[chosen].mean(axis=0))
    np.testing.assert_allclose(sums.mean(emotion="angry"), faces.images[faces.labels == 0].mean(axis=0))
    np.testing.assert_allclose(sums.mean(), faces.images.mean(axis=0))
    assert (sums.count(), sums.count("test"), sums.count("test", "happy"), sums.count("test", "sad")) == (10, 4, 2, 0)


def test_the_mean_of_no_face_and_of_no_split_is_refused(faces: FaceDataset) -> None:
    with pytest.raises(DatasetError, match="no image of sad is in split 'test'"):
        face_sums(faces).mean("test", "sad")
    with pytest.raises(DatasetError, match="no split 'valid'; choose from train, test"):
        face_sums(faces).mean("valid")


def test_brightness_and_contrast_are_mean_and_deviation_of_the_grey_levels(faces: FaceDataset) -> None:
    found = levels(faces)
    flat = faces.images.reshape(10, -1)
    np.testing.assert_allclose(found.brightness, flat.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found.contrast, flat.std(axis=1), rtol=1e-5)


def test_colour_is_measured_by_its_luminance_and_averaged_in_colour() -> None:
    green = np.zeros((70, 4, 4, 3), np.uint8)  # more than are read together
    green[..., 1] = 100
    faces = dataset_of(green, [0] * 70, [""] * 70)
    np.testing.assert_allclose(levels(faces).brightness, 58.7, rtol=1e-5)
    np.testing.assert_allclose(levels(faces).contrast, 0, atol=1e-3)
    assert face_sums(faces).mean()[0, 0].tolist() == [0, 100, 0]


def test_descriptors_have_no_mean_face() -> None:
    table = dataset_of(np.zeros((3, 10)), [0, 1, 2], [""] * 3)
    for measure in (face_sums, levels):
        with pytest.raises(DatasetError, match="tiny holds descriptors of faces and no pictures"):
            measure(table)


def test_an_inspection_names_the_rows_that_the_audit_counts(faces: FaceDataset) -> None:
    images = np.array(faces.images)
    images[[4, 9]] = images[1]
    images[7] = 33
    found = inspect(dataset_of(images, faces.labels.tolist(), faces.split.tolist()))
    assert [rows.tolist() for rows in found.groups] == [[1, 4, 9]]
    assert found.constant.tolist() == [7]
    assert (found.audit.surplus_copies, found.audit.constant_ids) == (2, ["row7"])
