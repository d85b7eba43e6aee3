"""Class folders inside folders named after a split, such as images/train and images/validation."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from fer_core.datasets.classes import class_depth, folder_of, label_of_path
from fer_core.datasets.errors import SourceError
from fer_core.datasets.readers.base import LAYOUTS, Layout, Place
from fer_core.labels import EMOTIONS

SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
    "testing": "test",
}


def split_of(path: PurePosixPath) -> str | None:
    """The split named by a folder above the class folder, or None."""
    above_class = path.parent.parts[: class_depth(folder_of(path))]
    splits = [SPLIT_FOLDERS[name.lower()] for name in above_class if name.lower() in SPLIT_FOLDERS]
    return splits[-1] if splits else None


def matches(paths: Sequence[PurePosixPath]) -> bool:
    """Whether any image lies in a split's folder."""
    return any(split_of(path) for path in paths)


def place(path: PurePosixPath) -> Place:
    """Id `<split>/<class>/<rest of the path without suffix>`."""
    split = split_of(path)
    if split is None:
        raise SourceError(f"'{path}' lies in no folder train, validation or test as the others do")
    label = label_of_path(path)
    inside = path.with_suffix("").parts[(class_depth(folder_of(path)) or 0) + 1 :]
    return Place(label, split, "/".join((split, EMOTIONS[label], *inside)))


LAYOUTS.add(
    "split_folders",
    Layout("images in <train|validation|test>/<class> folders", 20, matches, place),
)
