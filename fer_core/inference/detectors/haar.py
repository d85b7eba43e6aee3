"""The frontal-face cascade that comes with OpenCV 4."""

import cv2
import numpy as np

from fer_core.haar import Square, find_squares, require_cascade
from fer_core.inference.boxes import FaceBox, check_picture, to_channels
from fer_core.inference.detectors.base import DETECTORS

# 62 film stills of 720 × 576 gave 37 boxes, 2 of them false; enlarged to 1280 pixels 51 boxes, 14 of them false,
# and the same faces. The smallest face found is 24 pixels, 4.4 % of the short side of a 4:3 photo at this size.
MAX_SIDE = 720


@DETECTORS.register("haar")
class FaceDetector:
    """Haar cascade of frontal faces; its boxes are squares.

    `scale_factor` is the step between the sizes looked for (> 1), `min_neighbors` how many overlapping
    hits make a face (>= 0). Pictures with a side above `max_side` pixels are looked at reduced, which is
    faster and finds fewer false faces.
    Source: Viola and Jones (2001); paper 4. A `scale_factor` of 1.1 is known to find faces that are none.
    """

    def __init__(self, scale_factor: float = 1.2, min_neighbors: int = 5, max_side: int = MAX_SIDE) -> None:
        self.scale_factor = scale_factor
        self.min_neighbors = min_neighbors
        self.max_side = max_side
        require_cascade()

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a uint8 picture (H, W) or RGB (H, W, 3), largest first; none where there is none."""
        check_picture(image)
        height, width = image.shape[:2]
        reduction = max(1.0, max(height, width) / self.max_side)
        gray = to_channels(_reduced(image, reduction), 1)
        found = find_squares(gray, scale_factor=self.scale_factor, min_neighbors=self.min_neighbors)
        boxes = [_enlarged(square, reduction, width, height) for square in found]
        return sorted(boxes, key=lambda box: (-box.area, box.y, box.x))


def _reduced(image: np.ndarray, reduction: float) -> np.ndarray:
    if reduction == 1.0:
        return image
    height, width = (max(1, round(side / reduction)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _enlarged(square: Square, reduction: float, width: int, height: int) -> FaceBox:
    """A square of the reduced picture in the whole one, inside the picture."""
    x, y, side = (round(value * reduction) for value in square)
    side = min(side, width, height)
    return FaceBox(min(x, width - side), min(y, height - side), side, side)
