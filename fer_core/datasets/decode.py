"""Image files to arrays, in threads: OpenCV releases the interpreter while it decodes."""

import io
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from fer_core.datasets.errors import SourceError
from fer_core.datasets.limits import MAX_IMAGE_PIXELS, MAX_SIDE

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")

_WORKERS = 2
_BATCH_IMAGES = 32
_BATCH_BYTES = 16 * 2**20
_BATCHES_AHEAD = 6
# JPEG markers that start a frame and carry its size: SOF0..SOF15 without DHT, JPG and DAC.
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class Encoded:
    """An image file's bytes; `name` is what an error message calls it."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Decoded:
    """`image` is uint8, (H, W) gray or (H, W, 3) RGB; `notes` counts what was done to it."""

    image: np.ndarray
    notes: Counter[str]


def decode(encoded: Encoded) -> Decoded:
    """Decode one image file to 8 bits, upright, at most MAX_SIDE pixels wide and high.

    Three equal channels become one. Raises SourceError for anything that is no whole image.
    """
    width, height = declared_size(encoded)
    if width * height > MAX_IMAGE_PIXELS:
        raise SourceError(f"{encoded.name} declares {width}x{height} pixels; at most {MAX_IMAGE_PIXELS:,} are decoded")
    try:
        image = cv2.imdecode(np.frombuffer(encoded.content, np.uint8), cv2.IMREAD_ANYCOLOR)
    except cv2.error as error:
        raise SourceError(f"{encoded.name} is a damaged image: {error.err or 'it cannot be decoded'}") from error
    if image is None or _jpeg_is_cut(encoded.content):
        raise SourceError(f"{encoded.name} is a truncated or damaged image")
    return _simplified(image)


def decode_all(images: Iterable[Encoded]) -> Iterator[Decoded]:
    """Decode a stream of image files in order, a bounded number ahead of the consumer."""
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="decode")
    waiting: list[Future[list[Decoded]]] = []
    try:
        for batch in _batches(images):
            waiting.append(pool.submit(_decode_batch, batch))
            if len(waiting) >= _BATCHES_AHEAD:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _decode_batch(batch: list[Encoded]) -> list[Decoded]:
    return [decode(encoded) for encoded in batch]


def declared_size(encoded: Encoded) -> tuple[int, int]:
    """(width, height) from the file's header; raises SourceError where there is none."""
    content = encoded.content
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return struct.unpack(">II", content[16:24])
    size = _jpeg_size(content) if content.startswith(b"\xff\xd8") else None
    if size is not None:
        return size
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except Image.DecompressionBombError as error:
        raise SourceError(f"{encoded.name} declares too many pixels: {error}") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        beginning = ascii(content[:12])[1:]
        raise SourceError(f"{encoded.name} is not an image (it begins with {beginning})") from error


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", content, position + 5)
            return width, height
        position += 1 if marker == 0xFF else 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return None


def _jpeg_is_cut(content: bytes) -> bool:
    # libjpeg fills what is missing with gray and calls it a success. Inside a scan FF is always
    # escaped, so that the last start of scan must be followed by an end of image.
    return content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")


def _simplified(image: np.ndarray) -> Decoded:
    notes: Counter[str] = Counter()
    if image.ndim == 3:
        blue, green, red = (image[..., channel] for channel in range(3))
        if np.array_equal(blue, green) and np.array_equal(green, red):
            image = blue
            notes["with three equal channels stored as gray"] += 1
        else:
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    longest = max(image.shape[:2])
    if longest > MAX_SIDE:
        height, width = (max(1, round(side * MAX_SIDE / longest)) for side in image.shape[:2])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        notes[f"reduced to at most {MAX_SIDE} pixels a side"] += 1
    return Decoded(np.ascontiguousarray(image), notes)


def _batches(images: Iterable[Encoded]) -> Iterator[list[Encoded]]:
    batch: list[Encoded] = []
    size = 0
    for encoded in images:
        batch.append(encoded)
        size += len(encoded.content)
        if len(batch) >= _BATCH_IMAGES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
