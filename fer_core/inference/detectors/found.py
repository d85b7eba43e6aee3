"""What neural detectors find, and how it becomes boxes like those of OpenCV's cascade."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fer_core.inference.boxes import FaceBox

if TYPE_CHECKING:
    import onnxruntime

CLOSE_EYES = 0.15  # of the box's side; 0.35 is usual


@dataclass(frozen=True, eq=False)
class Found:
    """N faces in pixels of a picture, float32.

    `corners` (N, 4): left, top, right, bottom; `scores` (N,) in [0, 1]; `eyes` (N, 2, 2): the (x, y) of the eye that
    is at the left of an upright face, then of the other.
    """

    corners: np.ndarray
    scores: np.ndarray
    eyes: np.ndarray

    @classmethod
    def none(cls) -> "Found":
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 2, 2), np.float32))

    def __getitem__(self, kept: np.ndarray) -> "Found":
        """Those of the rows `kept`: numbers, or a mask."""
        return Found(self.corners[kept], self.scores[kept], self.eyes[kept])

    def enlarged(self, factor: float) -> "Found":
        """The same faces in a picture `factor` times as large."""
        return Found(self.corners * factor, self.scores, self.eyes * factor)


@dataclass(frozen=True)
class Framing:
    """How a detector's boxes become the cascade's, which the datasets' faces were cut out with.

    The square's side is `scale` times the longer side of the box; its centre lies below the middle of the eyes by
    `down` of that side, along the face where it is turned.
    """

    scale: float
    down: float

    def boxes(self, found: Found, picture: np.ndarray) -> list[FaceBox]:
        """Squares in whole pixels with the roll of the eyes, largest first; those beside the picture are left out."""
        height, width = picture.shape[:2]
        boxes = [self._box(*each) for each in zip(found.corners, found.eyes, strict=True)]
        inside = [box for box in boxes if -box.width < box.x < width and -box.height < box.y < height]
        return sorted(inside, key=lambda box: (-box.area, box.y, box.x))

    def _box(self, corners: np.ndarray, eyes: np.ndarray) -> FaceBox:
        side = max(1, round(self.scale * float((corners[2:] - corners[:2]).max())))
        apart, (x, y) = eyes[1] - eyes[0], eyes.mean(axis=0)
        seen_from_the_side = np.hypot(*apart) < CLOSE_EYES * side  # their line says nothing then
        roll = 0.0 if seen_from_the_side else float(np.arctan2(apart[1], apart[0]))
        x, y = x - self.down * side * np.sin(roll), y + self.down * side * np.cos(roll)
        return FaceBox(round(x - side / 2), round(y - side / 2), side, side, float(np.degrees(roll)))


def distinct(corners: np.ndarray, scores: np.ndarray, most_shared: float, *, of_smaller: bool = False) -> np.ndarray:
    """Rows of the boxes (N, 4) that are one face each, the surest first: non-maximum suppression.

    Of two that share more than `most_shared` of their union, or with `of_smaller` of the smaller one, the surer stays.
    """
    left, top, right, bottom = corners.T
    areas = (right - left) * (bottom - top)
    waiting, kept = np.argsort(-scores, kind="stable"), []
    while waiting.size:
        best, rest = waiting[0], waiting[1:]
        kept.append(best)
        wide = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        high = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        shared = np.clip(wide, 0, None) * np.clip(high, 0, None)
        whole = np.minimum(areas[best], areas[rest]) if of_smaller else areas[best] + areas[rest] - shared
        waiting = rest[shared <= most_shared * whole]
    return np.array(kept, np.intp)


def reduced(image: np.ndarray, max_side: int) -> tuple[np.ndarray, float]:
    """A picture with no side above `max_side` pixels, and how many times as large the given one is."""
    reduction = max(1.0, max(image.shape[:2]) / max_side)
    if reduction == 1.0:
        return image, 1.0
    height, width = (max(1, round(side / reduction)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), reduction


def package_file(package: str, name: str) -> Path | None:
    """A file that an installed package brings, found without importing the package; None where it is not there."""
    found = find_spec(package)
    path = Path(found.origin).parent / name if found and found.origin else None
    return path if path and path.is_file() else None


def load_network(model: Path | bytes) -> "onnxruntime.InferenceSession":
    """An ONNX network on the processor; one may serve several threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the files name constants as inputs, of which onnxruntime warns
    return onnxruntime.InferenceSession(
        str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"]
    )
