"""evaluation.json: everything in it is recomputed from predictions.npz."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fer_core.config import SCHEMA_VERSION
from fer_core.evaluation.calibration import fit_temperature
from fer_core.evaluation.intervals import wilson_interval
from fer_core.evaluation.metrics import accuracy_metrics, classification_metrics
from fer_core.predictions import of_fold
from fer_core.runs import Run, RunError

SPLITS = ("valid", "test")
FOLD_FIGURES = ("accuracy", "accuracy_interval", "correct", "n", "balanced_accuracy", "macro_f1")


def evaluate_predictions(predictions: Mapping[str, np.ndarray], emotions: Sequence[str]) -> dict[str, Any]:
    """Metrics of the splits `valid` and `test`, with the temperature fitted on `valid`.

    `predictions` holds `<split>_labels` (N,) and `<split>_probabilities` (N, classes), and may hold
    `<split>_flip_probabilities` (the mean over the face and its mirror image), `<split>_clean`
    (N,), which is False where an exact copy of the image was trained on, `<split>_ids` (N,), and `<split>_folds`
    (N,), the fold of each prediction: then `folds` has the accuracy of each, and `fold_accuracy` their mean and
    deviation. Where folds are repeated, `n` counts the predictions and `images` the images, which the interval is
    of, as `clean_n` and `clean_images` do; `copied_images` are those with a copy in the training of any fold.
    """
    temperature = fit_temperature(predictions["valid_labels"], predictions["valid_probabilities"])
    splits = {split: _split_metrics(predictions, split, emotions, temperature) for split in SPLITS}
    evaluation = {
        "schema_version": SCHEMA_VERSION,
        "emotions": list(emotions),
        "temperature": temperature,
        "splits": splits,
    }
    return evaluation | (_fold_metrics(predictions, emotions) if "test_folds" in predictions else {})


def _fold_metrics(predictions: Mapping[str, np.ndarray], emotions: Sequence[str]) -> dict[str, Any]:
    """Each fold's figures, and the mean and sample deviation of their test accuracies."""
    names = list(dict.fromkeys(predictions["test_folds"].tolist()))
    folds = []
    for name in names:
        fold: dict[str, Any] = {"fold": name}
        mine = of_fold(predictions, name)
        for split in SPLITS:
            metrics = classification_metrics(mine[f"{split}_labels"], mine[f"{split}_probabilities"], emotions)
            fold[split] = {key: metrics[key] for key in FOLD_FIGURES}
        folds.append(fold)
    accuracies = [fold["test"]["accuracy"] for fold in folds]
    deviation = float(np.std(accuracies, ddof=1)) if len(folds) > 1 else 0.0
    return {
        "folds": folds,
        "fold_accuracy": {"mean": float(np.mean(accuracies)), "deviation": deviation, "folds": len(folds)},
    }


def _split_metrics(
    predictions: Mapping[str, np.ndarray], split: str, emotions: Sequence[str], temperature: float
) -> dict[str, Any]:
    labels, probabilities = predictions[f"{split}_labels"], predictions[f"{split}_probabilities"]
    ids = predictions.get(f"{split}_ids", np.arange(len(labels)))
    metrics = classification_metrics(labels, probabilities, emotions, temperature)
    metrics |= _of_images(metrics["accuracy"], ids)
    clean = predictions.get(f"{split}_clean")
    if clean is not None:
        clean = clean.astype(bool)
        correct = probabilities.argmax(axis=1) == labels
        metrics |= _prefixed("clean", correct[clean], ids[clean])
        metrics |= {"copied_images": len(np.unique(ids[~clean]))} if "images" in metrics else {}
    flipped = predictions.get(f"{split}_flip_probabilities")
    if flipped is not None:
        metrics |= _prefixed("flip", flipped.argmax(axis=1) == labels, ids)
    return metrics


def _prefixed(prefix: str, correct: np.ndarray, ids: np.ndarray) -> dict[str, Any]:
    metrics = accuracy_metrics(int(correct.sum()), len(correct))
    metrics |= _of_images(metrics["accuracy"], ids)
    return {f"{prefix}_{key}": value for key, value in metrics.items()}


def _of_images(accuracy: float, ids: np.ndarray) -> dict[str, Any]:
    """How many images there are and the interval of so many, where repeated folds predict some of them several times.

    More predictions of an image do not make the figure surer.
    """
    images = len(np.unique(ids))
    if images == len(ids):
        return {}
    return {"images": images, "accuracy_interval": list(wilson_interval(accuracy * images, images))}


def evaluate_run(run: Run) -> dict[str, Any]:
    """Recompute a run's evaluation.json from its predictions, write it, and return it.

    Raises RunError if the new accuracy is not the trace of its confusion matrix over n.
    """
    spec = run.spec
    evaluation = evaluate_predictions(run.predictions(), spec.emotions)
    evaluation |= {
        "dataset": spec.dataset,
        "protocol": spec.protocol,
        "synthetic": spec.dataset == "synthetic",
    }
    problem = inconsistency(evaluation)
    if problem:
        raise RunError(f"run {run.id} contradicts its own predictions: {problem}")
    run.write_json("evaluation.json", evaluation)
    return evaluation


def inconsistency(evaluation: Mapping[str, Any]) -> str:
    """Where a report disagrees with its own confusion matrix, or the empty string."""
    for name, split in evaluation["splits"].items():
        matrix = np.asarray(split["confusion_matrix"])
        if int(matrix.sum()) != split["n"]:
            return f"{name}: the confusion matrix counts {int(matrix.sum())} images, the report {split['n']}"
        share = matrix.trace() / max(1, split["n"])
        if not np.isclose(share, split["accuracy"], atol=1e-9):
            return f"{name}: the confusion matrix says {share:.4f}, the report {split['accuracy']:.4f}"
        supports = [each["support"] for each in split["per_class"]]
        if supports != matrix.sum(axis=1).tolist():
            return f"{name}: the supports of the report are not the rows of the confusion matrix"
    return ""
