"""What a reader of a source format is: it says where each image belongs, and decodes nothing itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from fer_core.registry import Registry

SPLITS: tuple[str, ...] = ("train", "valid", "test")


@dataclass(frozen=True)
class Place:
    """Where one image belongs: index into EMOTIONS, split ("" for none) and id, unique in its dataset."""

    label: int
    split: str
    id: str


@dataclass(frozen=True)
class Layout:
    """A way of laying images out in folders.

    Of the layouts whose `matches` accepts the paths of all images, the one with the highest
    `specificity` is taken; its `place` may raise SourceError. `is_fer2013` asks for a comparison
    with FER2013's published counts.
    """

    description: str
    specificity: int
    matches: Callable[[Sequence[PurePosixPath]], bool]
    place: Callable[[PurePosixPath], Place]
    is_fer2013: bool = False


@dataclass(frozen=True)
class Table:
    """A CSV with one 48x48 image per row, as numbers parted by spaces in a column `pixels`.

    Columns are compared in lower case without surrounding spaces. `split_of` takes a row and
    returns (split, prefix of the id); it raises ValueError with the reason for a value it does not know.
    """

    description: str
    specificity: int
    columns: frozenset[str]
    split_of: Callable[[Mapping[str, str]], tuple[str, str]]


LAYOUTS: Registry[Layout] = Registry("image layout")
TABLES: Registry[Table] = Registry("table format")
