"""Gaussian filter."""

from dataclasses import dataclass

import cv2
import torch
from torch import Tensor

from fer_core.preprocessing.base import Context, Step, map_chunks, step
from fer_core.preprocessing.chain import argument
from fer_core.preprocessing.grey import pad


@step("gaussian")
@dataclass(frozen=True)
class Gaussian(Step):
    """Gaussian filter: every pixel becomes a weighted mean of the square around it.

    Within one grey level of `cv2.GaussianBlur` (equal with the 3x3 default, whose weights are binary
    fractions); its kernel, its sigma where that is 0, `0.3 * ((ksize - 1) / 2 - 1) + 0.8`, and its border,
    mirrored about the outermost pixel. Colour images channel by channel.
    """

    ksize: int = argument(3, "side of the square, in pixels", choices=tuple(range(3, 32, 2)))
    sigma: float = argument(0.0, "deviation in pixels; 0 takes it from ksize", low=0.0, high=100.0)

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Filter uint8 (N, C, H, W)."""
        return map_chunks(self._filter, images)

    def _filter(self, images: Tensor) -> Tensor:
        weights = cv2.getGaussianKernel(self.ksize, self.sigma)[:, 0].tolist()
        border = (self.ksize // 2, self.ksize // 2)
        padded = pad(images, border, border, "reflect101").to(torch.float32)
        # Halves are rounded up, as OpenCV's fixed-point filter does.
        return _weigh(_weigh(padded, weights, -1), weights, -2).add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)


def _weigh(padded: Tensor, weights: list[float], dim: int) -> Tensor:
    length = padded.shape[dim] - len(weights) + 1
    total = padded.narrow(dim, 0, length) * weights[0]
    for offset, weight in enumerate(weights[1:], start=1):
        total.add_(padded.narrow(dim, offset, length), alpha=weight)
    return total
