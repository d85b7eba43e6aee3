"""What every protocol has: its registry, the splits that it gives, and how they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fer_core.datasets.errors import ProtocolError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.registry import Registry


@dataclass(frozen=True, eq=False)
class Split:
    """Row indices (int64, sorted) of one fold; `fold` is "" where a protocol has only one.

    `note` says in one sentence how the split differs from the one that its source describes; it is
    empty where it does not.
    """

    fold: str
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    note: str = ""


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
