"""Gaussian filter."""

from dataclasses import dataclass

import cv2
import torch
from torch import Tensor

from fer_core.chain import argument
from fer_core.preprocessing.base import Context, Step, map_chunks, step
from fer_core.preprocessing.grey import pad


@step("gaussian")
@dataclass(frozen=True)
class Gaussian(Step):
    """Gaussian filter: every pixel becomes a weighted mean of the square around it.

    Equal to `cv2.GaussianBlur` on 8-bit images: its weights in 256ths, its sigma where that is 0
    (`0.3 * ((ksize - 1) / 2 - 1) + 0.8`) and its border, mirrored about the outermost pixel.
    Colour images channel by channel.
    """

    ksize: int = argument(3, "side of the square, in pixels", choices=tuple(range(3, 32, 2)))
    sigma: float = argument(0.0, "deviation in pixels; 0 takes it from ksize", low=0.0, high=100.0)

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Filter uint8 (N, C, H, W)."""
        return map_chunks(self._filter, images)

    def _filter(self, images: Tensor) -> Tensor:
        weights = _weights(self.ksize, self.sigma)
        border = (self.ksize // 2, self.ksize // 2)
        padded = pad(images, border, border, "reflect101").to(torch.float32)
        # Exact: 255 in 2**-16ths are 24 bits, what a float32 holds. Halves go up, as in OpenCV's fixed point.
        return _weigh(_weigh(padded, weights, -1), weights, -2).add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)


def _weights(ksize: int, sigma: float) -> list[float]:
    """OpenCV's kernel in whole 256ths; what rounding leaves is carried from the ends to the middle."""
    exact = cv2.getGaussianKernel(ksize, sigma)[:, 0].tolist()
    half: list[int] = []
    left_over = 0.0
    for weight in exact[: ksize // 2]:
        wanted = weight * 256 + left_over
        half.append(round(wanted))
        left_over = wanted - half[-1]
    return [weight / 256 for weight in (*half, 256 - 2 * sum(half), *reversed(half))]


def _weigh(padded: Tensor, weights: list[float], dim: int) -> Tensor:
    length = padded.shape[dim] - len(weights) + 1
    total = padded.narrow(dim, 0, length) * weights[0]
    for offset, weight in enumerate(weights[1:], start=1):
        total.add_(padded.narrow(dim, offset, length), alpha=weight)
    return total
