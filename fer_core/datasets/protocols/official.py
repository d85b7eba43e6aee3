"""The dataset's own split."""

import numpy as np

from fer_core.datasets.errors import ProtocolError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.protocols.base import PROTOCOLS, Split


@PROTOCOLS.register("official")
def official(dataset: FaceDataset, _seed: int) -> list[Split]:
    """The split that the dataset's authors made; the seed changes nothing."""
    train, valid, test = (np.flatnonzero(dataset.split == part) for part in ("train", "valid", "test"))
    missing = [part for part, rows in (("train", train), ("valid", valid), ("test", test)) if not len(rows)]
    if missing:
        raise ProtocolError(f"it has no official {' or '.join(missing)} images")
    return [Split("", train, valid, test)]
