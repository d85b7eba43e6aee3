"""Faces framed and named in a picture."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.inference.reader import Prediction
from fer_core.palette import BLACK, EMOTION_COLORS, WHITE, ink_on


def mark_faces(image: np.ndarray, faces: Sequence[Prediction], side: int, unsure_below: float = 0.0) -> np.ndarray:
    """A uint8 RGB picture (H, W, 3), at most `side` pixels long, with each face framed, numbered and named.

    A question mark follows the emotion of a face whose confidence is below `unsure_below`.
    """
    scale = min(1.0, side / max(image.shape[:2]))
    picture = Image.fromarray(image)
    if scale < 1:
        picture = picture.resize([max(1, round(length * scale)) for length in picture.size], Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    line = max(2, round(max(picture.size) / 300))
    font = ImageFont.load_default(size=max(13, round(max(picture.size) / 42)))
    for number, face in enumerate(faces, start=1):
        box, color = face.box, EMOTION_COLORS[face.emotion]
        left, top = scale * box.x, scale * box.y
        frame = (left, top, left + scale * box.width, top + scale * box.height)
        _frame(draw, frame, box.roll, color, line)
        doubt = "?" if face.confidence < unsure_below else ""
        _plate(draw, (left - line, top - line), f"{number} {face.emotion}{doubt}", color, font)
    return np.asarray(picture)


def _frame(
    draw: ImageDraw.ImageDraw, corners: tuple[float, float, float, float], roll: float, color: str, line: int
) -> None:
    """A coloured line between a dark and a light one, seen on any photo; turned by `roll` degrees clockwise."""
    left, top, right, bottom = corners
    for outset, edge, thickness in ((line + 1, BLACK, line + 2), (line, color, line), (0, WHITE, 1)):
        sides = (left - outset, top - outset, right + outset, bottom + outset)
        if roll:
            draw.polygon(_turned(sides, roll), outline=edge, width=thickness)
        else:
            draw.rectangle(sides, outline=edge, width=thickness)


def _turned(corners: tuple[float, float, float, float], roll: float) -> list[tuple[float, float]]:
    """The four corners of a rectangle, turned around its centre."""
    left, top, right, bottom = corners
    x, y = (left + right) / 2, (top + bottom) / 2
    cosine, sine = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    offsets = ((left - x, top - y), (right - x, top - y), (right - x, bottom - y), (left - x, bottom - y))
    return [(x + cosine * across - sine * down, y + sine * across + cosine * down) for across, down in offsets]


def _plate(
    draw: ImageDraw.ImageDraw,
    corner: tuple[float, float],
    label: str,
    color: str,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    """The label on a plate above a frame's upper left corner, or inside it at the picture's upper edge."""
    left, top, right, bottom = draw.textbbox((0, 0), label, font=font)
    width, height = right - left + 10, bottom - top + 8
    x = min(max(0, corner[0]), max(0, draw.im.size[0] - width))
    y = corner[1] - height if corner[1] >= height else max(0, corner[1])
    draw.rectangle((x, y, x + width, y + height), fill=color)
    draw.text((x + 5 - left, y + 4 - top), label, fill=ink_on(color), font=font)
