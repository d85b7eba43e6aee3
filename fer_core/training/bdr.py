"""Bimodal distribution removal: leave out training samples that the network cannot learn.

Slade and Gedeon, "Bimodal distribution removal", 1993, as paper 3 applies it to the cross-entropy of an MLP.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.config import require_range
from fer_core.errors import FerError

HISTOGRAM_BINS = 40


@dataclass(frozen=True)
class ErrorDistribution:
    """How the errors of the training samples lie at one epoch: plain numbers, ready for JSON.

    `counts` of samples in as many equal parts of the way between the two `edges`, which are 0 or the least error and
    the greatest; `mean` is paper 3's mean over all training samples, `variance` the population's.
    """

    epoch: int
    samples: int
    mean: float
    variance: float
    counts: tuple[int, ...]
    edges: tuple[float, float]

    @classmethod
    def of(cls, epoch: int, errors: NDArray[np.floating]) -> "ErrorDistribution":
        """The distribution of per-sample errors (N,), N > 0; raises FerError where one is not finite."""
        errors = _checked(errors)
        top = max(float(errors.max()), 1e-12)
        ends = min(0.0, float(errors.min())), top
        counts, _ = np.histogram(errors, HISTOGRAM_BINS, ends)
        return cls(epoch, len(errors), float(errors.mean()), float(errors.var()), tuple(counts.tolist()), ends)


@dataclass(frozen=True)
class RemovalRecord:
    """What one round of removal saw and did, for the charts: plain numbers, ready for JSON.

    `before` is the distribution over the samples in training as the round began. The candidates' mean and
    deviation and the `threshold` are None where all errors are equal: then there is no candidate.
    `variance` is taken over the errors that remain.
    """

    before: ErrorDistribution
    candidates: int
    candidate_mean: float | None
    candidate_deviation: float | None
    threshold: float | None
    removed: int
    remaining: int
    variance: float


@dataclass(frozen=True)
class Removal:
    """The outcome of a round: the rows that stay in training, those that leave, and whether training ends."""

    kept: NDArray[np.int64]
    removed: NDArray[np.int64]
    stop: bool
    record: RemovalRecord


@dataclass(frozen=True)
class BimodalRemoval:
    """When samples are removed, how strictly, and when training ends.

    From epoch `start` (counted from 1) on, every `every` epochs. The smaller `alpha` (0..1), the more
    samples leave. Training ends once the variance of the remaining errors is below `stop_variance`.
    """

    start: int
    every: int
    alpha: float = 1.0
    stop_variance: float = 0.01

    def __post_init__(self) -> None:
        require_range("start", self.start, 1, 10**9)
        require_range("every", self.every, 1, 10**9)
        require_range("alpha", self.alpha, 0, 1)
        require_range("stop_variance", self.stop_variance, 0, 1e9)

    def is_due(self, epoch: int) -> bool:
        """Whether a round follows `epoch`."""
        return epoch >= self.start and (epoch - self.start) % self.every == 0

    def run_round(self, epoch: int, errors: NDArray[np.floating], rows: NDArray[np.int64]) -> Removal:
        """Part `rows` (N,) by their errors (N,), both of the samples now in training; changes neither.

        Candidates are the samples whose error exceeds the mean over all; those of them leave whose error
        exceeds `mean + alpha * deviation` of the candidates (paper 3, equation 6; population deviation).
        Raises FerError where an error is not finite, ValueError where the lengths differ.
        """
        errors = _checked(errors)
        if errors.shape != rows.shape:
            raise ValueError(f"{len(errors)} errors for {len(rows)} rows")
        # Rounding may put the mean of equal errors below them; the least error is never a candidate.
        candidates = errors[errors > max(errors.mean(), errors.min())]
        mean = deviation = threshold = None
        leaves = np.zeros(len(errors), np.bool_)
        if candidates.size:
            mean, deviation = float(max(candidates.mean(), candidates.min())), float(candidates.std())
            threshold = mean + self.alpha * deviation
            leaves = errors > threshold
        variance = float(errors[~leaves].var())
        before = ErrorDistribution.of(epoch, errors)
        removed = int(leaves.sum())
        record = RemovalRecord(
            before, candidates.size, mean, deviation, threshold, removed, len(errors) - removed, variance
        )
        return Removal(rows[~leaves], rows[leaves], variance < self.stop_variance, record)


def _checked(errors: NDArray[np.floating]) -> NDArray[np.float64]:
    checked = np.asarray(errors, np.float64)
    if checked.ndim != 1 or not checked.size:
        raise ValueError(f"errors are one value per training sample, got shape {checked.shape}")
    bad = int((~np.isfinite(checked)).sum())
    if bad:
        raise FerError(f"the error of {bad} of {len(checked)} training samples is not finite; lower the learning rate")
    return checked
