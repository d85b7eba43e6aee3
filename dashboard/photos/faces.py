"""Photos, the boxes in them, and what runs read in each: plain data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    # importing this would import OpenCV
    from fer_core.inference import Prediction

MOST_BOXES = 200  # of one photo: more than a crowd has frontal faces
LETTERS = "ABCD"  # of the runs that read the same faces


class Box(NamedTuple):
    """A rectangle in pixels of the photo; (x, y) is its upper left corner.

    It is turned around its centre by `roll` degrees, clockwise, as `FaceBox` is.
    """

    x: int
    y: int
    width: int
    height: int
    roll: float = 0.0

    def scaled(self, across: float, down: float) -> "Box":
        """As `FaceBox.scaled`."""
        from fer_core.inference import FaceBox

        box = FaceBox(*self).scaled(across, down)
        return Box(box.x, box.y, box.width, box.height, box.roll)


@dataclass(frozen=True, eq=False)
class Photo:
    """A file that someone gave: `key` tells it from every other one of this viewer, `source` is its bytes."""

    name: str
    key: str
    source: bytes


@dataclass(frozen=True, eq=False)
class Unpacked:
    """What is in a zip: the bytes of its pictures, and why its other ones cannot be read, each by name."""

    pictures: dict[str, bytes]
    refused: dict[str, str]


@dataclass(frozen=True)
class DetectorChoice:
    """A face detector's name for people, whether it finds the eyes, and why it cannot be used here, if so."""

    label: str
    finds_eyes: bool
    obstacle: str = ""


@dataclass(frozen=True)
class Finder:
    """How faces are found: a detector's name, and whether the crops are turned until the eyes are level."""

    detector: str
    is_level: bool = False


@dataclass(frozen=True)
class Found:
    """Size in pixels of a photo, where a detector finds faces in it, largest first, and what of it was not read.

    Large photos are reduced when they are read: `scale` is how many times as wide and as high the file is.
    """

    width: int
    height: int
    boxes: tuple[Box, ...]
    notes: tuple[str, ...] = ()
    scale: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo, numbered from 1, and what each run reads in it, by the run's id."""

    number: int
    box: Box
    readings: "dict[str, Prediction]"

    @property
    def agrees(self) -> bool:
        """Whether all runs name the same emotion."""
        return len({reading.emotion for reading in self.readings.values()}) <= 1

    def is_unsure(self, unsure_below: float) -> bool:
        """Whether any run's confidence is below the share `unsure_below`."""
        return any(reading.confidence < unsure_below for reading in self.readings.values())


@dataclass(frozen=True, eq=False)
class Looked:
    """A photo that was looked at: its size, its faces, and whether someone has drawn or corrected the boxes.

    Size and boxes are those of the photo as it was read, and `scale` leads to the file's; `notes` are sentences on
    what of it was not read.
    """

    photo: Photo
    width: int
    height: int
    is_drawn: bool
    faces: tuple[Face, ...]
    notes: tuple[str, ...] = ()
    scale: tuple[float, float] = (1.0, 1.0)

    @property
    def name(self) -> str:
        return self.photo.name


@dataclass(frozen=True)
class Refused:
    """A file that is no photo, and why, in a sentence."""

    name: str
    reason: str


def faces_of(boxes: Sequence[Box], by_run: "Mapping[str, Sequence[Prediction]]") -> tuple[Face, ...]:
    """The faces in `boxes`, given each run's predictions in the order of the boxes."""
    return tuple(
        Face(place + 1, box, {run: predictions[place] for run, predictions in by_run.items()})
        for place, box in enumerate(boxes)
    )


def boxes_within(drawn: Any, width: int, height: int) -> tuple[Box, ...]:
    """Boxes that a browser sends, `[{"x": …, "y": …, "width": …, "height": …, "roll": …}, …]`, in whole pixels.

    Whatever is no box, has its centre outside a photo of `width` × `height` pixels, or is far larger, is left out.
    """
    given = drawn if isinstance(drawn, list) else []
    found = [_box_within(each, width, height) for each in given[:MOST_BOXES]]
    return tuple(box for box in found if box is not None)


def _box_within(drawn: Any, width: int, height: int) -> Box | None:
    values = [drawn.get(name, 0) for name in Box._fields] if isinstance(drawn, dict) else []
    if not values or not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
        return None
    x, y, wide, high, roll = values
    most = 2 * max(width, height)
    is_inside = 0 <= x + wide / 2 <= width and 0 <= y + high / 2 <= height
    if not is_inside or not 1 <= wide <= most or not 1 <= high <= most or abs(roll) > 180:
        return None
    return Box(round(x), round(y), max(1, round(wide)), max(1, round(high)), float(roll))
