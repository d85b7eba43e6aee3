"""Paper 4's protocol, and that of paper 5's final model."""

import numpy as np

from fer_core.datasets.errors import ProtocolError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.protocols.base import PROTOCOLS, Split
from fer_core.datasets.protocols.drawing import draw, require_classes

NOTE = "the paper validated on the test images; here the epoch is chosen on a tenth of the training images"


@PROTOCOLS.register("train_vs_rest")
def train_vs_rest(dataset: FaceDataset, seed: int) -> list[Split]:
    """Paper 4: all official images but Training's are the test; a tenth of Training, held out, chooses the epoch.

    The paper trained on all of Training and validated on PublicTest and PrivateTest together.
    """
    official_train = np.flatnonzero(dataset.split == "train")
    test = np.flatnonzero((dataset.split == "valid") | (dataset.split == "test"))
    if not len(official_train) or not len(test):
        raise ProtocolError("it has no official split into training and other images")
    size = round(len(official_train) / 10)
    valid, train = draw(official_train, dataset.labels, size, np.random.default_rng(seed))
    require_classes(dataset.labels, {"train": train, "valid": valid, "test": test})
    return [Split("", train, valid, test, NOTE)]
