"""BlazeFace on the server, as browser/detector.js has it in the browser; a test holds one against the other."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from fer_core.inference import FaceBox

LONG_SIDE, CELL = 192, 16  # pixels: of what the detector sees, whose sides are whole cells
ANCHORS = ((8, 2), (16, 6))  # pixels of a cell, and anchors in it
THRESHOLD = 0.6
OVERLAP = 0.3  # boxes that share more are one face
MOST_FACES = 8
UP, SCALE = 0.124, 1.05  # to where OpenCV's cascade would have drawn the box


@dataclass(frozen=True)
class Target:
    """The detector's picture: whole cells, and its pixels per pixel of the camera's."""

    width: int
    height: int
    scale: float


class BlazeFace:
    """MediaPipe's detector (short range) on one thread; one instance may serve several threads."""

    def __init__(self, weights: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # viewers share the processors, not a frame
        self.session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a uint8 RGB picture (H, W, 3), the surest first, at most 8; they may reach over its edge."""
        height, width = image.shape[:2]
        target = target_size(width, height)
        boxes, scores = self.session.run(None, {"pixels": _planes(image, target)})
        sure = merged(*decoded(boxes[0], scores[0, :, 0], target))
        faces = [_as_cascade(box, target.scale) for box in sure[:MOST_FACES]]
        return [face for face in faces if _touches(face, width, height)]


def target_size(width: int, height: int) -> Target:
    """The sides of the detector's picture for a camera's."""
    scale = LONG_SIDE / max(width, height)
    across, down = (max(CELL, CELL * int(np.ceil(side * scale / CELL - 1e-6))) for side in (width, height))
    return Target(across, down, scale)


def _planes(image: np.ndarray, target: Target) -> np.ndarray:
    """Float32 (1, 3, H, W) in [-1, 1]; below and to the right of the picture it is black."""
    inside = [max(1, round(side * target.scale)) for side in (image.shape[1], image.shape[0])]
    padded = np.zeros((target.height, target.width, 3), np.uint8)
    padded[: inside[1], : inside[0]] = _reduced(image, *inside)
    return (padded.transpose(2, 0, 1)[None] * np.float32(2 / 255) - 1).astype(np.float32)


def _reduced(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Halved as often as that goes, and then linear: a fifth of the time of cv2.INTER_AREA at once."""
    while image.shape[1] >= 2 * width and image.shape[0] >= 2 * height:
        sides = image.shape[1] // 2, image.shape[0] // 2
        image = cv2.resize(image, sides, interpolation=cv2.INTER_AREA)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


def decoded(boxes: np.ndarray, scores: np.ndarray, target: Target) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (N, 4) as left, top, width and height in the detector's pixels, and scores (N,), above the threshold."""
    centres = np.concatenate([_centres(stride, count, target) for stride, count in ANCHORS])
    shares = 1 / (1 + np.exp(-np.clip(scores, -80, 80)))
    kept = shares >= THRESHOLD
    sides = boxes[kept, 2:4]
    return np.hstack([boxes[kept, :2] + centres[kept] - sides / 2, sides]), shares[kept]


def _centres(stride: int, count: int, target: Target) -> np.ndarray:
    rows, columns = np.mgrid[: target.height // stride, : target.width // stride]
    cells = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    return (np.repeat(cells, count, axis=0) + 0.5) * stride


def merged(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """One box a face, the surest first: those that overlap it are averaged, each weighed by its score."""
    faces, left = [], np.argsort(-scores, kind="stable")
    while len(left):
        same = (left == left[0]) | (_overlaps(boxes[left], boxes[left[0]]) > OVERLAP)
        faces.append(np.average(boxes[left[same]], axis=0, weights=scores[left[same]]))
        left = left[~same]
    return np.array(faces).reshape(-1, 4)


def _overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union of each box with one."""
    ends = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    shared = np.clip(ends - np.maximum(boxes[:, :2], box[:2]), 0, None).prod(axis=1)
    shares: np.ndarray = shared / (boxes[:, 2:].prod(axis=1) + box[2:].prod() - shared)
    return shares


def _as_cascade(box: np.ndarray, scale: float) -> FaceBox:
    """A square in whole pixels of the picture."""
    x, y, width, height = box
    side = max(1, _rounded(SCALE * max(width, height) / scale))
    left, top = (x + width / 2) / scale - side / 2, (y + height / 2 - UP * height) / scale - side / 2
    return FaceBox(_rounded(left), _rounded(top), side, side)


def _rounded(value: float) -> int:
    """Halves up, as JavaScript rounds."""
    return int(np.floor(value + 0.5))


def _touches(face: FaceBox, width: int, height: int) -> bool:
    return face.x + face.width > 0 and face.y + face.height > 0 and face.x < width and face.y < height
