"""Protocols: which images to train on, to choose by, and to test on.

A protocol is a function (dataset, seed) -> list of splits, one per fold; a new one is one function
registered here. It raises ProtocolError, with the reason, for a dataset it cannot serve.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fer_core.datasets.errors import ProtocolError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.registry import Registry


@dataclass(frozen=True, eq=False)
class Split:
    """Row indices (int64, sorted) of one fold; `fold` is "" where a protocol has only one."""

    fold: str
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


Protocol = Callable[[FaceDataset, int], list[Split]]
PROTOCOLS: Registry[Protocol] = Registry("protocol")


def get_splits(dataset: FaceDataset, protocol: str, seed: int = 0) -> list[Split]:
    """The folds of `protocol` on `dataset`; the same for the same seed.

    Raises UnknownNameError for an unknown protocol and ProtocolError for one that the dataset
    cannot serve; both say which it can.
    """
    make = PROTOCOLS.get(protocol)
    try:
        return make(dataset, seed)
    except ProtocolError as error:
        choices = ", ".join(served_protocols(dataset)) or "none of those there are"
        raise ProtocolError(
            f"protocol '{protocol}' cannot serve '{dataset.name}': {error}; it can be served by: {choices}"
        ) from None


def served_protocols(dataset: FaceDataset) -> list[str]:
    """Names of the protocols that `dataset` can serve."""
    return [name for name in PROTOCOLS.names() if _serves(PROTOCOLS.get(name), dataset)]


def _serves(protocol: Protocol, dataset: FaceDataset) -> bool:
    try:
        protocol(dataset, 0)
    except ProtocolError:
        return False
    return True


@PROTOCOLS.register("official")
def official(dataset: FaceDataset, _seed: int) -> list[Split]:
    """The split that the dataset's authors made; the seed changes nothing."""
    train, valid, test = (np.flatnonzero(dataset.split == part) for part in ("train", "valid", "test"))
    missing = [part for part, rows in (("train", train), ("valid", valid), ("test", test)) if not len(rows)]
    if missing:
        raise ProtocolError(f"it has no official {' or '.join(missing)} images")
    return [Split("", train, valid, test)]
