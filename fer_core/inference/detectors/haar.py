"""The frontal-face cascade that comes with OpenCV 4."""

from typing import ClassVar

import numpy as np

from fer_core.haar import Square, find_squares_in_two_looks, require_cascade
from fer_core.inference.boxes import FaceBox, check_picture, to_channels
from fer_core.inference.detectors.base import DETECTORS
from fer_core.inference.detectors.found import reduced

# 62 film stills of 720 × 576 gave 37 boxes, 2 of them false; enlarged to 1280 pixels 51 boxes, 14 of them false,
# and the same faces.
MAX_SIDE = 720
# Smaller faces are what MTCNN is for: of 69 boxes in 97 such stills one was below 30 pixels, and false. On 337 stills
# in which MTCNN finds 346 faces, OpenCV's search in one look (1.2, 5 neighbours, 30 pixels) has 212 of them and 27
# other boxes; these settings, in two looks, have 214 and 32 in half the time.
MIN_SIDE = 36
SCALE_FACTOR, MIN_NEIGHBORS = 1.1, 8


@DETECTORS.register("haar")
class FaceDetector:
    """Haar cascade of frontal faces; its boxes are squares.

    `scale_factor` is the step between the sizes looked for (> 1), `min_neighbors` how many overlapping
    hits make a face (>= 0), `min_side` the smallest side in pixels. Pictures with a side above `max_side`
    pixels are looked at reduced, which is faster and finds fewer false faces.
    Source: Viola and Jones (2001); paper 4.
    """

    label: ClassVar[str] = "Haar cascade, as in the papers"
    finds_eyes: ClassVar[bool] = False

    def __init__(
        self,
        scale_factor: float = SCALE_FACTOR,
        min_neighbors: int = MIN_NEIGHBORS,
        max_side: int = MAX_SIDE,
        min_side: int = MIN_SIDE,
    ) -> None:
        self.scale_factor = scale_factor
        self.min_neighbors = min_neighbors
        self.max_side = max_side
        self.min_side = min_side
        require_cascade()

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a uint8 picture (H, W) or RGB (H, W, 3), largest first; none where there is none."""
        check_picture(image)
        height, width = image.shape[:2]
        looked_at, reduction = reduced(image, self.max_side)
        found = find_squares_in_two_looks(
            to_channels(looked_at, 1),
            scale_factor=self.scale_factor,
            min_neighbors=self.min_neighbors,
            min_side=self.min_side,
        )
        boxes = [_enlarged(square, reduction, width, height) for square in found]
        return sorted(boxes, key=lambda box: (-box.area, box.y, box.x))


def _enlarged(square: Square, reduction: float, width: int, height: int) -> FaceBox:
    """A square of the reduced picture in the whole one, inside the picture."""
    x, y, side = (round(value * reduction) for value in square)
    side = min(side, width, height)
    return FaceBox(min(x, width - side), min(y, height - side), side, side)
