"""Local phase quantisation: a texture descriptor that a blur hardly moves.

Ojansivu and Heikkilä, "Blur insensitive texture classification using local phase quantization", 2008.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.chain import argument
from fer_core.features.base import Feature, chunks, feature

CODES = 256
STANDARD_RHO = 0.9  # the correlation of neighbouring pixels that the paper assumes
# Sums of a whole period of a wave are zero up to rounding; such a zero must not get a random sign.
_ROUNDING = 1e-10


@feature("lpq")
@dataclass(frozen=True)
class Lpq(Feature):
    """Local phase quantisation: how often each of 256 patterns of local Fourier phase occurs.

    Around every pixel whose window lies within the image, the Fourier transform over the window at the
    frequencies (a, 0), (0, a), (a, a), (a, -a), a = 1 / window, gives four real and four imaginary parts;
    their signs (at least zero: 1) make an 8-bit code. The descriptor is the histogram of the codes,
    with sum 1. With rho above 0, the eight parts are decorrelated before their signs are taken, for
    pixels whose correlation is rho ** distance; 0.9 is the paper's choice. Pixels without correlation
    give parts without correlation, so that 0 stands for none.
    """

    window: int = argument(7, "side of the window, in pixels", choices=tuple(range(3, 33, 2)))
    rho: float = argument(0.0, "assumed correlation of neighbouring pixels; 0 for none", low=0.0, high=0.99)

    @property
    def length(self) -> int:
        return CODES

    @property
    def least_side(self) -> int:
        return self.window

    def compute(self, images: NDArray[np.float64]) -> NDArray[np.float64]:
        codes = _codes(images, self.window, self.rho).reshape(len(images), -1)
        keys = codes + CODES * np.arange(len(images))[:, None]
        counts = np.bincount(keys.ravel(), minlength=CODES * len(images)).reshape(-1, CODES)
        return counts / codes.shape[1]


def lpq_codes(images: NDArray[Any], lpq: Lpq | None = None) -> NDArray[np.uint8]:
    """The code of every pixel, uint8 (N, H - window + 1, W - window + 1), of gray images (N, H, W).

    Bits from the lowest: real and imaginary part at (a, 0), (0, a), (a, a), (a, -a), horizontal frequency
    first; decorrelated parts by growing variance instead. Raises FeatureError as `Feature.describe` does.
    """
    lpq = lpq or Lpq()
    margin = lpq.window - 1
    found = [_codes(chunk, lpq.window, lpq.rho) for chunk in chunks(images, lpq.least_side, str(lpq))]
    return np.concatenate(found or [np.empty((0, images.shape[1] - margin, images.shape[2] - margin), np.uint8)])


def _codes(images: NDArray[np.float64], window: int, rho: float) -> NDArray[np.uint8]:
    parts = _phases(images, window)
    if rho > 0:
        parts = np.tensordot(_decorrelation(window, rho), parts, axes=1)
    zero = _ROUNDING * np.abs(images).max((1, 2))[:, None, None]
    return np.packbits(parts >= -zero, axis=0, bitorder="little")[0]


def _phases(images: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Real and imaginary parts (8, n, H - window + 1, W - window + 1) at the four frequencies."""
    turn = 2 * np.pi / window * (np.arange(window) - window // 2)
    ones, cosine, sine = np.ones(window), np.cos(turn), np.sin(turn)
    flat, even, odd = (_convolve(images, weights, axis=2) for weights in (ones, cosine, sine))
    flat_even, flat_odd = _convolve(flat, cosine, axis=1), _convolve(flat, sine, axis=1)
    even_flat, even_even, even_odd = (_convolve(even, weights, axis=1) for weights in (ones, cosine, sine))
    odd_flat, odd_even, odd_odd = (_convolve(odd, weights, axis=1) for weights in (ones, cosine, sine))
    # exp(-i t) = cos t - i sin t in each direction, multiplied out; the last has exp(+i t) horizontally
    horizontal, vertical = (even_flat, -odd_flat), (flat_even, -flat_odd)
    rising = (even_even - odd_odd, -(even_odd + odd_even))
    falling = (even_even + odd_odd, odd_even - even_odd)
    return np.stack((*horizontal, *vertical, *rising, *falling))


def _convolve(images: NDArray[np.float64], weights: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Convolve (n, H, W) along one axis, where the window lies within the image."""
    length = images.shape[axis] - len(weights) + 1
    before, after = (slice(None),) * axis, (slice(None),) * (2 - axis)
    total = images[(*before, slice(0, length), *after)] * weights[-1]
    for position, weight in enumerate(weights[-2::-1], start=1):
        total += images[(*before, slice(position, position + length), *after)] * weight
    return total


@lru_cache(maxsize=32)
def _decorrelation(window: int, rho: float) -> NDArray[np.float64]:
    """Orthogonal (8, 8) that decorrelates the parts: the eigenvectors of their covariance, one a row."""
    pixels = window * window
    impulses = np.eye(pixels).reshape(pixels, window, window)
    filters = _phases(impulses, window).reshape(8, pixels)
    rows, columns = np.divmod(np.arange(pixels), window)
    distances = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    covariance = filters @ rho**distances @ filters.T
    # Horizontal and vertical parts vary alike; almost equal weights keep their eigenvectors apart, and
    # the same from one linear algebra library to the next.
    weights = 1 + 1e-6 * np.arange(7, -1, -1)
    _, vectors = np.linalg.eigh(covariance * weights * weights[:, None])
    largest = vectors[np.abs(vectors).argmax(0), np.arange(8)]
    return np.ascontiguousarray((vectors * np.sign(largest)).T)
