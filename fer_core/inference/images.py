"""Any photo that people have, as one upright RGB array."""

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError, features

from fer_core.errors import FerError

MAX_PIXELS = 60_000_000  # declared in the file's own header; a phone's 50 megapixels pass
MAX_SIDE = 4096  # larger photos are reduced: a face detector looks at less, and memory stays small

# What cameras, phones and the web make. Pillow's other readers stay closed: some start other programs.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "ICO", "TGA", "QOI")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, OverflowError, struct.error, zlib.error)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION_TAG = 0x0112
_BITS_TAG, _PLANES_TAG = 258, 284
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = (5, 6, 7, 8)
_filters_lock = threading.Lock()


class ImageError(FerError):
    """A file that is no picture, or none that can be read; the message names the file if it has a name."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What was read of a file: uint8 RGB `pixels` (H, W, 3), and `notes`, sentences on what was left out.

    `width` and `height` are the upright picture's in the file, whose pixels are reduced where it is large.
    """

    pixels: np.ndarray
    width: int
    height: int
    notes: tuple[str, ...] = ()

    @property
    def scale(self) -> tuple[float, float]:
        """How many times as wide and as high the file is as its `pixels`."""
        return self.width / self.pixels.shape[1], self.height / self.pixels.shape[0]


def read_image(source: bytes | Path, *, max_pixels: int = MAX_PIXELS, max_side: int = MAX_SIDE) -> np.ndarray:
    """The pixels of `read_picture`: uint8 RGB (H, W, 3)."""
    return read_picture(source, max_pixels=max_pixels, max_side=max_side).pixels


def read_picture(
    source: bytes | Path, *, max_pixels: int = MAX_PIXELS, max_side: int = MAX_SIDE, called: str = ""
) -> Picture:
    """The picture in a file (`Path`) or in a file's bytes, `called` so in messages, and notes on what was not read.

    Turned upright as its EXIF data say, transparency laid over white, the first frame of an animation,
    16 bits reduced to 8. Where a side is longer than `max_side` pixels the picture is reduced to it.
    Raises ImageError where the file is no whole picture or declares more than `max_pixels`.
    """
    known = called or (source.name if isinstance(source, Path) else "")
    name = f"'{known}'" if known else "the file"
    with _opened(source, name) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageError(
                f"{name} declares {width:,} × {height:,} pixels; "
                f"at most {max_pixels / 1e6:g} million are read, so make it smaller first"
            )
        _check_planes(image, name)
        try:
            notes = _left_out(image)
            pixels = _to_rgb(image, max_side)
            if _orientation(image) in _ON_ITS_SIDE:
                width, height = height, width
        except _DAMAGE as error:
            raise ImageError(f"{name} is a truncated or damaged {image.format} picture") from error
    if max(width, height) > max_side:
        notes = (*notes, f"It was reduced from {width:,} × {height:,} pixels to a longer side of {max_side:,}.")
    return Picture(pixels, width, height, notes)


@contextmanager
def _opened(source: bytes | Path, name: str) -> Iterator[Image.Image]:
    with _stream(source, name) as stream:
        head = stream.read(64)
        stream.seek(0)
        if not head:
            raise ImageError(f"{name} is empty")
        _check_family(head, name)
        with _open_header(stream, name) as image:
            yield image


def _check_family(head: bytes, name: str) -> None:
    """Raise ImageError for a HEIC photo, and for an AVIF picture where Pillow was built without its decoder."""
    family = head[8:] if head[4:8] == b"ftyp" else b""  # the first name, and all that it is compatible with
    is_avif = any(brand in family for brand in _AVIF_BRANDS)
    if is_avif and not features.check("avif"):
        raise ImageError(f"{name} is an AVIF picture, which this Pillow cannot read; save it as JPEG or PNG first")
    if family[:4] in _HEIC_BRANDS and not is_avif:
        raise ImageError(f"{name} is a HEIC photo, which cannot be read here; save it as JPEG or PNG first")


@contextmanager
def _stream(source: bytes | Path, name: str) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    if source.is_dir():
        raise ImageError(f"{name} is a folder; give the pictures in it")
    if source.exists() and not source.is_file():
        raise ImageError(f"{name} is a device or pipe, not a picture")
    try:
        stream = source.open("rb")
    except FileNotFoundError:
        raise ImageError(f"there is no file '{source}'") from None
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror or error}") from None
    with stream:
        yield stream


def _open_header(stream: IO[bytes], name: str) -> Image.Image:
    Image.init()
    formats = [each for each in _FORMATS if each in Image.OPEN]
    try:
        # Pillow only warns where a picture is somewhat too large; the filters of warnings belong to all threads
        with _filters_lock, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(stream, formats=formats)
    except _BOMBS:
        raise ImageError(
            f"{name} declares more than {MAX_PIXELS / 1e6:g} million pixels, which is more than is read; "
            "make it smaller first"
        ) from None
    except UnidentifiedImageError:
        stream.seek(0)
        if stream.read(4) in _TIFF_STARTS:
            raise ImageError(
                f"{name} is a TIFF picture of a kind that is not read here, or a damaged one; save it as PNG or JPEG "
                "first"
            ) from None
        raise ImageError(f"{name} is not a picture; choose a JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF file") from None
    except _DAMAGE as error:
        raise ImageError(f"{name} is a truncated or damaged picture") from error


def _check_planes(image: Image.Image, name: str) -> None:
    """Raise ImageError for a TIFF of 16 bits whose colours lie one after the other: Pillow makes noise of it."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(_PLANES_TAG) == 2 and max(tags.get(_BITS_TAG, (8,))) > 8:
        raise ImageError(
            f"{name} is a TIFF picture of 16 bits in separate planes, which is not read here; save it as PNG"
        )


def _left_out(image: Image.Image) -> tuple[str, ...]:
    """A sentence where a file holds more pictures than its first; not for phones' MPO, whose others are previews."""
    if image.format == "MPO" or not getattr(image, "is_animated", False):
        return ()
    what = "page" if image.format == "TIFF" else "frame of an animation"
    return (f"Only the first {what} was read.",)


def _to_rgb(image: Image.Image, max_side: int) -> np.ndarray:
    scale = min(1.0, max_side / max(image.size))
    # a JPEG is decoded at a half, a quarter … where that is enough
    image.draft(None, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
    image.load()
    small = _to_eight_bits(image)
    small.thumbnail((max_side, max_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.array(_over_white(_turned(small, _orientation(image))))


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """The same picture in a mode that can be resized: RGB, or RGBA where something is transparent."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_grey_levels(np.asarray(image))).convert("RGB")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)  # a copy of 50 megapixels takes 200 MB


def _grey_levels(levels: np.ndarray) -> np.ndarray:
    """Integers of 16 or 32 bits, or floats (H, W), as uint8: full scale is 1 (floats), 255, 65535 or the maximum."""
    if levels.dtype == np.uint16:
        return cv2.convertScaleAbs(levels, alpha=1 / 257)  # the nearest, without 32 bits for each of 50 million pixels
    finite = np.nan_to_num(levels.astype(np.float32), posinf=0.0, neginf=0.0)
    peak = float(finite.max())
    if levels.dtype.kind == "f" and peak <= 1:
        full_scale = 1.0
    else:
        full_scale = next((limit for limit in (255.0, 65535.0) if peak <= limit), peak)
    return np.clip(finite * (255.0 / full_scale) + 0.5, 0, 255).astype(np.uint8)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except _DAMAGE:
        return 1  # what the camera notes beside the picture is damaged; the picture itself is not


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    transposition = _UPRIGHT.get(orientation)
    return image if transposition is None else image.transpose(transposition)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
