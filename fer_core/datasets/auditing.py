"""What is wrong with a dataset: copies, contradictions, leakage between splits."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from fer_core.datasets.face_dataset import FaceDataset, count_table


@dataclass(frozen=True)
class Audit:
    """Counts over a dataset; a group is two or more images with exactly the same pixels.

    `counts` is images per split and emotion. `surplus_copies` counts all but the first image of every
    group; `conflicting_groups` have more than one label, `cross_split_groups` lie in more than one
    split. `valid_in_train` and `test_in_train` count images with a copy in train. The id lists name
    the members of the conflicting groups and the images of a single grey level.
    """

    dataset: str
    images: int
    counts: dict[str, dict[str, int]]
    groups: int
    surplus_copies: int
    conflicting_groups: int
    cross_split_groups: int
    valid_in_train: int
    test_in_train: int
    constant_images: int
    conflicting_ids: list[list[str]]
    constant_ids: list[str]


@dataclass(frozen=True, eq=False)
class Inspection:
    """What an audit counts, and the rows that it means.

    `groups` are the rows of exactly equal images, each int64 and rising, by their first row; `constant` the rows of
    the images of a single grey level.
    """

    audit: Audit
    groups: tuple[np.ndarray, ...]
    constant: np.ndarray


def audit(dataset: FaceDataset) -> Audit:
    """Count copies, conflicts and leakage of `dataset`, exactly, over all its images."""
    return inspect(dataset).audit


def inspect(dataset: FaceDataset) -> Inspection:
    """The audit of `dataset` with the images that it counts; 36,000 images of 48x48 take a few seconds."""
    prints = fingerprints(dataset, np.arange(len(dataset)))
    groups = _groups(prints)
    conflicting = [rows for rows in groups if len(np.unique(dataset.labels[rows])) > 1]
    flat = dataset.images.reshape(len(dataset), -1)
    constant = np.flatnonzero(flat.min(axis=1) == flat.max(axis=1))
    train, valid, test = (np.flatnonzero(dataset.split == part) for part in ("train", "valid", "test"))
    in_train = np.isin(prints, prints[train])
    counted = Audit(
        dataset=dataset.name,
        images=len(dataset),
        counts=count_table(dataset.labels, dataset.split),
        groups=len(groups),
        surplus_copies=sum(len(rows) - 1 for rows in groups),
        conflicting_groups=len(conflicting),
        cross_split_groups=sum(len(np.unique(dataset.split[rows])) > 1 for rows in groups),
        valid_in_train=int(in_train[valid].sum()),
        test_in_train=int(in_train[test].sum()),
        constant_images=len(constant),
        conflicting_ids=[[str(dataset.ids[row]) for row in rows] for rows in conflicting],
        constant_ids=[str(dataset.ids[row]) for row in constant],
    )
    return Inspection(counted, tuple(groups), constant)


def clean_mask(dataset: FaceDataset, train_rows: np.ndarray, test_rows: np.ndarray) -> np.ndarray:
    """Which of `test_rows` have no exact copy among `train_rows`: bool (len(test_rows),)."""
    return ~np.isin(fingerprints(dataset, test_rows), fingerprints(dataset, train_rows))


def fingerprints(dataset: FaceDataset, rows: np.ndarray) -> np.ndarray:
    """A 128-bit BLAKE2 digest of each image's pixels, (len(rows),) of 16-byte strings."""
    digests = [hashlib.blake2b(dataset.images[row].tobytes(), digest_size=16).hexdigest() for row in rows]
    return np.array(digests, dtype="U32")


def _groups(prints: np.ndarray) -> list[np.ndarray]:
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, fingerprint in enumerate(prints):
        rows_of[str(fingerprint)].append(row)
    return [np.array(rows) for rows in rows_of.values() if len(rows) > 1]
