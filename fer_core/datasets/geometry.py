"""One size and colour for all images of a dataset."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from fer_core.datasets.errors import DatasetError

SIZES = (16, 512)
ASPECTS = (0.25, 4)
WITHOUT_FACE = ("keep", "drop", "refuse")
_DEFAULT_SIDE_LIMIT = 224


@dataclass(frozen=True)
class Wanted:
    """What the user asks of all images; what is not asked for is decided by what most images are.

    `size` is the side of the square that each becomes, in pixels within SIZES. `without_face`, one of
    WITHOUT_FACE, asks for the largest face of each picture and says what becomes of a picture without one:
    its centre is kept, it is dropped, or everything is refused. `aspect` is the width over the height at which
    pictures are meant to be shown, where their pixels are not square: 16 / 9 for film stills of 720×576.
    Raises DatasetError for anything else.
    """

    size: int | None = None
    colour: Literal["as most", "gray"] = "as most"
    without_face: str | None = None
    aspect: float | None = None

    def __post_init__(self) -> None:
        if self.aspect is not None and not ASPECTS[0] <= self.aspect <= ASPECTS[1]:
            raise DatasetError(
                f"pictures can be {ASPECTS[0]} to {ASPECTS[1]} times as wide as high, not {self.aspect:g}"
            )
        if self.size is not None and not SIZES[0] <= self.size <= SIZES[1]:
            raise DatasetError(f"images can be {SIZES[0]} to {SIZES[1]} pixels wide and high, not {self.size}")
        if self.aspect is not None and self.size is None:
            raise DatasetError("pictures shown at another aspect are brought to one size; say which")
        if self.without_face is None:
            return
        if self.without_face not in WITHOUT_FACE:
            raise DatasetError(
                f"unknown choice '{self.without_face}' for pictures without a face; "
                f"choose from {', '.join(WITHOUT_FACE)}"
            )
        if self.size is None:
            raise DatasetError("faces are cropped to one size; say which")


def as_shown(image: np.ndarray, aspect: float | None) -> np.ndarray:
    """An image (H, W) or (H, W, 3) with square pixels: as high as before, `aspect` times as wide as high."""
    if aspect is None:
        return image
    return cv2.resize(image, (round(image.shape[0] * aspect), image.shape[0]), interpolation=cv2.INTER_LINEAR)


@dataclass(frozen=True)
class Geometry:
    """What every image becomes: `shape` is (H, W) for gray, (H, W, 3) for RGB; counts are of the originals.

    `colour_reason` ends the sentence about images that change between gray and colour.
    """

    shape: tuple[int, ...]
    images: int
    colour_images: int
    other_sizes: int
    colour_reason: str = "as most are"

    def convert(self, image: np.ndarray) -> np.ndarray:
        """One uint8 image, gray or RGB of any size, as uint8 of `shape`.

        Gray is OpenCV's weighted sum. A change of size keeps the proportions and cuts what stands
        over, evenly on both sides.
        """
        if image.ndim == 3 and len(self.shape) == 2:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        elif image.ndim == 2 and len(self.shape) == 3:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
        return image if image.shape == self.shape else covering(image, self.shape[0], self.shape[1])

    def remarks(self) -> list[str]:
        """What the conversion did, in sentences for the user."""
        height, width = self.shape[:2]
        same, colour = self.images - self.other_sizes, "in colour" if len(self.shape) == 3 else "in gray"
        told = [] if self.other_sizes else [f"{self.images:,} images of {width}x{height} kept {colour}"]
        if same and self.other_sizes:
            told.append(f"{same:,} images of {width}x{height} kept")
        if self.other_sizes:
            told.append(f"{self.other_sizes:,} images of other sizes resized to {width}x{height}, cut at the edges")
        return told + self.colour_remarks()

    def colour_remarks(self) -> list[str]:
        """What the conversion did to colours alone."""
        if len(self.shape) == 2 and self.colour_images:
            return [f"{self.colour_images:,} colour images turned gray, {self.colour_reason}"]
        if len(self.shape) == 3 and self.images > self.colour_images:
            return [f"{self.images - self.colour_images:,} gray images given three channels, {self.colour_reason}"]
        return []


def choose_geometry(shapes: Sequence[tuple[int, ...]], wanted: Wanted) -> Geometry:
    """What is wanted; else the size most images have, or a square of the median shorter side without a majority.

    Colour is kept if at least half of the images have it. `shapes` holds (H, W) or (H, W, 3) each.
    """
    sizes = Counter(shape[:2] for shape in shapes)
    size, frequency = max(sizes.items(), key=lambda item: (item[1], item[0]))
    if wanted.size is not None:
        size = (wanted.size, wanted.size)
    elif 2 * frequency < len(shapes):
        side = int(min(_DEFAULT_SIDE_LIMIT, np.median([min(shape[:2]) for shape in shapes])))
        size = (side, side)
    colour_images = sum(len(shape) == 3 for shape in shapes)
    in_colour = wanted.colour == "as most" and 2 * colour_images >= len(shapes)
    reason = "as wanted" if wanted.colour == "gray" else "as most are in colour" if in_colour else "as most are"
    shape = (*size, 3) if in_colour else size
    return Geometry(shape, len(shapes), colour_images, len(shapes) - sizes[size], reason)


def covering(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image of any size as (height, width): its proportions kept, what stands over cut evenly on both sides."""
    scale = max(height / image.shape[0], width / image.shape[1])
    size = max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (resized.shape[0] - height) // 2, (resized.shape[1] - width) // 2
    return np.ascontiguousarray(resized[top : top + height, left : left + width])
