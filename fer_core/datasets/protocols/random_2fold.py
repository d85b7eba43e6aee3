"""Paper 3's halves as the paper draws them."""

import numpy as np

from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.protocols.base import PROTOCOLS, Split
from fer_core.datasets.protocols.kfold import kfold

REPETITIONS = 10
NOTE = "the paper tests after the last epoch; here the epoch is chosen on a tenth of the training half"


@PROTOCOLS.register("random_2fold")
def random_2fold(dataset: FaceDataset, seed: int) -> list[Split]:
    """Paper 3 as it was measured: two random halves, each trained on in turn; descriptors are halved ten times.

    The paper calls its halves person independent, but draws them at random: frames of one film lie in
    both. `spi_2fold` keeps films apart. The ten repetitions' folds are called "1.1", "1.2" … "10.2".
    """
    if not dataset.is_table:
        return _halves(dataset, "", seed)
    seeds = np.random.default_rng(seed).integers(2**31, size=REPETITIONS)
    return [fold for time, each in enumerate(seeds, 1) for fold in _halves(dataset, f"{time}.", int(each))]


def _halves(dataset: FaceDataset, prefix: str, seed: int) -> list[Split]:
    splits = kfold(2)(dataset, seed)
    return [Split(f"{prefix}{each.fold}", each.train, each.valid, each.test, NOTE) for each in splits]
