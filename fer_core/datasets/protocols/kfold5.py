"""Paper 5's protocol."""

import numpy as np

from fer_core.datasets.errors import ProtocolError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.protocols.base import PROTOCOLS, Split
from fer_core.datasets.protocols.drawing import class_order, draw, require_classes
from fer_core.labels import EMOTIONS

FOLDS = 5


@PROTOCOLS.register("kfold5")
def kfold5(dataset: FaceDataset, seed: int) -> list[Split]:
    """Paper 5: five folds with every class's share, each the test once; a tenth of the others chooses the epoch."""
    rng = np.random.default_rng(seed)
    rows = np.arange(len(dataset))
    by_class = class_order(rows, dataset.labels, rng)
    smallest = min(by_class, key=len)
    if len(smallest) < FOLDS:
        emotion = EMOTIONS[dataset.labels[smallest[0]]]
        raise ProtocolError(f"its class {emotion} has {len(smallest)} of the {FOLDS} images that {FOLDS} folds need")
    # dealt out one by one, class after class: sizes and class counts of the folds differ by at most one
    dealt = np.concatenate(by_class)
    return [_fold(dataset.labels, fold, np.sort(dealt[fold::FOLDS]), rng) for fold in range(FOLDS)]


def _fold(labels: np.ndarray, fold: int, test: np.ndarray, rng: np.random.Generator) -> Split:
    rest = np.setdiff1d(np.arange(len(labels)), test)
    valid, train = draw(rest, labels, round(len(rest) / 10), rng)
    require_classes(labels, {"train": train, "valid": valid, "test": test})
    return Split(str(fold + 1), train, valid, test)
