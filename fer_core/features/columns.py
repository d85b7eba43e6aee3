"""From descriptors to the columns of a classifier; everything is fitted on training rows only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.features.base import FeatureError


@dataclass(frozen=True)
class Standardiser:
    """Shift and scale of each column; `mean` and `deviation` are float64 (D,)."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def fit(cls, training: NDArray[np.float64]) -> "Standardiser":
        """Mean and population deviation of training rows (N, D); a constant column is only shifted."""
        _require_rows(training, 1)
        constant = np.ptp(training, axis=0) == 0
        return cls(training.mean(0), np.where(constant, 1.0, training.std(0)))

    def apply(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """`(features - mean) / deviation`, column by column."""
        return (features - self.mean) / self.deviation


@dataclass(frozen=True)
class PrincipalComponents:
    """The directions in which training rows differ most: `mean` (D,), `directions` (components, D)."""

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]

    @classmethod
    def fit(cls, training: NDArray[np.float64], components: int) -> "PrincipalComponents":
        """Fit on training rows (N, D); raises FeatureError unless 1 <= components <= min(N, D)."""
        _require_rows(training, 1)
        most = min(training.shape)
        if not 1 <= components <= most:
            rows, columns = training.shape
            raise FeatureError(
                f"{rows} training rows of {columns} values have between 1 and {most} principal components, "
                f"not {components}"
            )
        mean = training.mean(0)
        _, _, directions = np.linalg.svd(training - mean, full_matrices=False)
        directions = directions[:components]
        # A direction's sign is free; scikit-learn's rule makes it the same everywhere.
        largest = directions[np.arange(components), np.abs(directions).argmax(1)]
        return cls(mean, directions * np.where(largest < 0, -1.0, 1.0)[:, None])

    def apply(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Components (N, components) of features (N, D)."""
        return (features - self.mean) @ self.directions.T


def reduce_descriptors(
    descriptors: Sequence[NDArray[np.float64]], training: NDArray[np.int64], components: int = 5
) -> NDArray[np.float64]:
    """Side by side the first components of each descriptor: LPQ and PHOG give 5 + 5 columns (paper 3).

    `descriptors`: each (N, its length); `training`: the rows that the components are fitted on. Returns
    float64 (N, components * descriptors). Raises FeatureError where there are fewer components.
    """
    fits = [PrincipalComponents.fit(each[training], components) for each in descriptors]
    return np.concatenate([fit.apply(each) for fit, each in zip(fits, descriptors, strict=True)], axis=1)


def _require_rows(training: NDArray[np.float64], least: int) -> None:
    if training.ndim != 2 or len(training) < least:
        raise FeatureError(f"columns are fitted on training rows (N, D), got {tuple(training.shape)}")
