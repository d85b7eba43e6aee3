"""Classification metrics of one set of predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fer_core.evaluation.calibration import apply_temperature, expected_calibration_error, log_loss
from fer_core.evaluation.intervals import wilson_interval


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts (classes, classes); row = true class, column = predicted class."""
    counts = np.bincount(labels.astype(np.int64) * classes + predicted.astype(np.int64), minlength=classes * classes)
    return counts.reshape(classes, classes)


def classification_metrics(
    labels: np.ndarray, probabilities: np.ndarray, emotions: Sequence[str], temperature: float = 1.0
) -> dict[str, Any]:
    """Every overall and per-class metric of labels (N,) and probabilities (N, classes).

    A ratio whose denominator is 0 (a class never predicted, or absent) is 0.0, as scikit-learn's
    `zero_division=0`; balanced accuracy averages over the classes that occur.
    """
    if len(labels) != len(probabilities) or probabilities.shape[1:] != (len(emotions),):
        raise ValueError(
            f"labels {labels.shape} and probabilities {probabilities.shape} do not fit {len(emotions)} classes"
        )
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1), len(emotions))
    per_class = [_class_metrics(matrix, index, emotion) for index, emotion in enumerate(emotions)]
    present = [each for each in per_class if each["support"]]
    return {
        **accuracy_metrics(int(matrix.trace()), len(labels)),
        "balanced_accuracy": _mean(each["recall"] for each in present),
        "macro_f1": _mean(each["f1"] for each in per_class),
        **_calibration_metrics(labels, probabilities, temperature),
        "confusion_matrix": matrix.tolist(),
        "per_class": per_class,
    }


def accuracy_metrics(correct: int, n: int) -> dict[str, Any]:
    """Accuracy with its 95 % Wilson interval and what it was counted from."""
    low, high = wilson_interval(correct, n)
    return {"accuracy": _ratio(correct, n), "accuracy_interval": [low, high], "correct": correct, "n": n}


def _calibration_metrics(labels: np.ndarray, probabilities: np.ndarray, temperature: float) -> dict[str, Any]:
    calibrated = apply_temperature(probabilities, temperature)
    return {
        "log_loss": log_loss(labels, probabilities),
        "ece": expected_calibration_error(labels, probabilities),
        "calibrated": {
            "log_loss": log_loss(labels, calibrated),
            "ece": expected_calibration_error(labels, calibrated),
        },
    }


def _class_metrics(matrix: np.ndarray, index: int, emotion: str) -> dict[str, Any]:
    hits, support, predicted = int(matrix[index, index]), int(matrix[index].sum()), int(matrix[:, index].sum())
    negatives = int(matrix.sum()) - support
    precision, recall = _ratio(hits, predicted), _ratio(hits, support)
    return {
        "emotion": emotion,
        "precision": precision,
        "recall": recall,
        "f1": _ratio(2 * hits, support + predicted),
        "specificity": _ratio(negatives - (predicted - hits), negatives),
        "support": support,
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _mean(values: Any) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 0.0
