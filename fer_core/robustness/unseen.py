"""The images that a run was tested on, as they are prepared here, and its network's answers on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.datasets import DatasetError, load_dataset
from fer_core.evaluation import wilson_interval
from fer_core.inference import Predictor
from fer_core.runs import Run, RunError

SAME_ANSWERS = 0.95  # share that weights must repeat of the run's saved answers on untouched images


@dataclass(frozen=True, eq=False)
class UnseenFaces:
    """Faces uint8 (N, H, W) or (N, H, W, 3) of the test split with their classes (N,) and the run's answers (N,).

    `of` counts the test images from which N were drawn evenly; they are of `fold` where the run has several.
    """

    faces: np.ndarray
    labels: np.ndarray
    saved: np.ndarray
    of: int
    fold: str

    def __len__(self) -> int:
        return len(self.labels)

    def score(self, probabilities: np.ndarray) -> dict[str, Any]:
        """Accuracy of probabilities (N, classes) with its 95 % Wilson interval and what it was counted from."""
        correct = int((probabilities.argmax(axis=1) == self.labels).sum())
        interval = wilson_interval(correct, len(self))
        return {
            "accuracy": correct / len(self), "accuracy_interval": list(interval), "correct": correct, "n": len(self),
        }  # fmt: skip

    def facts(self, run: Run) -> dict[str, Any]:
        """What a file of figures on these faces says of them."""
        fold = {"fold": self.fold} if self.fold else {}
        return {"dataset": run.spec.dataset, "split": "test", "images": len(self), "of": self.of, **fold}


def unseen_faces(run: Run, limit: int | None = None) -> UnseenFaces:
    """The run's test images, or `limit` of them, evenly drawn; of several folds those of the one with the weights.

    Raises RunError for a run that is not finished, DatasetError where its dataset is not here or is another one.
    """
    if run.state != "finished":
        raise RunError(f"run {run.id} is {run.state}; only a finished one can be tested")
    dataset = load_dataset(run.spec.dataset)
    saved = run.network_predictions()
    if dataset.is_table:
        raise DatasetError(f"dataset {dataset.name!r} holds descriptors and no pixels, which could be made worse")
    rows = dataset.rows_of(saved["test_ids"])
    chosen = _evenly(len(rows), limit)
    answers = saved["test_probabilities"].argmax(axis=1)
    return UnseenFaces(
        dataset.images[rows[chosen]], saved["test_labels"][chosen], answers[chosen], len(rows), run.weights_fold
    )


def _evenly(n: int, limit: int | None) -> np.ndarray:
    if limit is None or limit >= n:
        return np.arange(n)
    return np.linspace(0, n - 1, limit).round().astype(np.int64)


def clean_probabilities(predictor: Predictor, unseen: UnseenFaces) -> np.ndarray:
    """The network's answers on the untouched faces; raises RunError where they are not those that the run saved."""
    probabilities = predictor.predict_faces(unseen.faces)
    same = float((probabilities.argmax(axis=1) == unseen.saved).mean())
    if same < SAME_ANSWERS:
        raise RunError(
            f"the weights of run {predictor.run_id} repeat only {same:.0%} of its saved answers on the images that are "
            "prepared here; the dataset or the weights are not those that it was tested with"
        )
    return probabilities


class Trial(Run):
    """A run on which something is tried: it is read as ever, and no figures are written into it."""

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Keep nothing."""


def images_measured(run: Run, name: str) -> int:
    """Of how many images the run's file `name` has figures, 0 where there is none; raises RunError if unreadable."""
    there = run.read_json(name).get("images") if (run.path / name).is_file() else 0
    return there if isinstance(there, int) else 0


def require_more(run: Run, name: str, unseen: UnseenFaces) -> None:
    """Raises RunError where figures of `unseen` would replace those of more images in the run's file `name`."""
    there = images_measured(run, name)
    if there > len(unseen) and not isinstance(run, Trial):
        raise RunError(
            f"run {run.id} already has {name} of {there:,} images, which {len(unseen):,} would replace; "
            "leave out --limit, or delete the file first"
        )
