"""Drawn faces with seven expressions: to try everything at once, without a download.

They are always labelled as synthetic and never stand beside real results. Expressions follow the
action units of Ekman and Friesen (1978) in outline: brows, lids, mouth, wrinkles of nose and cheeks.
"""

import hashlib
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from fer_core.datasets.cache import SCHEMA_VERSION
from fer_core.datasets.face_dataset import FaceDataset, count_table
from fer_core.labels import EMOTIONS

SIZES: dict[str, int] = {"train": 1400, "valid": 350, "test": 350}
SIDE = 48
_OVERSAMPLING = 3
_CANVAS = SIDE * _OVERSAMPLING
_SUBPIXEL = 4  # binary digits after the point in OpenCV's drawing coordinates
_STEP = np.linspace(0, 1, 9)
# (9, 3): weights of a curve's start, peak and end (Lagrange's polynomials)
_PARABOLA = np.stack([2 * (_STEP - 0.5) * (_STEP - 1), 4 * _STEP * (1 - _STEP), 2 * _STEP * (_STEP - 0.5)], axis=1)


@dataclass(frozen=True)
class Expression:
    """Positions of a face's movable parts: 0 is at rest, 1 a full movement (upwards, wider, deeper)."""

    brow_inner: float = 0.0
    brow_outer: float = 0.0
    lids: float = 0.0
    smile: float = 0.0
    jaw: float = 0.0
    mouth_width: float = 0.0
    upper_lip: float = 0.0
    nose_wrinkle: float = 0.0
    cheeks: float = 0.0


EXPRESSIONS: dict[str, Expression] = {
    "angry": Expression(brow_inner=-1.0, brow_outer=0.3, lids=-0.2, smile=-0.4, mouth_width=-0.2),
    "disgust": Expression(-0.7, -0.3, lids=-0.6, smile=-0.5, jaw=0.1, upper_lip=1.0, nose_wrinkle=1.0, cheeks=0.3),
    "fear": Expression(brow_inner=1.0, brow_outer=0.1, lids=0.8, smile=-0.3, jaw=0.4, mouth_width=0.5),
    "happy": Expression(brow_inner=0.1, brow_outer=0.1, lids=-0.3, smile=1.0, jaw=0.25, mouth_width=0.6, cheeks=1.0),
    "sad": Expression(brow_inner=0.8, brow_outer=-0.7, lids=-0.5, smile=-0.9, mouth_width=-0.1),
    "surprise": Expression(brow_inner=1.0, brow_outer=1.0, lids=1.0, jaw=1.0, mouth_width=-0.6),
    "neutral": Expression(),
}


def synthetic_dataset(seed: int = 0) -> FaceDataset:
    """2,100 gray 48x48 faces with an official split (1,400 / 350 / 350), the same for the same seed."""
    return _drawn(seed)


def draw_faces(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One face per label (index into EMOTIONS), uint8 (N, 48, 48): pose, light, skin, hair and noise vary."""
    targets = np.array([astuple(EXPRESSIONS[emotion]) for emotion in EMOTIONS])[labels]
    strength = rng.uniform(0.5, 1.2, (len(labels), 1))
    movements = targets * strength + rng.normal(0, 0.13, targets.shape)
    faces = np.stack([_draw(Expression(*map(float, movement)), rng) for movement in movements])
    light = _illumination(len(labels), rng)
    noise = rng.standard_normal(faces.shape, np.float32) * rng.uniform(2, 10, (len(labels), 1, 1)).astype(np.float32)
    return np.clip(faces * light + noise, 0, 255).astype(np.uint8)


@lru_cache(maxsize=4)
def _drawn(seed: int) -> FaceDataset:
    rng = np.random.default_rng([seed, len(fields(Expression))])
    split = np.repeat(list(SIZES), list(SIZES.values()))
    labels = np.concatenate([rng.permutation(np.arange(size) % len(EMOTIONS)) for size in SIZES.values()])
    labels = labels.astype(np.uint8)
    images = draw_faces(labels, rng)
    ids = np.array([f"{EMOTIONS[label]}/synthetic_{row:05d}" for row, label in enumerate(labels)])
    for column in (images, labels, ids, split):
        column.setflags(write=False)  # shared between callers, as a memory map is
    return FaceDataset("synthetic", images, labels, ids, split, _manifest(images, labels, split, seed))


def _manifest(images: np.ndarray, labels: np.ndarray, split: np.ndarray, seed: int) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "name": "synthetic",
        "source": {"format": "synthetic", "file": f"drawn with seed {seed}"},
        "synthetic": True,
        "images": len(images),
        "image_shape": list(images.shape[1:]),
        "counts": count_table(labels, split),
        "sha256": hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest(),
        "conversions": [],
        "missing": [],
    }


def _draw(expression: Expression, rng: np.random.Generator) -> np.ndarray:
    """One face as uint8 (48, 48), still without light and noise."""
    skin, hair, behind = rng.uniform(95, 225), rng.uniform(15, 150), rng.uniform(10, 245)
    canvas = np.full((_CANVAS, _CANVAS), behind, np.uint8)
    _ellipse(canvas, (0.5, 0.45), (rng.uniform(0.33, 0.42), rng.uniform(0.38, 0.43)), hair)
    _ellipse(canvas, (0.5, 0.54), (rng.uniform(0.28, 0.35), rng.uniform(0.38, 0.43)), skin)
    dark, light = skin * rng.uniform(0.3, 0.5), min(255.0, skin * 1.25 + 20)
    for side in (-1.0, 1.0):
        _eye(canvas, expression, side, dark, light)
        _brow(canvas, expression, side, min(hair, skin * 0.6))
        _cheek(canvas, expression, side, skin * 0.72)
    _nose(canvas, expression, skin * 0.72)
    _mouth(canvas, expression, skin, dark)
    posed = cv2.warpAffine(canvas, _pose(rng), (_CANVAS, _CANVAS), borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(posed, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _eye(canvas: np.ndarray, expression: Expression, side: float, dark: float, light: float) -> None:
    centre = (0.5 + side * 0.14, 0.47)
    opening = max(0.008, 0.036 * (1 + 0.6 * expression.lids))
    _ellipse(canvas, centre, (0.068, opening), light)
    _ellipse(canvas, centre, (min(0.032, opening), min(0.032, opening)), dark * 0.5)
    lid = centre[1] - opening
    _curve(canvas, [(centre[0] - 0.07, 0.47), (centre[0], lid), (centre[0] + 0.07, 0.47)], dark, 0.012)


def _brow(canvas: np.ndarray, expression: Expression, side: float, tone: float) -> None:
    inner = (0.5 + side * (0.07 - 0.012 * min(0.0, expression.brow_inner)), 0.385 - 0.042 * expression.brow_inner)
    outer = (0.5 + side * 0.225, 0.385 - 0.042 * expression.brow_outer)
    middle = (0.5 + side * 0.15, (inner[1] + outer[1]) / 2 - 0.022)
    _curve(canvas, [inner, middle, outer], tone, 0.024)


def _cheek(canvas: np.ndarray, expression: Expression, side: float, tone: float) -> None:
    if expression.cheeks > 0.3:
        fold = [(0.5 + side * 0.10, 0.60), (0.5 + side * 0.17, 0.64), (0.5 + side * 0.19, 0.71)]
        _curve(canvas, fold, tone, 0.010 * min(1.0, expression.cheeks) + 0.004)


def _nose(canvas: np.ndarray, expression: Expression, tone: float) -> None:
    _curve(canvas, [(0.49, 0.49), (0.465, 0.60), (0.455, 0.625), (0.50, 0.64), (0.545, 0.625)], tone, 0.012)
    for row in range(3):
        if expression.nose_wrinkle > 0.25 + 0.2 * row:
            height = 0.49 + 0.035 * row
            _curve(canvas, [(0.455, height + 0.015), (0.50, height), (0.545, height + 0.015)], tone * 0.85, 0.011)


def _mouth(canvas: np.ndarray, expression: Expression, skin: float, dark: float) -> None:
    half = 0.105 * (1 + 0.35 * expression.mouth_width)
    jaw, lift = max(0.0, expression.jaw), max(0.0, expression.upper_lip)
    corner = 0.765 - 0.045 * expression.smile + 0.045 * jaw
    top = 0.765 - 0.035 * lift + 0.012 * expression.smile - 0.010 * jaw
    bottom = 0.768 + 0.030 * expression.smile + 0.115 * jaw
    upper = _parabola((0.5 - half, corner), (0.5, top), (0.5 + half, corner))
    lower = _parabola((0.5 + half, corner), (0.5, bottom), (0.5 - half, corner))
    outline = np.concatenate([upper, lower])
    if bottom - top > 0.03:
        teeth = 235.0 if expression.smile > 0.4 or expression.upper_lip > 0.5 else dark * 0.5
        cv2.fillPoly(canvas, [_points(outline)], teeth, cv2.LINE_AA, _SUBPIXEL)
    cv2.polylines(canvas, [_points(outline)], True, min(dark, skin * 0.45), _pixels(0.016), cv2.LINE_AA, _SUBPIXEL)


def _pose(rng: np.random.Generator) -> np.ndarray:
    """A random similarity with shear about the centre, (2, 3)."""
    angle, shear = np.deg2rad(rng.uniform(-13, 13)), rng.uniform(-0.12, 0.12)
    scale = rng.uniform(0.95, 1.25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.array([[rng.uniform(0.9, 1.1), shear], [0.0, 1.0]])
    centre = np.full(2, _CANVAS / 2)
    return np.column_stack([linear, centre - linear @ centre + rng.uniform(-0.05, 0.05, 2) * _CANVAS])


def _illumination(count: int, rng: np.random.Generator) -> np.ndarray:
    """Light falling from a random side, float32 (count, 48, 48)."""
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)
    slopes = rng.uniform(-0.35, 0.35, (2, count, 1, 1)).astype(np.float32)
    level = rng.uniform(0.6, 1.15, (count, 1, 1)).astype(np.float32)
    return level * (1 + slopes[0] * ramp[:, None] + slopes[1] * ramp[None, :])


def _ellipse(canvas: np.ndarray, centre: tuple[float, float], axes: tuple[float, float], tone: float) -> None:
    middle = tuple(round(value * _CANVAS * 2**_SUBPIXEL) for value in centre)
    radii = tuple(round(value * _CANVAS * 2**_SUBPIXEL) for value in axes)
    cv2.ellipse(canvas, middle, radii, 0, 0, 360, tone, -1, cv2.LINE_AA, _SUBPIXEL)


def _curve(canvas: np.ndarray, points: list[tuple[float, float]], tone: float, width: float) -> None:
    path = _parabola(*points) if len(points) == 3 else np.array(points)
    cv2.polylines(canvas, [_points(path)], False, tone, _pixels(width), cv2.LINE_AA, _SUBPIXEL)


def _parabola(*three: tuple[float, float]) -> np.ndarray:
    """Nine points of the quadratic curve through start, peak and end, (9, 2)."""
    curve: np.ndarray = _PARABOLA @ np.array(three)
    return curve


def _points(path: np.ndarray) -> np.ndarray:
    return np.rint(path * _CANVAS * 2**_SUBPIXEL).astype(np.int32)


def _pixels(width: float) -> int:
    return max(1, round(width * _CANVAS))
