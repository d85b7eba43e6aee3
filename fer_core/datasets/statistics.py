"""Averages over the faces of a dataset: what a class looks like on average, how bright and how contrasted faces are."""

from dataclasses import dataclass

import numpy as np

from fer_core.datasets.errors import DatasetError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.labels import EMOTIONS

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV's gray
_AT_ONCE = 2048  # images read together: 5 MB of 48x48, 160 MB of 160x160 in colour as floats are never held whole


@dataclass(frozen=True, eq=False)
class FaceSums:
    """Sums of pixels, uint64 (S, 7, H, W[, 3]), and numbers of images, int64 (S, 7), by split and emotion."""

    splits: tuple[str, ...]
    sums: np.ndarray
    counts: np.ndarray

    def mean(self, split: str | None = None, emotion: str | None = None) -> np.ndarray:
        """The mean image of a split and an emotion, None for all of them: float64 (H, W[, 3]) in [0, 255].

        Raises DatasetError where there is no such image.
        """
        rows = slice(None) if split is None else [self._place(split)]
        columns = slice(None) if emotion is None else [EMOTIONS.index(emotion)]
        number = int(self.counts[rows][:, columns].sum())
        if not number:
            raise DatasetError(f"no image of {emotion or 'any emotion'} is in split '{split or 'any'}'")
        mean: np.ndarray = self.sums[rows][:, columns].sum(axis=(0, 1)) / number
        return mean

    def count(self, split: str | None = None, emotion: str | None = None) -> int:
        """How many images `mean` is the mean of."""
        rows = slice(None) if split is None else [self._place(split)]
        columns = slice(None) if emotion is None else [EMOTIONS.index(emotion)]
        return int(self.counts[rows][:, columns].sum())

    def _place(self, split: str) -> int:
        if split not in self.splits:
            raise DatasetError(f"there is no split '{split}'; choose from {', '.join(self.splits)}")
        return self.splits.index(split)


@dataclass(frozen=True, eq=False)
class Levels:
    """Of each image, in grey levels from 0 to 255: its mean and its standard deviation (RMS contrast), float32 (N,)."""

    brightness: np.ndarray
    contrast: np.ndarray


def face_sums(dataset: FaceDataset) -> FaceSums:
    """The sums of all images of `dataset` by split and emotion; raises DatasetError for a table of descriptors."""
    _check_pictures(dataset)
    splits = tuple(name for name in ("train", "valid", "test", "") if np.any(dataset.split == name))
    sums = np.zeros((len(splits), len(EMOTIONS), *dataset.images.shape[1:]), np.uint64)
    counts = np.zeros(sums.shape[:2], np.int64)
    for place, split in enumerate(splits):
        for label in range(len(EMOTIONS)):
            rows = np.flatnonzero((dataset.split == split) & (dataset.labels == label))
            counts[place, label] = len(rows)
            for start in range(0, len(rows), _AT_ONCE):
                sums[place, label] += dataset.images[rows[start : start + _AT_ONCE]].sum(axis=0, dtype=np.uint64)
    return FaceSums(splits, sums, counts)


def levels(dataset: FaceDataset) -> Levels:
    """Brightness and contrast of every image of `dataset`; raises DatasetError for a table of descriptors."""
    _check_pictures(dataset)
    brightness, contrast = np.empty(len(dataset), np.float32), np.empty(len(dataset), np.float32)
    step = _AT_ONCE if dataset.channels == 1 else _AT_ONCE // 32
    for start in range(0, len(dataset), step):
        part = dataset.images[start : start + step].astype(np.float32)
        gray = (part @ np.array(LUMINANCE, np.float32) if dataset.channels == 3 else part).reshape(len(part), -1)
        brightness[start : start + step] = gray.mean(axis=1)
        contrast[start : start + step] = gray.std(axis=1)
    return Levels(brightness, contrast)


def _check_pictures(dataset: FaceDataset) -> None:
    if dataset.is_table:
        raise DatasetError(f"{dataset.name} holds descriptors of faces and no pictures")
