"""Cross-validation: paper 5's five folds, and any other number of them."""

import numpy as np

from fer_core.datasets.errors import ProtocolError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.protocols.base import PROTOCOLS, Protocol, Split
from fer_core.datasets.protocols.drawing import draw, require_classes
from fer_core.labels import EMOTIONS


def kfold(folds: int) -> Protocol:
    """The protocol of so many folds; it raises ProtocolError where a class has fewer images than folds."""
    if folds < 2:
        raise ProtocolError(f"cross-validation needs at least 2 folds, got {folds}")

    def splits(dataset: FaceDataset, seed: int) -> list[Split]:
        """Each fold the test once, every class with its share; a tenth of the others chooses the epoch."""
        counts = np.bincount(dataset.labels, minlength=len(EMOTIONS))
        smallest = min((count, label) for label, count in enumerate(counts) if count)
        if smallest[0] < folds:
            emotion = EMOTIONS[smallest[1]]
            raise ProtocolError(f"its class {emotion} has {smallest[0]} of the {folds} images that {folds} folds need")
        from sklearn.model_selection import StratifiedKFold  # takes seconds, and no other protocol needs it

        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        tests = [test.astype(np.int64) for _, test in splitter.split(dataset.labels, dataset.labels)]
        rng = np.random.default_rng(seed)
        return [_fold(dataset.labels, str(number), test, rng) for number, test in enumerate(tests, start=1)]

    return splits


def _fold(labels: np.ndarray, fold: str, test: np.ndarray, rng: np.random.Generator) -> Split:
    rest = np.setdiff1d(np.arange(len(labels)), test)
    valid, train = draw(rest, labels, round(len(rest) / 10), rng)
    require_classes(labels, {"train": train, "valid": valid, "test": test})
    return Split(fold, train, valid, test)


@PROTOCOLS.register("kfold5")
def kfold5(dataset: FaceDataset, seed: int) -> list[Split]:
    """Paper 5: five folds with every class's share, each the test once; a tenth of the others chooses the epoch."""
    return kfold(5)(dataset, seed)


PROTOCOLS.add_counted("kfold", kfold)
