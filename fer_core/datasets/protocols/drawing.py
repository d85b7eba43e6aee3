"""Drawing rows at random, by class or by group of images that belong together."""

from collections.abc import Sequence

import numpy as np

from fer_core.datasets.errors import ProtocolError
from fer_core.labels import EMOTIONS


def apportion(counts: np.ndarray, total: int) -> np.ndarray:
    """`total` places shared out in proportion to `counts` (int64), each within one of its exact share.

    The places that rounding down leaves go to the largest remainders (Hamilton's method); ties go
    to the first.
    """
    shares = counts * (total / counts.sum())
    places = np.floor(shares).astype(np.int64)
    places[np.argsort(places - shares, kind="stable")[: total - places.sum()]] += 1
    return places


def draw(rows: np.ndarray, labels: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`size` of the `rows` drawn at random, and the others, both sorted; every class keeps its share.

    `labels` are those of the whole dataset. Each class gets its exact share within one image.
    """
    if size == 0:
        return rows[:0], rows
    by_class = class_order(rows, labels, rng)
    counts = np.array([len(members) for members in by_class])
    drawn = np.concatenate([members[:n] for members, n in zip(by_class, apportion(counts, size), strict=True)])
    return np.sort(drawn), np.setdiff1d(rows, drawn)


def class_order(rows: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """The `rows` of each class that occurs in them, shuffled."""
    return [rng.permutation(rows[labels[rows] == label]) for label in np.unique(labels[rows])]


def require_classes(labels: np.ndarray, parts: dict[str, np.ndarray]) -> None:
    """Raise ProtocolError unless every class of the dataset has an image in each of the named `parts`."""
    counts = np.bincount(labels, minlength=len(EMOTIONS))
    for part, rows in parts.items():
        missing = np.flatnonzero((counts > 0) & (np.bincount(labels[rows], minlength=len(EMOTIONS)) == 0))
        if len(missing):
            first = missing[np.argmin(counts[missing])]
            images = "image" if counts[first] == 1 else "images"
            raise ProtocolError(f"its {counts[first]} {images} of {EMOTIONS[first]} leave none for {part}")


def balanced_groups(counts: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Which groups (bool, (G,)) together hold about `share` of each class, for `counts` of shape (G, classes).

    From a random start, the one group or the pair whose change of side improves the balance most
    changes side, until nothing improves: deterministic for one generator's state.
    """
    chosen = rng.random(len(counts)) < share
    target = share * counts.sum(axis=0)
    while True:
        gap = chosen @ counts - target
        # (G + 1, classes): what each group's change of side adds; the last row lets a pair be a single group
        change = np.vstack([np.where(chosen, -1, 1)[:, None] * counts, np.zeros(counts.shape[1])])
        cost = ((gap + change[:, None] + change[None]) ** 2).sum(axis=2)
        np.fill_diagonal(cost, (gap**2).sum())  # a group that changes twice stays where it is
        best = np.unravel_index(np.argmin(cost), cost.shape)
        if cost[best] >= (gap**2).sum() - 1e-9:
            return chosen
        for group in _groups(best, len(counts)):
            chosen[group] = not chosen[group]


def _groups(pair: Sequence[np.intp], groups: int) -> list[int]:
    return [int(group) for group in pair if group < groups]
