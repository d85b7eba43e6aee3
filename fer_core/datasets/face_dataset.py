"""The dataset as everything else sees it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fer_core.datasets.errors import DatasetError
from fer_core.labels import EMOTIONS


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """Labelled faces of one size.

    `images` uint8, (N, H, W) gray or (N, H, W, 3) RGB, read-only and usually memory-mapped; a table of
    descriptors has float64 (N, D) in their place;
    `labels` uint8 (N,), indices into EMOTIONS; `ids` str (N,), unique; `split` str (N,), one of
    "train", "valid", "test", or "" where the dataset assigns none; `manifest` says where it came from.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    split: np.ndarray
    manifest: dict[str, Any]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def synthetic(self) -> bool:
        """Whether the faces are drawn; such results never stand beside real ones."""
        return bool(self.manifest["synthetic"])

    @property
    def is_table(self) -> bool:
        """Whether it holds columns of descriptors, and no pixels."""
        return self.images.ndim == 2

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return 3 if self.images.ndim == 4 else 1

    @cached_property
    def row_by_id(self) -> dict[str, int]:
        """The row of each of `ids`."""
        return {name: row for row, name in enumerate(self.ids.tolist())}

    def rows_of(self, ids: Iterable[str]) -> np.ndarray:
        """The rows of the images called `ids`, int64; raises DatasetError where some are not in the dataset."""
        rows = [self.row_by_id.get(str(each), -1) for each in ids]
        absent = rows.count(-1)
        if absent:
            raise DatasetError(f"{absent:,} of {len(rows):,} images are not in {self.name} as it is prepared here")
        return np.array(rows, np.int64)

    def faces(self, rows: np.ndarray) -> np.ndarray:
        """The images at `rows` as a new, writable uint8 array (len(rows), C, H, W), as torch wants them.

        Of a table of descriptors, its rows as float64 (len(rows), D).
        """
        picked = self.images[rows]
        if self.is_table:
            return picked
        return picked[:, None] if self.images.ndim == 3 else np.ascontiguousarray(picked.transpose(0, 3, 1, 2))


def count_table(labels: np.ndarray, split: np.ndarray) -> dict[str, dict[str, int]]:
    """Images per split (in the order train, valid, test, none; only those there are) and emotion."""
    names = [name for name in ("train", "valid", "test", "") if np.any(split == name)]
    return {
        name: dict(zip(EMOTIONS, map(int, np.bincount(labels[split == name], minlength=len(EMOTIONS))), strict=True))
        for name in names
    }
