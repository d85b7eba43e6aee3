"""Where runs disagree with each other and with the labels: which images, and how much."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fer_core.evaluation.answers import Answers


@dataclass(frozen=True, eq=False)
class Picked:
    """Images of `Answers` by falling `margin`, float (K,): `rows` are their places, int64 (K,)."""

    rows: np.ndarray
    margin: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, mask: np.ndarray) -> "Picked":
        """Those at whose place in the answers `mask` (N,) is True."""
        kept = mask[self.rows]
        return replace(self, rows=self.rows[kept], margin=self.margin[kept])


@dataclass(frozen=True)
class Together:
    """What the runs reach together, as shares of the images in [0, 1].

    `any_right`: at least one of them is right, which no choice between their answers can exceed; `none_right` is
    the rest; `all_right`; `mean_vote`: the mean of their probabilities is right.
    """

    any_right: float
    all_right: float
    none_right: float
    mean_vote: float


def together(answers: Answers) -> Together:
    """How far the runs complete each other."""
    right = answers.right
    vote = answers.probabilities.mean(axis=0).argmax(axis=1) == answers.labels
    any_right = float(right.any(axis=0).mean())
    return Together(any_right, float(right.all(axis=0).mean()), 1 - any_right, float(vote.mean()))


def alone_right(answers: Answers, first: str, second: str) -> Picked:
    """The images that `first` recognises and `second` does not.

    The margin, in [-1, 1], is how much more probability the first gives the true class.
    """
    one, other = answers.place(first), answers.place(second)
    right, given = answers.right, answers.of_label
    return _picked(right[one] & ~right[other], given[one] - given[other])


def hardest(answers: Answers) -> Picked:
    """The images that no run recognises.

    The margin, in [0, 1], is how much more probability the runs give the class that they choose than the true
    one; their mean.
    """
    given = answers.probabilities.max(axis=2) - answers.of_label
    unrecognised = np.logical_not(answers.right.any(axis=0))
    return _picked(unrecognised, given.mean(axis=0))


def contradicted(answers: Answers) -> Picked:
    """The images of which more than half of the runs say the same, and not what the label says.

    The margin, in [-1, 1], is how much more probability all runs together give that class than the label's.
    Such a label may be wrong; source of the idea: Northcutt et al., Confident Learning (2021), which counts
    out-of-sample predictions that are surely another class.
    """
    said, votes = consensus(answers)
    mean = answers.probabilities.mean(axis=0)
    rows = np.arange(len(answers))
    is_most = 2 * votes > len(answers.runs)
    return _picked(is_most & (said != answers.labels), mean[rows, said] - mean[rows, answers.labels])


def consensus(answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """The class that most runs give each image and how many do, both int64 (N,); of a tie the lowest class."""
    classes = len(answers.emotions)
    votes = np.stack([(answers.called == each).sum(axis=0) for each in range(classes)], axis=1)
    return votes.argmax(axis=1), votes.max(axis=1)


def in_cell(answers: Answers, run: str, true: int | None, predicted: int | None) -> Picked:
    """The images of one cell of a run's confusion matrix; of a whole row or column where the other is None.

    The margin, in [-1, 1], is how much more probability the run gives the class that it chooses than the true
    one; of images that it recognises, than the next best.
    """
    place = answers.place(run)
    called, given = answers.called[place], answers.probabilities[place]
    best_two = np.sort(given, axis=1)[:, -2:]
    lead = best_two[:, 1] - np.where(called == answers.labels, best_two[:, 0], answers.of_label[place])
    mask = np.ones(len(answers), bool)
    if true is not None:
        mask &= answers.labels == true
    if predicted is not None:
        mask &= called == predicted
    return _picked(mask, lead)


def _picked(mask: np.ndarray, margin: np.ndarray) -> Picked:
    rows = np.flatnonzero(mask)
    order = np.argsort(-margin[rows], kind="stable")
    return Picked(rows[order], margin[rows][order].astype(np.float64))


def agreement_shares(answers: Answers) -> np.ndarray:
    """The share of images of which two runs say the same, right or wrong; (R, R) in [0, 1]."""
    return _of_pairs(answers, lambda one, other: float((one == other).mean()))


def kappas(answers: Answers) -> np.ndarray:
    """Cohen's kappa of every two runs (R, R): agreement beyond what their class frequencies alone would give.

    1 is the same answers throughout, 0 what chance gives; where chance alone explains it all, 1.

    Source: Cohen, A Coefficient of Agreement for Nominal Scales (1960).
    """
    classes = len(answers.emotions)

    def kappa(one: np.ndarray, other: np.ndarray) -> float:
        shares = [np.bincount(each, minlength=classes) / len(each) for each in (one, other)]
        chance = float((shares[0] * shares[1]).sum())
        same = float((one == other).mean())
        return 1.0 if chance == 1 else (same - chance) / (1 - chance)

    return _of_pairs(answers, kappa)


def _of_pairs(answers: Answers, measure: Callable[[np.ndarray, np.ndarray], float]) -> np.ndarray:
    called = answers.called
    return np.array([[measure(one, other) for other in called] for one in called])
