"""Local normalisation."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.chain import argument
from fer_core.preprocessing.base import Context, Step, map_chunks, step
from fer_core.preprocessing.grey import deviations_to_grey, pad


@step("local_norm")
@dataclass(frozen=True)
class LocalNorm(Step):
    """Local normalisation: every neighbourhood gets the same mean and contrast.

    `z = (x - mean) / max(eps, deviation)`, with the mean and the deviation over the square window around
    the pixel (mirrored at the border, as `cv2.boxFilter`); then the fixed map to grey levels of `gcn`,
    `127.5 + 127.5 * z / limit`, rounded and clipped. `eps` keeps noise and JPEG blocks in flat regions
    from being blown up. Colour images channel by channel.
    """

    window: int = argument(15, "side of the window, in pixels", choices=tuple(range(3, 64, 2)))
    eps: float = argument(4.0, "least divisor, in grey levels", low=1e-6, high=255.0)
    limit: float = argument(3.0, "deviations that reach black and white", low=0.1, high=100.0)

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Normalise uint8 (N, C, H, W)."""
        return map_chunks(self._normalise, images)

    def _normalise(self, images: Tensor) -> Tensor:
        border = (self.window // 2, self.window // 2)
        padded = pad(images, border, border, "reflect101").to(torch.int32)
        pixels = self.window**2
        # Integers until here and here alone: exact, and the same on every device.
        total = _window_sums(padded, self.window).to(torch.int64)
        squares = _window_sums(padded * padded, self.window).to(torch.int64)
        spread = (squares * pixels - total * total).to(torch.float32)
        deviation = spread.sqrt_().div_(pixels).clamp_(min=self.eps)
        centred = (images.to(torch.int64) * pixels - total).to(torch.float32).div_(pixels)
        return deviations_to_grey(centred.div_(deviation), self.limit)


def _window_sums(values: Tensor, window: int) -> Tensor:
    """Sums over every `window` x `window` square of int32 (…, H, W).

    Running sums may wrap around in int32; their differences are right all the same, as no square's sum
    exceeds 63**2 * 255**2 < 2**31.
    """
    return _running_difference(_running_difference(values, window, -1), window, -2)


def _running_difference(values: Tensor, window: int, dim: int) -> Tensor:
    sums = values.cumsum(dim, dtype=torch.int32)
    count = values.shape[dim] - window
    first = sums.narrow(dim, window - 1, 1)
    later = sums.narrow(dim, window, count) - sums.narrow(dim, 0, count)
    return torch.cat((first, later), dim)
