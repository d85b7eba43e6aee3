"""One size and colour for all images of a dataset."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

_DEFAULT_SIDE_LIMIT = 224


@dataclass(frozen=True)
class Geometry:
    """What every image becomes: `shape` is (H, W) for gray, (H, W, 3) for RGB; counts are of the originals."""

    shape: tuple[int, ...]
    images: int
    colour_images: int
    other_sizes: int

    def convert(self, image: np.ndarray) -> np.ndarray:
        """One uint8 image, gray or RGB of any size, as uint8 of `shape`.

        Gray is OpenCV's weighted sum. A change of size keeps the proportions and cuts what stands
        over, evenly on both sides.
        """
        if image.ndim == 3 and len(self.shape) == 2:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        elif image.ndim == 2 and len(self.shape) == 3:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
        return image if image.shape == self.shape else _covering(image, self.shape[0], self.shape[1])

    def remarks(self) -> list[str]:
        """What the conversion did, in sentences for the user."""
        height, width = self.shape[:2]
        kept = "in colour" if len(self.shape) == 3 else "in gray"
        told = [f"{self.images - self.other_sizes:,} images of {width}x{height} kept"] if self.other_sizes else []
        if self.other_sizes:
            told.append(f"{self.other_sizes:,} images of other sizes resized to {width}x{height}, cut at the edges")
        else:
            told.append(f"{self.images:,} images of {width}x{height} kept {kept}")
        if len(self.shape) == 2 and self.colour_images:
            told.append(f"{self.colour_images:,} colour images turned gray, as most are")
        if len(self.shape) == 3 and self.images > self.colour_images:
            told.append(f"{self.images - self.colour_images:,} gray images given three channels, as most are in colour")
        return told


def choose_geometry(shapes: Sequence[tuple[int, ...]]) -> Geometry:
    """The size most images have, or a square of the median shorter side where none has a majority.

    Colour is kept if at least half of the images have it. `shapes` holds (H, W) or (H, W, 3) each.
    """
    sizes = Counter(shape[:2] for shape in shapes)
    size, frequency = max(sizes.items(), key=lambda item: (item[1], item[0]))
    if 2 * frequency < len(shapes):
        side = int(min(_DEFAULT_SIDE_LIMIT, np.median([min(shape[:2]) for shape in shapes])))
        size = (side, side)
    colour_images = sum(len(shape) == 3 for shape in shapes)
    shape = (*size, 3) if 2 * colour_images >= len(shapes) else size
    return Geometry(shape, len(shapes), colour_images, len(shapes) - sizes[size])


def _covering(image: np.ndarray, height: int, width: int) -> np.ndarray:
    scale = max(height / image.shape[0], width / image.shape[1])
    size = max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (resized.shape[0] - height) // 2, (resized.shape[1] - width) // 2
    return np.ascontiguousarray(resized[top : top + height, left : left + width])
