"""train.csv of Kaggle's competition and of torchvision's fer2013/ folder: columns emotion, pixels.

Its companion test.csv has pixels without labels, so that nothing can be learnt or measured on it.
"""

from collections.abc import Mapping

from fer_core.datasets.readers.base import TABLES, Table


def split_of(_row: Mapping[str, str]) -> tuple[str, str]:
    """Every row is a training row."""
    return "train", "Training"


TABLES.add("train_csv", Table("train.csv (columns emotion, pixels)", 10, frozenset({"emotion", "pixels"}), split_of))
