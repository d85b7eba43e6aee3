"""Seven ways in which a picture of a face gets worse, each in five severities, the same for the same seed.

Source: Hendrycks and Dietterich, Benchmarking neural network robustness to common corruptions and perturbations
(ICLR 2019, arXiv 1903.12261). Faces of 48×48 are small, so that the severities are not those of ImageNet-C but of the
authors' Tiny ImageNet-C (64×64), and what is measured in pixels there is a share of the face's side here: a Gaussian
of 1.5 pixels of 64 is one of 1.125 pixels of 48. Rotation and occlusion are no part of their benchmark; faces in the
wild are tilted and covered, so they are added here, with severities of our own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from fer_core.errors import FerError

SEVERITIES = (1, 2, 3, 4, 5)
CHUNK = 256  # faces at once: floats are made of no more of them
Worsen = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Corruption:
    """`worsen` takes uint8 (N, H, W) or (N, H, W, 3), one of the five `levels`, measured in `unit`, and a generator."""

    name: str
    unit: str
    levels: tuple[float, float, float, float, float]
    worsen: Worsen


def corrupt(faces: np.ndarray, name: str, severity: int, seed: int = 0) -> np.ndarray:
    """`faces` uint8 (N, H, W) or RGB (N, H, W, 3), worsened: a new array of the same shape and type.

    What is drawn (noise, the side of a tilt, what is covered) depends on `seed`, the corruption and the severity.
    Raises FerError for an unknown corruption, a severity that is none of 1 to 5, and other arrays.
    """
    if name not in CORRUPTIONS or severity not in SEVERITIES:
        raise FerError(
            f"unknown corruption {name!r} of severity {severity!r}; choose from {', '.join(CORRUPTIONS)}, 1 to 5"
        )
    if faces.dtype != np.uint8 or not (faces.ndim == 3 or (faces.ndim == 4 and faces.shape[3] == 3)):
        raise FerError(f"faces are uint8 of shape (N, H, W) or (N, H, W, 3), got {faces.dtype} {faces.shape}")
    chosen = CORRUPTIONS[name]
    random = np.random.default_rng((seed, list(CORRUPTIONS).index(name), severity))
    parts = [
        chosen.worsen(np.asarray(faces[start : start + CHUNK]), chosen.levels[severity - 1], random)
        for start in range(0, len(faces), CHUNK)
    ]
    return np.concatenate(parts) if parts else faces.copy()


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _noise(faces: np.ndarray, deviation: float, random: np.random.Generator) -> np.ndarray:
    return _to_bytes(faces + 255 * deviation * random.standard_normal(faces.shape, np.float32))


def _blur(faces: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    sigma = share * faces.shape[1]
    return np.stack([cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for face in faces])


def _brightness(faces: np.ndarray, added: float, random: np.random.Generator) -> np.ndarray:
    return _to_bytes(faces.astype(np.float32) + 255 * added)


def _contrast(faces: np.ndarray, kept: float, random: np.random.Generator) -> np.ndarray:
    values = faces.astype(np.float32)
    means = values.mean(axis=(1, 2), keepdims=True)
    return _to_bytes((values - means) * kept + means)


def _rotation(faces: np.ndarray, degrees: float, random: np.random.Generator) -> np.ndarray:
    height, width = faces.shape[1:3]
    centre = ((width - 1) / 2, (height - 1) / 2)
    sides = random.choice((-1.0, 1.0), len(faces))
    turned = [cv2.getRotationMatrix2D(centre, side * degrees, 1.0) for side in sides]
    return np.stack(
        [
            cv2.warpAffine(face, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for face, matrix in zip(faces, turned, strict=True)
        ]
    )


def _occlusion(faces: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    covered = faces.copy()
    side = round(share * faces.shape[1])
    corners = random.integers(0, (faces.shape[1] - side + 1, faces.shape[2] - side + 1), (len(faces), 2))
    greys = random.integers(0, 256, len(faces))
    for face, (top, left), grey in zip(covered, corners, greys, strict=True):
        face[top : top + side, left : left + side] = grey
    return covered


def _jpeg(faces: np.ndarray, quality: float, random: np.random.Generator) -> np.ndarray:
    return np.stack(list(_through_jpeg(faces, int(quality))))


def _through_jpeg(faces: np.ndarray, quality: int) -> Iterator[np.ndarray]:
    is_colour = faces.ndim == 4
    for face in faces:
        given = cv2.cvtColor(face, cv2.COLOR_RGB2BGR) if is_colour else face
        _, packed = cv2.imencode(".jpg", given, [cv2.IMWRITE_JPEG_QUALITY, quality])
        again: Any = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)  # typed as if it could be None
        yield cv2.cvtColor(again, cv2.COLOR_BGR2RGB) if is_colour else again


CORRUPTIONS: dict[str, Corruption] = {
    each.name: each
    for each in (
        Corruption("noise", "standard deviation of Gaussian noise, of white", (0.04, 0.08, 0.12, 0.15, 0.18), _noise),
        Corruption(
            "blur", "standard deviation of a Gaussian, of the side",
            (0.5 / 64, 0.75 / 64, 1 / 64, 1.25 / 64, 1.5 / 64), _blur,
        ),
        Corruption("brightness", "added to every pixel, of white", (0.1, 0.2, 0.3, 0.4, 0.5), _brightness),
        Corruption("contrast", "share of the contrast that is kept", (0.4, 0.3, 0.2, 0.1, 0.05), _contrast),
        Corruption("rotation", "degrees, to either side", (6, 12, 18, 24, 30), _rotation),
        Corruption("occlusion", "side of a covering grey square, of the side", (0.2, 0.3, 0.4, 0.5, 0.6), _occlusion),
        Corruption("jpeg", "quality", (65, 58, 50, 40, 25), _jpeg),
    )
}  # fmt: skip
