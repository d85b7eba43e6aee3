"""Pyramid of histograms of oriented gradients: which edges lie where.

Bosch, Zisserman and Munoz, "Representing shape with a spatial pyramid kernel", 2007.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.chain import argument
from fer_core.features.base import Feature, chunks, feature

# Canny as MATLAB's `edge` does it, which Bosch et al. used: a smoothing, and thresholds from the image itself.
_SIGMA = 2**0.5
_SHARE_WITHOUT_EDGE = 0.7
_LOW_TO_HIGH = 0.4
_LEAST_HIGH = 1 / 64  # of the strongest gradient, where most of an image is flat
# OpenCV's Canny takes int16 gradients and squares them in 32 bits.
_INT16_PEAK = 16_000
_ROUNDING = 1e-9


@feature("phog")
@dataclass(frozen=True)
class Phog(Feature):
    """Pyramid of histograms of oriented gradients: the edges of ever smaller cells by direction.

    Gradients are Sobel's 3x3 without smoothing; only those on a Canny edge count, by their magnitude.
    Directions lie over 360 degrees: 0 brightens to the right, 90 brightens downwards; bin b holds
    `b * 360 / bins` up to the next. Level l has 2**l x 2**l cells. The values go level by level from the
    whole image, cell by cell in rows, direction by direction, and sum to 1; an image without an edge
    has only zeros.
    """

    bins: int = argument(8, "directions over 360 degrees", low=2, high=72)
    levels: int = argument(3, "finest level of the pyramid; 0 is the whole image", low=0, high=5)

    @property
    def length(self) -> int:
        return self.bins * sum(4**level for level in range(self.levels + 1))

    @property
    def least_side(self) -> int:
        return max(3, 2**self.levels)

    def compute(self, images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Faces (n, S, S) to histograms (n, length), coarsest level first; each sums to 1, or to 0 without edges."""
        cells = self._finest(images)
        levels = [cells]
        for _ in range(self.levels):
            side = levels[-1].shape[1] // 2
            levels.append(levels[-1].reshape(len(images), side, 2, side, 2, self.bins).sum((2, 4)))
        values = np.concatenate([level.reshape(len(images), -1) for level in reversed(levels)], axis=1)
        total = values.sum(1, keepdims=True)
        return np.divide(values, total, out=np.zeros_like(values), where=total > 0)

    def _finest(self, images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Histograms (n, side, side, bins) of the finest cells."""
        count, height, width = images.shape
        side = 2**self.levels
        image, row, column = np.nonzero(_edges(images))
        across, down = (gradient[image, row, column] for gradient in _sobel(images))
        direction = np.mod(np.arctan2(down, across), 2 * np.pi) * (self.bins / (2 * np.pi))
        # A direction just below 360 degrees may round up to it.
        bin_ = np.minimum(direction.astype(np.int64), self.bins - 1)
        cell = (image * side + row * side // height) * side + column * side // width
        sums = np.bincount(cell * self.bins + bin_, np.hypot(across, down), count * side * side * self.bins)
        return sums.astype(np.float64).reshape(count, side, side, self.bins)


def edge_map(images: NDArray[Any]) -> NDArray[np.bool_]:
    """The Canny edges that PHOG counts, bool (N, H, W), of gray images (N, H, W); errors as `Feature.describe`."""
    found = [_edges(chunk) for chunk in chunks(images, Phog().least_side, "phog")]
    return np.concatenate(found or [np.empty(images.shape, np.bool_)])


def _edges(images: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.stack([_canny(image) for image in images])


def _canny(image: NDArray[np.float64]) -> NDArray[np.bool_]:
    smooth = np.asarray(cv2.GaussianBlur(image, (0, 0), _SIGMA, borderType=cv2.BORDER_REPLICATE), np.float64)
    across, down = (gradient[0] for gradient in _sobel(smooth[None]))
    peak = max(np.abs(across).max(), np.abs(down).max())
    if peak <= _ROUNDING * np.abs(image).max():
        return np.zeros(image.shape, np.bool_)
    across, down = (np.rint(gradient * (_INT16_PEAK / peak)).astype(np.int16) for gradient in (across, down))
    strength = np.hypot(across.astype(np.float32), down.astype(np.float32))
    high = max(float(np.quantile(strength, _SHARE_WITHOUT_EDGE)), _LEAST_HIGH * float(strength.max()))
    return np.asarray(cv2.Canny(across, down, _LOW_TO_HIGH * high, high, L2gradient=True)) > 0


def _sobel(images: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gradients to the right and downwards, each (n, H, W); beyond the border its nearest pixel goes on."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    left_right = padded[:, :, 2:] - padded[:, :, :-2]
    across = left_right[:, :-2] + 2 * left_right[:, 1:-1] + left_right[:, 2:]
    up_down = padded[:, 2:] - padded[:, :-2]
    down = up_down[:, :, :-2] + 2 * up_down[:, :, 1:-1] + up_down[:, :, 2:]
    return across, down
