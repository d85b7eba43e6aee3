"""Cutout."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import PhotometricStep, augmentation, draw
from fer_core.augmentation.rectangles import rectangle_mask
from fer_core.chain import argument


@augmentation("cutout")
@dataclass(frozen=True)
class Cutout(PhotometricStep):
    """Cover a square by mid-grey, centred on any pixel, so that it may reach over the border.

    DeVries and Taylor, arXiv 1708.04552.
    """

    size: int = argument(14, "side of the square, in pixels", low=0, high=4096)

    def change(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        """Cover one square in every face by 0, the middle of [-1, 1]."""
        count, _, height, width = faces.shape
        top = draw(count, 0, height, generator).floor_() - self.size // 2
        left = draw(count, 0, width, generator).floor_() - self.size // 2
        side = torch.full_like(top, self.size)
        return faces.masked_fill(rectangle_mask(faces, top, left, side, side), 0.0)
