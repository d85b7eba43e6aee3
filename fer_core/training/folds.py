"""What each fold of a run leaves behind, and how the folds become one set of predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class FoldResult:
    """A trained fold: its part of predictions.npz, its best weights, and how its training went.

    `fold` is "" where a protocol has only one; `removal` is its bimodal removal, or None.
    """

    fold: str
    arrays: dict[str, np.ndarray]
    weights: dict[str, Tensor]
    history: list[dict[str, Any]]
    valid_accuracy: float
    best_epoch: int
    epochs_run: int
    notes: dict[str, int]
    train_images: int
    removal: dict[str, Any] | None = None

    def to_checkpoint(self) -> dict[str, Any]:
        """Tensors and plain types only."""
        return {**vars(self), "arrays": {key: _plain(array) for key, array in self.arrays.items()}}

    @classmethod
    def from_checkpoint(cls, saved: Mapping[str, Any]) -> "FoldResult":
        """The fold as `to_checkpoint` saved it."""
        arrays = {key: np.asarray(value) for key, value in saved["arrays"].items()}
        return cls(**{**saved, "arrays": arrays})


def _plain(array: np.ndarray) -> Any:
    return array.tolist() if array.dtype.kind == "U" else torch.from_numpy(array)


def named(fold: str) -> dict[str, str]:
    """What a line of metrics says of its fold: nothing where a protocol has only one."""
    return {"fold": fold} if fold else {}


def pooled_predictions(folds: Sequence[FoldResult]) -> dict[str, np.ndarray]:
    """One set of arrays for predictions.npz; of several folds with `valid_folds` and `test_folds`, their names."""
    if len(folds) == 1:
        return dict(folds[0].arrays)
    arrays = {key: np.concatenate([fold.arrays[key] for fold in folds]) for key in folds[0].arrays}
    for split in ("valid", "test"):
        names = [np.full(len(fold.arrays[f"{split}_labels"]), fold.fold) for fold in folds]
        arrays[f"{split}_folds"] = np.concatenate(names)
    return arrays


def best_fold(folds: Sequence[FoldResult]) -> FoldResult:
    """The fold whose weights the run keeps: the best one on its own validation images."""
    return max(folds, key=lambda fold: fold.valid_accuracy)


def total_notes(folds: Sequence[FoldResult]) -> dict[str, int]:
    """The counts that the pipeline noted, over all folds."""
    names = dict.fromkeys(name for fold in folds for name in fold.notes)
    return {name: sum(fold.notes.get(name, 0) for fold in folds) for name in names}
