"""Runs of several folds: one network each, one set of predictions, resumable after each fold and epoch."""

import dataclasses

import numpy as np
import pytest

from fer_core.config import RunSpec
from fer_core.datasets import get_splits, load_dataset
from fer_core.errors import FerError
from fer_core.evaluation import evaluate_predictions
from fer_core.runs import RunStore
from fer_core.training import get_recipe, train_run

RECIPE = get_recipe("modern", "linear", epochs=2, precision="float32")
SPEC = RunSpec("linear", "raw", "synthetic", "kfold3", RECIPE)


class StopAfter:
    """Presses Ctrl-C after so many epochs."""

    def __init__(self, epochs):
        self.left = epochs

    def batch_done(self, *seen):
        pass

    def epoch_done(self, record, checkpoint):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def synthetic():
    return load_dataset("synthetic")


@pytest.fixture(scope="module")
def folded(tmp_path_factory, synthetic):
    return train_run(SPEC, RunStore(tmp_path_factory.mktemp("runs")), device="cpu", dataset=synthetic)


def test_every_image_is_predicted_once_by_the_fold_that_has_not_seen_it(folded, synthetic):
    saved = folded.predictions()
    assert sorted(saved["test_ids"]) == sorted(synthetic.ids)
    for split in get_splits(synthetic, "kfold3", 0):
        of_fold = saved["test_folds"] == split.fold
        assert set(saved["test_ids"][of_fold]) == set(synthetic.ids[split.test])


def test_the_evaluation_has_each_fold_and_their_mean(folded):
    evaluation = folded.evaluation()
    accuracies = [fold["test"]["accuracy"] for fold in evaluation["folds"]]
    assert [fold["fold"] for fold in evaluation["folds"]] == ["1", "2", "3"]
    assert evaluation["fold_accuracy"]["mean"] == pytest.approx(np.mean(accuracies))
    assert evaluation["fold_accuracy"]["deviation"] == pytest.approx(np.std(accuracies, ddof=1))
    assert evaluation["splits"]["test"]["n"] == 2100
    counted = sum(fold["test"]["correct"] for fold in evaluation["folds"])
    assert counted == evaluation["splits"]["test"]["correct"]


def test_metrics_and_environment_name_the_folds(folded):
    assert [(line["fold"], line["epoch"]) for line in folded.metrics()] == [(f, e) for f in "123" for e in (1, 2)]
    facts = folded.environment()
    assert facts["folds"] == 3
    assert facts["epochs_run"] == 6
    valid = {fold["fold"]: fold["valid"]["accuracy"] for fold in folded.evaluation()["folds"]}
    assert valid[facts["weights_fold"]] == pytest.approx(max(valid.values()), abs=0.01)
    assert (folded.status.epoch, folded.status.epochs) == (6, 6)


@pytest.mark.parametrize("epochs", [2, 3])
def test_a_run_stopped_within_or_between_folds_goes_on_as_if_nothing_had_been(epochs, folded, synthetic, tmp_path):
    store = RunStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train_run(SPEC, store, device="cpu", dataset=synthetic, watcher=StopAfter(epochs))
    resumed = train_run(SPEC, store, device="cpu", dataset=synthetic)
    for key, array in resumed.predictions().items():
        np.testing.assert_array_equal(array, folded.predictions()[key])
    for resumed_line, line in zip(resumed.metrics(), folded.metrics(), strict=True):
        assert resumed_line["train_loss"] == line["train_loss"]
        assert resumed_line["fold"] == line["fold"]
    assert not (resumed.path / "checkpoint.pt").exists()


def test_predicting_an_image_ten_times_does_not_narrow_its_interval():
    random = np.random.default_rng(0)
    labels, probabilities = random.integers(0, 2, 50), random.random((50, 2))
    once = {f"{s}_{k}": v for s in ("valid", "test") for k, v in
            (("ids", np.arange(50).astype(str)), ("labels", labels), ("probabilities", probabilities))}  # fmt: skip
    folds = {f"{split}_folds": np.repeat(np.arange(10).astype(str), 50) for split in ("valid", "test")}
    ten = {key: np.concatenate([array] * 10) for key, array in once.items()} | folds
    single, repeated = (evaluate_predictions(each, ("sad", "happy"))["splits"]["test"] for each in (once, ten))
    assert repeated["n"] == 500
    assert repeated["images"] == 50
    assert repeated["accuracy_interval"] == pytest.approx(single["accuracy_interval"])


def test_predicting_an_image_ten_times_narrows_neither_the_interval_of_clean_images_nor_that_of_mirror_images():
    random = np.random.default_rng(0)
    labels, probabilities = random.integers(0, 2, 50), random.random((50, 2))
    values = {"ids": np.arange(50).astype(str), "labels": labels, "probabilities": probabilities}
    values |= {"flip_probabilities": random.random((50, 2)), "clean": np.arange(50) >= 10}
    once = {f"{split}_{key}": value for split in ("valid", "test") for key, value in values.items()}
    ten = {key: np.concatenate([array] * 10) for key, array in once.items()}
    single, repeated = (evaluate_predictions(each, ("sad", "happy"))["splits"]["test"] for each in (once, ten))
    for kind, images in (("clean", 40), ("flip", 50)):
        assert repeated[f"{kind}_n"] == 10 * single[f"{kind}_n"] == 10 * images
        assert repeated[f"{kind}_images"] == images
        assert repeated[f"{kind}_accuracy"] == pytest.approx(single[f"{kind}_accuracy"])
        assert repeated[f"{kind}_accuracy_interval"] == pytest.approx(single[f"{kind}_accuracy_interval"])
    assert repeated["copied_images"] == 10
    assert not {"images", "clean_images", "copied_images"} & set(single)


def test_more_folds_than_images_of_a_class_are_refused_before_anything_is_written(synthetic, tmp_path):
    with pytest.raises(FerError, match="images that 301 folds need; it can be served by: kaggle"):
        train_run(dataclasses.replace(SPEC, protocol="kfold301"), RunStore(tmp_path), device="cpu", dataset=synthetic)
    assert list(tmp_path.iterdir()) == []
