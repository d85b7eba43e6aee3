"""FER2013 as Kaggle's folders: train/<class>, test/<class>, the official split in the file names."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from fer_core.datasets.classes import label_of_path
from fer_core.datasets.errors import SourceError
from fer_core.datasets.readers.base import LAYOUTS, Layout, Place
from fer_core.labels import EMOTIONS

USAGES = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}


def usage_of(path: PurePosixPath) -> str | None:
    """`Training`, `PublicTest` or `PrivateTest` where the file's name begins with it."""
    usage, underscore, _ = path.name.partition("_")
    return usage if underscore and usage in USAGES else None


def matches(paths: Sequence[PurePosixPath]) -> bool:
    """Whether any file's name tells its part of FER2013."""
    return any(usage_of(path) for path in paths)


def place(path: PurePosixPath) -> Place:
    """Id `<class>/<file stem>`: two stems occur in two classes."""
    usage = usage_of(path)
    if usage is None:
        raise SourceError(f"the name of '{path}' does not begin with {', '.join(USAGES)} as those of the others do")
    label = label_of_path(path)
    return Place(label, USAGES[usage], f"{EMOTIONS[label]}/{path.stem}")


LAYOUTS.add(
    "kaggle_folders",
    Layout("Kaggle's FER2013 (train/<class>/Training_*.jpg, test/<class>/P*Test_*.jpg)", 30, matches, place, True),
)
