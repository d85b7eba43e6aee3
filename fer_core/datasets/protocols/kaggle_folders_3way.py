"""Paper 2's protocol."""

import numpy as np

from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.protocols.base import PROTOCOLS, Split
from fer_core.datasets.protocols.drawing import draw, require_classes

# images in the folders of Kaggle's "Face expression recognition dataset": the 35,887 of FER2013, split anew
TRAIN, VALIDATION = 28_821, 7_066
NOTE = "drawn by class in the sizes of Kaggle's train and validation folders, whose own lists this copy lacks"


@PROTOCOLS.register("kaggle_folders_3way")
def kaggle_folders_3way(dataset: FaceDataset, seed: int) -> list[Split]:
    """Paper 2: Kaggle's train folder, its validation folder halved by class; elsewhere drawn in those sizes.

    28,821 / 3,533 / 3,533 images. A dataset of train and validation folders keeps them; FER2013 with
    the official split, which differs, is drawn by class in the same proportions.
    """
    rng = np.random.default_rng(seed)
    folders = set(np.unique(dataset.split)) == {"train", "valid"}
    if folders:
        train, held_out = (np.flatnonzero(dataset.split == part) for part in ("train", "valid"))
    else:
        size = round(len(dataset) * VALIDATION / (TRAIN + VALIDATION))
        held_out, train = draw(np.arange(len(dataset)), dataset.labels, size, rng)
    valid, test = draw(held_out, dataset.labels, len(held_out) // 2, rng)
    require_classes(dataset.labels, {"train": train, "valid": valid, "test": test})
    return [Split("", train, valid, test, "" if folders else NOTE)]
