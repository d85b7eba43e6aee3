"""Faces framed and named in a picture."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.inference.predictor import Prediction
from fer_core.palette import BLACK, EMOTION_COLORS, WHITE, ink_on


def mark_faces(image: np.ndarray, faces: Sequence[Prediction], side: int) -> np.ndarray:
    """A uint8 RGB picture (H, W, 3), at most `side` pixels long, with each face framed, numbered and named."""
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
        _frame(draw, frame, color, line)
        _plate(draw, (left - line, top - line), f"{number} {face.emotion}", color, font)
    return np.asarray(picture)


def _frame(draw: ImageDraw.ImageDraw, corners: tuple[float, float, float, float], color: str, line: int) -> None:
    """A coloured line between a dark and a light one: seen on any photo."""
    left, top, right, bottom = corners
    for outset, edge, thickness in ((line + 1, BLACK, line + 2), (line, color, line), (0, WHITE, 1)):
        draw.rectangle((left - outset, top - outset, right + outset, bottom + outset), outline=edge, width=thickness)


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
