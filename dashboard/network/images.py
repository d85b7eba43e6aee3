"""Numbers -> pictures: coloured maps, sheets of them, heat over a face."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dashboard.pictures import mixed

INKS = {"light": "#5A5F6C", "dark": "#A4A9B5"}
LABEL_HEIGHT = 16
GAP = 6
FINE = 2  # pixels of a sheet for each pixel on the page: labels stay sharp on fine screens
# above this share of the strongest value, the face below a heat is no longer seen
COVER = 0.8


def colours(ramp: Sequence[str]) -> np.ndarray:
    """A ramp of `#rrggbb` as 256 colours, uint8 (256, 3)."""
    return mixed(ramp, np.linspace(0, 1, 256))


def map_pictures(
    maps: np.ndarray, sequential: Sequence[str], diverging: Sequence[str], limit: float | None = None
) -> list[np.ndarray]:
    """Maps (N, H, W) as RGB, all on one kind of ramp; each on its own scale, or on that of `limit`.

    Those that are never negative are on `sequential`, from 0 to the limit; others on `diverging`, from the limit
    below zero to the one above, so that the middle colour is zero.
    """
    signed = bool(maps.size) and float(maps.min()) < 0
    table = colours(diverging if signed else sequential)
    return [_on_ramp(each, float(np.abs(each).max()) if limit is None else limit, table, signed) for each in maps]


def _on_ramp(values: np.ndarray, limit: float, table: np.ndarray, signed: bool) -> np.ndarray:
    share = values / limit if limit > 0 else np.zeros_like(values)
    place = (share + 1) / 2 if signed else share
    picked: np.ndarray = table[(place.clip(0, 1) * 255).round().astype(int)]
    return picked


def limit_of(maps: np.ndarray) -> float:
    """The largest absolute value: what a common scale goes up to."""
    return float(np.abs(maps).max()) if maps.size else 0.0


def vector_picture(values: np.ndarray) -> np.ndarray:
    """The values of a dense layer (F,) as a map, in rows of equal length; what is left over is zero."""
    width = max(1, int(np.ceil(np.sqrt(2 * len(values)))))
    rows = -(-len(values) // width)
    padded = np.zeros(rows * width, np.float32)
    padded[: len(values)] = values
    return padded.reshape(rows, width)


def enlarged(picture: np.ndarray, side: int) -> Image.Image:
    """A picture (H, W[, 3]) whose longer side has `side` pixels; every value stays a square."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Image.fromarray(picture).convert("RGB").resize(size, Image.Resampling.NEAREST)


def sheet(pictures: Sequence[np.ndarray], labels: Sequence[str], side: int, columns: int, scheme: str) -> np.ndarray:
    """Pictures side by side, each with its label below: RGBA, transparent between.

    `side` counts pixels on the page, of which each is FINE × FINE of the sheet.
    """
    side, gap = FINE * side, FINE * GAP
    columns = max(1, min(columns, len(pictures)))
    rows = -(-len(pictures) // columns)
    below = FINE * LABEL_HEIGHT if any(labels) else 0
    size = (columns * (side + gap) - gap, max(1, rows * (side + below + gap) - gap))
    paper = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(paper)
    font = ImageFont.load_default(size=11 * FINE)
    for place, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = (place % columns) * (side + gap), (place // columns) * (side + below + gap)
        paper.paste(enlarged(picture, side), (x, y))
        draw.text((x, y + side + FINE), label, fill=INKS[scheme], font=font)
    return np.asarray(paper)


def overlay(face: np.ndarray, heat: np.ndarray, sequential: Sequence[str], diverging: Sequence[str]) -> np.ndarray:
    """Heat (S, S) in [-1, 1] over a face uint8 (S, S[, 3]) made gray: the stronger, the less of the face is seen."""
    gray = face if face.ndim == 2 else face.mean(axis=2)
    base = np.repeat(gray[:, :, None], 3, axis=2).astype(float)
    signed = heat.min() < 0
    # the dark half alone: pale colours would look like light on the face
    ramp = [diverging[1], diverging[-2]] if signed else [sequential[-4], sequential[-4]]
    table = colours(ramp)
    tint = np.where((heat >= 0)[:, :, None], table[-1], table[0])
    alpha = COVER * np.abs(heat)[:, :, None]
    mixed: np.ndarray = (base * (1 - alpha) + tint * alpha).round().astype(np.uint8)
    return mixed


def stretched(heat: np.ndarray) -> np.ndarray:
    """Heat from its least value, which becomes 0, to its largest: means are alike all over, and differ in little."""
    span = float(np.ptp(heat))
    return (heat - heat.min()) / span if span else heat


def pyramid(levels: Sequence[np.ndarray], side: int, ink: str, background: np.ndarray) -> list[np.ndarray]:
    """Each level of PHOG (cells, cells, bins) as strokes over a face (H, W): long ones for many edges that way.

    A stroke lies along the edge, at a right angle to the direction in which the face brightens.
    """
    base = enlarged((background * 0.35 + 255 * 0.65).astype(np.uint8), side)
    return [_strokes(base.copy(), level, ink) for level in levels]


def _strokes(paper: Image.Image, level: np.ndarray, ink: str) -> np.ndarray:
    draw = ImageDraw.Draw(paper)
    cells, bins = level.shape[0], level.shape[2]
    cell = paper.width / cells
    most = float(level.max())
    for row in range(cells):
        for column in range(cells):
            x, y = (column + 0.5) * cell, (row + 0.5) * cell
            draw.rectangle((column * cell, row * cell, (column + 1) * cell, (row + 1) * cell), outline="#D0D0D0")
            for bin_, value in enumerate(level[row, column]):
                if value > 0 and most > 0:
                    angle = (bin_ + 0.5) * 2 * np.pi / bins + np.pi / 2
                    reach = 0.48 * cell * np.sqrt(value / most)
                    end = (x + reach * np.cos(angle), y + reach * np.sin(angle))
                    draw.line((x, y, *end), fill=ink, width=max(1, round(cell / 24)))
    return np.asarray(paper)
