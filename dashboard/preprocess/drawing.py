"""Small faces drawn large, differences in colour, and all of them on one sheet."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dashboard.pictures import mixed, png
from fer_core.palette import BLACK, WHITE

SHOWN_SIDE = 240  # pixels at least, so that a browser does not blur what is a pixel
LEAST_SPAN = 8  # grey levels at the ends of the colours: below this, a difference is not seen as one
CELL = 150  # pixels of a picture on the sheet
LABEL = 34
GAP = 10


def shown(image: np.ndarray, side: int = SHOWN_SIDE) -> str:
    """A picture uint8 (H, W[, 3]) as a data URL, its pixels enlarged to squares until it is `side` pixels high."""
    return _data_url(np.ascontiguousarray(image).tobytes(), image.shape, side)


@lru_cache(maxsize=512)
def _data_url(pixels: bytes, shape: tuple[int, ...], side: int) -> str:
    image = np.frombuffer(pixels, np.uint8).reshape(shape)
    factor = max(1, -(-side // shape[0]))
    return f"data:image/png;base64,{b64encode(png(image.repeat(factor, axis=0).repeat(factor, axis=1))).decode()}"


def colored(difference: np.ndarray, ramp: Sequence[str]) -> np.ndarray:
    """A difference int16 (H, W) as uint8 RGB (H, W, 3): `ramp` from the largest fall to the largest rise."""
    return mixed(ramp, difference / (2 * span(difference)) + 0.5)


def span(difference: np.ndarray) -> int:
    """The grey levels at both ends of a difference's colours."""
    return max(LEAST_SPAN, int(np.abs(difference).max(initial=0)))


def sheet(rows: Mapping[str, Sequence[tuple[str, np.ndarray]]]) -> bytes:
    """Rows of labelled pictures below their titles, as a PNG on white."""
    width = GAP + (CELL + GAP) * max((len(row) for row in rows.values()), default=1)
    height = GAP + (LABEL + CELL + LABEL) * len(rows)
    picture = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(picture)
    for number, (title, row) in enumerate(rows.items()):
        top = GAP + number * (LABEL + CELL + LABEL)
        draw.text((GAP, top), _short(title, width), BLACK, ImageFont.load_default(16))
        for column, (label, image) in enumerate(row):
            left = GAP + column * (CELL + GAP)
            cell = Image.fromarray(image).convert("RGB").resize((CELL, CELL), Image.Resampling.NEAREST)
            picture.paste(cell, (left, top + LABEL - 8))
            draw.text((left, top + LABEL + CELL - 6), _short(label, CELL), BLACK, ImageFont.load_default(12))
    return png(np.asarray(picture))


def _short(text: str, width: int) -> str:
    """A text cut to what about fits in `width` pixels."""
    most = width // 7
    return text if len(text) <= most else f"{text[: most - 1]}…"
