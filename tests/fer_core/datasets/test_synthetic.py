import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from fer_core.datasets import audit, dataset_names, get_splits, load_dataset
from fer_core.datasets.synthetic import EXPRESSIONS, draw_faces
from fer_core.labels import EMOTIONS


def test_it_needs_nothing_on_disk_and_says_that_it_is_drawn(tmp_path):
    dataset = load_dataset("synthetic", tmp_path / "nowhere")
    assert dataset.synthetic
    assert dataset.manifest["synthetic"] is True
    assert dataset.images.shape == (2100, 48, 48)
    assert dataset.images.dtype == np.uint8
    assert "synthetic" in dataset_names(tmp_path / "nowhere")


def test_the_same_seed_draws_the_same_faces_and_another_draws_others():
    drawn = [draw_faces(np.arange(14) % 7, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_every_class_is_in_every_split_equally():
    counts = load_dataset("synthetic").manifest["counts"]
    assert {part: set(classes.values()) for part, classes in counts.items()} == {
        "train": {200},
        "valid": {50},
        "test": {50},
    }
    assert set(EXPRESSIONS) == set(EMOTIONS)


def test_no_face_is_a_copy_or_constant():
    report = audit(load_dataset("synthetic"))
    assert report.surplus_copies == 0
    assert report.constant_images == 0


def test_its_ids_are_unique_and_begin_with_the_class():
    dataset = load_dataset("synthetic")
    assert len(set(dataset.ids)) == len(dataset)
    assert all(str(each).startswith(EMOTIONS[label]) for each, label in zip(dataset.ids, dataset.labels, strict=True))


def test_the_shared_arrays_cannot_be_changed_by_one_of_their_users():
    with pytest.raises(ValueError, match="read-only"):
        load_dataset("synthetic").images[0, 0, 0] = 1


def test_it_is_learnable_but_not_by_simple_means():
    dataset = load_dataset("synthetic")
    (split,) = get_splits(dataset, "official", 0)
    pixels = dataset.images.reshape(len(dataset), -1) / 255.0
    reduced = PCA(60, random_state=0).fit(pixels[split.train]).transform(pixels)
    accuracies = []
    for model in (LogisticRegression(C=0.5, max_iter=500), KNeighborsClassifier(5)):
        model.fit(reduced[split.train], dataset.labels[split.train])
        accuracies.append(model.score(reduced[split.test], dataset.labels[split.test]))
    assert 0.25 < accuracies[0] < 0.6  # chance is 0.14; a small convolutional net reaches 0.95
    assert accuracies[1] < 0.6
