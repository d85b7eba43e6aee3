"""Runs that were tested on the same faces, as those of one dataset and protocol are."""

from typing import Any

import numpy as np

from fer_core.evaluation import evaluate_run
from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_run


def make_tested(store: RunStore, *, accuracy: float = 0.6, n: int = 200, first: int = 0, **changes: Any) -> Run:
    """A finished run whose test images are number `first` to `first` + `n` of one row of faces.

    Two runs of other accuracies answer independently of each other.
    """
    run = make_run(store, accuracy=accuracy, n=n, **changes)
    classes = len(run.spec.emotions)
    labels = np.arange(first, first + n) % classes
    random = np.random.default_rng(int(accuracy * 1e6) + run.spec.seed)
    logits = random.normal(0, 1, (n, classes))
    called = np.where(random.random(n) < accuracy, labels, (labels + random.integers(1, classes, n)) % classes)
    logits[np.arange(n), called] += 6
    weights = np.exp(logits)
    arrays = run.predictions() | {
        "test_ids": np.array([f"{run.spec.emotions[label]}/face_{first + row}" for row, label in enumerate(labels)]),
        "test_labels": labels,
        "test_probabilities": weights / weights.sum(axis=1, keepdims=True),
    }
    run.save_predictions(
        {name: values for name, values in arrays.items() if "clean" not in name and "flip" not in name}
    )
    evaluate_run(run)
    return run
