"""Which labels may be wrong: confident learning on predictions that were made out of sample.

Source: Northcutt, Jiang, Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels (JAIR 2021). What is
found is what cleanlab's `find_label_issues(filter_by="confident_learning")` finds, and its margin is cleanlab's
normalized margin before it is moved into [0, 1].
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fer_core.errors import FerError

SPLITS = ("valid", "test")
_ROUNDING = 1e-6  # as cleanlab: a class whose images all have one probability still reaches its threshold


@dataclass(frozen=True, eq=False)
class OutOfSample:
    """What runs say of images they have not learnt from: `ids` str (N,), `labels` int64 (N,), `probabilities` (N, C).

    Probabilities are float64 means over the runs that predicted the image, of which there are `runs`, int64 (N,);
    `left_out` is how many images only runs predicted that had learnt from an exact copy.
    """

    ids: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    runs: np.ndarray
    left_out: int

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """Images whose label is doubted: `rows`, int64 (K,), of `OutOfSample`, by rising `margin`, float64 (K,).

    `suggested` is the most probable class, int64 (K,). The margin, in [-1, 0], is the probability of the label less
    that of the suggested class. `thresholds` (C,) is the mean probability of a class over the images that are
    labelled so: what it takes to be sure of it; infinite for a class that no image has.
    """

    rows: np.ndarray
    suggested: np.ndarray
    margin: np.ndarray
    thresholds: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, mask: np.ndarray) -> "LabelErrors":
        """Those for which `mask` (K,) is True."""
        return replace(self, rows=self.rows[mask], suggested=self.suggested[mask], margin=self.margin[mask])

    def ordered(self, key: np.ndarray) -> "LabelErrors":
        """By rising `key` (K,)."""
        order = np.argsort(key, kind="stable")
        return replace(self, rows=self.rows[order], suggested=self.suggested[order], margin=self.margin[order])


def out_of_sample(predictions: Mapping[str, Mapping[str, np.ndarray]]) -> OutOfSample:
    """The mean over runs (see Run.predictions) of what each says of its validation and test images.

    A run that predicted an image several times, in several folds, counts once, with its mean. Images of which a run
    had an exact copy in training (`*_clean` is False) are none it has not seen. Raises FerError where runs differ in
    their classes or in the label of an image, or where no run is given.
    """
    if not predictions:
        raise FerError("no run was given whose predictions could be held against the labels")
    parts = [_of_run(arrays) for arrays in predictions.values()]
    if len({part[2].shape[1] for part in parts}) > 1:
        raise FerError("the runs tell different numbers of classes apart")
    ids, place = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    labels = np.concatenate([part[1] for part in parts])
    agreed = np.zeros(len(ids), np.int64)
    agreed[place] = labels
    if not np.array_equal(agreed[place], labels):
        raise FerError("the runs were tested with different labels of the same images")
    means, runs = _means(place, np.concatenate([part[2] for part in parts]), len(ids))
    everyone = np.unique(
        np.concatenate([arrays[f"{split}_ids"] for arrays in predictions.values() for split in SPLITS])
    )
    return OutOfSample(ids, agreed, means, runs, len(everyone) - len(ids))


def _of_run(arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids, labels and mean probabilities of the images that a run has not learnt from, each once."""
    ids, labels, probabilities = (
        np.concatenate([arrays[f"{split}_{what}"] for split in SPLITS]) for what in ("ids", "labels", "probabilities")
    )
    unseen = np.concatenate(
        [arrays.get(f"{split}_clean", np.ones(len(arrays[f"{split}_ids"]), bool)) for split in SPLITS]
    )
    names, first, place = np.unique(ids[unseen], return_index=True, return_inverse=True)
    means, _ = _means(place, probabilities[unseen], len(names))
    return names, labels[unseen][first].astype(np.int64), means


def _means(place: np.ndarray, values: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the `values` (M, C) at each of `number` places, float64 (number, C), and how many there are."""
    counts = np.bincount(place, minlength=number)
    sums = [np.bincount(place, column, number) for column in values.T.astype(np.float64)]
    return np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None], counts


def label_errors(labels: np.ndarray, probabilities: np.ndarray) -> LabelErrors:
    """The images that are surely of another class than their label, int64 (N,), says; probabilities (N, C).

    An image is surely of a class whose probability reaches the class's threshold, of several of the most probable
    one. It is doubted where that is not its label, and neither is its most probable class.
    """
    classes, rows = probabilities.shape[1], np.arange(len(labels))
    given = probabilities[rows, labels]
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, given, classes)
    thresholds = np.divide(sums, counts, out=np.full(classes, np.inf), where=counts > 0)
    reached = probabilities >= thresholds - _ROUNDING
    sure = np.where(reached, probabilities, -1.0).argmax(axis=1)
    likely = probabilities.argmax(axis=1)
    found = np.flatnonzero(reached.any(axis=1) & (sure != labels) & (likely != labels))
    margin = given[found] - probabilities[found, likely[found]]
    return LabelErrors(found, likely[found], margin, thresholds).ordered(margin)
