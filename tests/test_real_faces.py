"""Train, evaluate and predict on a few hundred real faces."""

import dataclasses

import numpy as np
import pytest

from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset
from fer_core.evaluation import evaluate_run
from fer_core.inference import Predictor
from fer_core.runs import Run, RunStore
from fer_core.training import get_recipe, train_run

pytestmark = pytest.mark.real_data
HAPPY, SURPRISE = 3, 5


@pytest.fixture(scope="module")
def two_emotions(fer2013: FaceDataset) -> FaceDataset:
    """600 real faces, happy or surprised: what a small net tells apart after seconds."""
    rows = np.random.default_rng(0).permutation(np.flatnonzero(np.isin(fer2013.labels, (HAPPY, SURPRISE))))
    sizes = {"train": 400, "valid": 100, "test": 100}
    picked = np.concatenate([rows[fer2013.split[rows] == split][:size] for split, size in sizes.items()])
    kept = {name: np.asarray(getattr(fer2013, name)[picked]) for name in ("images", "labels", "ids", "split")}
    return dataclasses.replace(fer2013, **kept)


@pytest.fixture(scope="module")
def run(two_emotions: FaceDataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = get_recipe("modern", "mini_xception", epochs=8, batch_size=32, precision="float32")
    spec = RunSpec("mini_xception", "hist_eq", "fer2013", "official", recipe, emotions=("happy", "surprise"))
    return train_run(spec, RunStore(tmp_path_factory.mktemp("runs")), device="cpu", dataset=two_emotions)


def test_two_emotions_are_told_apart_better_than_by_the_larger_class(run: Run) -> None:
    test = run.evaluation()["splits"]["test"]
    larger = max(each["support"] for each in test["per_class"]) / test["n"]
    assert test["accuracy"] > larger


def test_the_evaluation_can_be_repeated(run: Run) -> None:
    assert evaluate_run(run) == run.evaluation()


def test_prediction_from_the_saved_run_agrees_with_its_saved_predictions(run: Run, two_emotions: FaceDataset) -> None:
    faces = two_emotions.images[two_emotions.split == "test"]
    saved = run.predictions()["test_probabilities"]
    assert (Predictor.from_run(run).predict_faces(faces).argmax(1) == saved.argmax(1)).mean() >= 0.99
