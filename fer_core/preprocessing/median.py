"""Median filter."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.chain import argument
from fer_core.preprocessing.base import Context, Step, map_chunks, step
from fer_core.preprocessing.grey import pad


@step("median")
@dataclass(frozen=True)
class Median(Step):
    """Median filter: every pixel becomes the median of the square around it.

    Equal to `cv2.medianBlur`; beyond the border its nearest pixel goes on. Colour images channel by channel.
    """

    ksize: int = argument(3, "side of the square, in pixels", choices=(3, 5, 7))

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Filter uint8 (N, C, H, W)."""
        return map_chunks(self._filter, images)

    def _filter(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        border = (self.ksize // 2, self.ksize // 2)
        padded = pad(images, border, border, "replicate")
        steps = range(self.ksize)
        return _median([padded[..., y : y + height, x : x + width] for y in steps for x in steps])


def _median(values: list[Tensor]) -> Tensor:
    """Median of an odd number of tensors, place by place, with nothing but minima and maxima.

    Forgetful selection (Devillard, Fast median search, 1998): among more than half of the values, the
    smallest and the largest cannot be the median; they are dropped and the next value is taken in.
    """
    kept = len(values) // 2 + 2
    live, waiting = values[:kept], values[kept:]
    while len(live) > 2:
        live = _without_extremes(live)
        if waiting:
            live.append(waiting.pop())
    return live[0]


def _without_extremes(values: list[Tensor]) -> list[Tensor]:
    lows, highs = [], []
    for first, second in zip(values[0::2], values[1::2], strict=False):
        lows.append(torch.minimum(first, second))
        highs.append(torch.maximum(first, second))
    smallest, *rest = lows
    inner = []
    for low in rest:
        inner.append(torch.maximum(smallest, low))
        smallest = torch.minimum(smallest, low)
    if len(values) % 2:
        highs.append(torch.maximum(smallest, values[-1]))
    largest, *rest = highs
    for high in rest:
        inner.append(torch.minimum(largest, high))
        largest = torch.maximum(largest, high)
    return inner
