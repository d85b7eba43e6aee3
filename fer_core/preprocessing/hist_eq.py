"""Histogram equalisation."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.preprocessing.base import Context, Step, map_chunks, step
from fer_core.preprocessing.grey import LEVELS, histograms, on_luminance, round_to_grey, table_keys


@step("hist_eq")
@dataclass(frozen=True)
class HistEq(Step):
    """Histogram equalisation: spread each image's grey levels over the whole range.

    Equal to `cv2.equalizeHist`, constant images (left alone) included; colour images are equalised
    in their luminance.
    """

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Equalise uint8 (N, C, H, W)."""
        return map_chunks(lambda chunk: on_luminance(_equalise, chunk), images)


def _equalise(images: Tensor) -> Tensor:
    keys = table_keys(images.flatten(1))
    counts = histograms(keys, images.shape[0])
    darkest = (counts > 0).to(torch.uint8).argmax(1, keepdim=True)
    first = counts.gather(1, darkest)
    others = images[0].numel() - first  # (N, 1): 0 for a constant image
    # One float32 division and one product, as OpenCV has it: a float64 or `255 / others`, which torch takes as
    # a reciprocal times 255, would round some levels differently.
    scale = torch.full_like(others, LEVELS - 1, dtype=torch.float32).div_(others.clamp(min=1))
    levels = round_to_grey((counts.cumsum(1) - first).to(torch.float32) * scale)
    unchanged = torch.arange(LEVELS, dtype=torch.uint8, device=images.device)
    levels = torch.where(others == 0, unchanged, levels)
    return levels.flatten().index_select(0, keys).view_as(images)
