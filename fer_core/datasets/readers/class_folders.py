"""One folder per class, with images of any size or colour and no official split."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from fer_core.datasets.classes import class_depth, folder_of, label_of_path
from fer_core.datasets.readers.base import LAYOUTS, Layout, Place
from fer_core.labels import EMOTIONS


def matches(paths: Sequence[PurePosixPath]) -> bool:
    """Whether every image lies in a class folder."""
    return all(class_depth(folder_of(path)) is not None for path in paths)


def place(path: PurePosixPath) -> Place:
    """Id `<class>/<rest of the path without suffix>`."""
    label = label_of_path(path)
    inside = path.with_suffix("").parts[(class_depth(folder_of(path)) or 0) + 1 :]
    return Place(label, "", "/".join((EMOTIONS[label], *inside)))


LAYOUTS.add("class_folders", Layout("a folder per class of images", 10, matches, place))
