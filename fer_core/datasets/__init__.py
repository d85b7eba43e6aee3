"""Datasets of faces: reading, caching, splitting and auditing them."""

from pathlib import Path

from fer_core.datasets.auditing import Audit, Inspection, audit, clean_mask, inspect
from fer_core.datasets.cache import load_prepared, prepared_names
from fer_core.datasets.errors import DatasetError, DatasetMissingError, ProtocolError, SourceError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.geometry import Wanted
from fer_core.datasets.preparation import prepare
from fer_core.datasets.protocols import PROTOCOLS, Split, get_splits, refused_protocols, served_protocols
from fer_core.datasets.statistics import FaceSums, Levels, face_sums, levels
from fer_core.datasets.synthetic import synthetic_dataset

__all__ = [
    "PROTOCOLS",
    "Audit",
    "DatasetError",
    "DatasetMissingError",
    "FaceDataset",
    "FaceSums",
    "Inspection",
    "Levels",
    "ProtocolError",
    "SourceError",
    "Split",
    "Wanted",
    "audit",
    "clean_mask",
    "dataset_names",
    "face_sums",
    "get_splits",
    "inspect",
    "levels",
    "load_dataset",
    "prepare",
    "refused_protocols",
    "served_protocols",
    "synthetic_dataset",
]


def load_dataset(name: str, folder: Path | None = None) -> FaceDataset:
    """The prepared dataset `name`, or the drawn faces for "synthetic".

    `folder` defaults to the data folder. Raises DatasetMissingError, which says how to get
    FER2013 and how to try at once.
    """
    return synthetic_dataset() if name == "synthetic" else load_prepared(name, folder)


def dataset_names(folder: Path | None = None) -> list[str]:
    """Names that `load_dataset` takes: the prepared ones, then "synthetic"."""
    return [*prepared_names(folder), "synthetic"]
