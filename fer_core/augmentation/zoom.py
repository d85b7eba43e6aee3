"""Random enlargement."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import GeometricStep, affine, augmentation, draw
from fer_core.chain import argument


@augmentation("zoom")
@dataclass(frozen=True)
class Zoom(GeometricStep):
    """Scale both sides by one factor, uniform in 1 - fraction..1 + fraction."""

    fraction: float = argument(0.1, "largest change of the size", low=0.0, high=0.9)

    def matrices(self, count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw the factors."""
        inverse = draw(count, 1 - self.fraction, 1 + self.fraction, generator).reciprocal_()
        return affine(count, generator, xx=inverse, yy=inverse)
