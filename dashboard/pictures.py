"""Numbers -> pictures, and both as files: what all pages that draw faces share."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageColor

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV's gray


def png(picture: np.ndarray) -> bytes:
    """A picture as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)  # a tenth of the time, for a little more size
    return buffer.getvalue()


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as a file for `numpy.load`."""
    buffer = io.BytesIO()
    named: dict[str, np.ndarray] = dict(arrays)
    np.savez_compressed(buffer, **named)  # type: ignore[arg-type]  # its stub takes the names for options
    return buffer.getvalue()


def levels(values: np.ndarray) -> np.ndarray:
    """Values in [-1, 1], the scale of every network's inputs, as uint8; those beyond are cut."""
    scaled: np.ndarray = ((values.clip(-1, 1) + 1) * 127.5).round().astype(np.uint8)
    return scaled


def seen(inputs: np.ndarray) -> np.ndarray:
    """What a network gets of a face, (channels, S, S) in [-1, 1], as a picture: uint8 (S, S), or RGB (S, S, 3)."""
    return flat(levels(inputs.transpose(1, 2, 0)))


def flat(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, channels) without the axis of its channels where there is only one."""
    return picture[:, :, 0] if picture.shape[2] == 1 else picture


def gray(picture: np.ndarray) -> np.ndarray:
    """The grey levels of a picture uint8 (H, W) or RGB (H, W, 3): uint8 (H, W)."""
    if picture.ndim == 2:
        return picture
    luminance: np.ndarray = np.round(picture @ np.array(LUMINANCE)).astype(np.uint8)
    return luminance


def mixed(ramp: Sequence[str], places: np.ndarray) -> np.ndarray:
    """Places in [0, 1] on a ramp of `#rrggbb`, from its first colour to its last: uint8 (…, 3)."""
    colors = np.array([ImageColor.getrgb(color) for color in ramp], float)
    stops = np.arange(len(colors))
    channels = [np.interp(places * (len(colors) - 1), stops, colors[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)
