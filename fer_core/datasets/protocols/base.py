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


class ProtocolRegistry(Registry[Protocol]):
    """The registered protocols, and whole families of others as `<family><number>`, which no listing names."""

    def __init__(self) -> None:
        super().__init__("protocol")
        self._families: dict[str, Callable[[int], Protocol]] = {}

    def add_counted(self, family: str, make: Callable[[int], Protocol]) -> None:
        """Let `make` give the protocol of each number."""
        self._families[family] = make

    def get(self, name: str) -> Protocol:
        """The protocol called `name`; raises UnknownNameError with the choices."""
        family = name.rstrip("0123456789")
        if name not in self and family in self._families and name != family:
            return self._families[family](int(name[len(family) :]))
        return super().get(name)

    def _unknown(self, name: str) -> str:
        return ", ".join([super()._unknown(name), *(f"any {family}NUMBER" for family in sorted(self._families))])


PROTOCOLS = ProtocolRegistry()


def get_splits(dataset: FaceDataset, protocol: str, seed: int = 0) -> list[Split]:
    """The folds of `protocol` on `dataset`; the same for the same seed.

    Raises UnknownNameError for an unknown protocol and ProtocolError for one that the dataset
    cannot serve; both say which it can.
    """
    try:
        return PROTOCOLS.get(protocol)(dataset, seed)
    except ProtocolError as error:
        choices = ", ".join(served_protocols(dataset)) or "none of those there are"
        raise ProtocolError(
            f"protocol '{protocol}' cannot serve '{dataset.name}': {error}; it can be served by: {choices}"
        ) from None


def served_protocols(dataset: FaceDataset) -> list[str]:
    """Names of the protocols that `dataset` can serve."""
    refused = refused_protocols(dataset)
    return [name for name in PROTOCOLS.names() if name not in refused]


def refused_protocols(dataset: FaceDataset) -> dict[str, str]:
    """The protocols that `dataset` cannot serve, and why not."""
    refused = {}
    for name in PROTOCOLS.names():
        try:
            PROTOCOLS.get(name)(dataset, 0)
        except ProtocolError as error:
            refused[name] = str(error)
    return refused
