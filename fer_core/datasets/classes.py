"""Names of class folders, as releases and people write them, to the seven emotions."""

import re
from functools import lru_cache
from pathlib import PurePosixPath

from fer_core.datasets.errors import SourceError
from fer_core.labels import EMOTIONS

ALIASES: dict[str, tuple[str, ...]] = {
    "angry": ("anger",),
    "disgust": ("disgusted",),
    "fear": ("fearful", "afraid", "scared"),
    "happy": ("happiness", "joy", "joyful"),
    "sad": ("sadness",),
    "surprise": ("surprised",),
    "neutral": ("neutrality", "normal"),
}
# Classes of neighbouring datasets (CK+, FER+, AffectNet) that the seven have no place for.
LEFT_OUT = frozenset({"contempt", "contemptuous", "unknown", "nf", "none", "uncertain"})

_LABELS = {name: label for label, emotion in enumerate(EMOTIONS) for name in (emotion, *ALIASES[emotion])}
_NUMBER_IN_FRONT = re.compile(r"^\d+[\s_.\-]+")


@lru_cache(maxsize=4096)
def label_of_name(name: str) -> int | None:
    """Index into EMOTIONS of a class folder's name (`Angry`, `happiness`, `3_happy`), or None."""
    return _LABELS.get(_NUMBER_IN_FRONT.sub("", name.strip().lower()))


def folder_of(path: PurePosixPath) -> str:
    """The folder of a file as text: pathlib's own parent costs more than decoding a small image."""
    return str(path).rpartition("/")[0]


@lru_cache(maxsize=4096)
def class_depth(folder: str) -> int | None:
    """Position in `folder` of the component that names the class (the deepest one), or None."""
    depths = [depth for depth, name in enumerate(folder.split("/")) if label_of_name(name) is not None]
    return depths[-1] if depths else None


@lru_cache(maxsize=4096)
def is_left_out(folder: str) -> bool:
    """Whether the images of `folder` show an expression outside the seven, such as contempt."""
    return class_depth(folder) is None and any(name.strip().lower() in LEFT_OUT for name in folder.split("/"))


@lru_cache(maxsize=4096)
def label_of_folder(folder: str) -> int | None:
    """Index into EMOTIONS of the class that `folder` names, or None."""
    depth = class_depth(folder)
    return None if depth is None else label_of_name(folder.split("/")[depth])


def label_of_path(path: PurePosixPath) -> int:
    """Index into EMOTIONS of the image at `path`; raises SourceError where no folder names a class."""
    label = label_of_folder(folder_of(path))
    if label is None:
        raise SourceError(f"'{path}' lies in no class folder; name its folder {', '.join(EMOTIONS)}, or leave it out")
    return label
