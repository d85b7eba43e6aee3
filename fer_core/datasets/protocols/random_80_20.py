"""Paper 1's protocol."""

import math

import numpy as np

from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.protocols.base import PROTOCOLS, Split
from fer_core.datasets.protocols.drawing import draw, require_classes

NOTE = "the paper chose and tested on the same 20 %; here the epoch is chosen on a tenth of the other 80 %"


@PROTOCOLS.register("random_80_20")
def random_80_20(dataset: FaceDataset, seed: int) -> list[Split]:
    """Paper 1: a random fifth of each class is the test; a tenth of the rest, not the test, chooses the epoch.

    72 / 8 / 20 %. The paper trained on all of the 80 % and used the 20 % to validate and to test.
    FER2013's fifth is 7,178 images with the class counts (within one) of the paper's table 3.
    """
    rng = np.random.default_rng(seed)
    test, rest = draw(np.arange(len(dataset)), dataset.labels, math.ceil(len(dataset) / 5), rng)
    valid, train = draw(rest, dataset.labels, round(len(rest) / 10), rng)
    require_classes(dataset.labels, {"train": train, "valid": valid, "test": test})
    return [Split("", train, valid, test, NOTE)]
