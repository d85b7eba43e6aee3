"""Reliability diagrams: whether a run is right as often as it is sure."""

from dataclasses import dataclass

import numpy as np

from fer_core.evaluation.calibration import BINS


@dataclass(frozen=True, eq=False)
class Reliability:
    """Images by their confidence, the probability of the chosen class, in B equal-width bins of [0, 1].

    `counts` int64 (B,); `confidence` and `accuracy` float (B,) are the bin's means, NaN where it is empty.
    """

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error in [0, 1]: the mean gap, weighted by the bins' sizes."""
        filled = self.counts > 0
        gaps = np.abs(self.accuracy[filled] - self.confidence[filled])
        return float((gaps * self.counts[filled]).sum() / max(1, self.counts.sum()))


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> Reliability:
    """Labels (N,) and probabilities (N, classes) by confidence.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    index = np.clip((confidence * bins).astype(int), 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):  # an empty bin is 0 / 0: NaN
        means = [np.bincount(index, weights=each, minlength=bins) / counts for each in (confidence, correct)]
    return Reliability(counts, *means)
