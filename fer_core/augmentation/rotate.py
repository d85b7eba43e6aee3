"""Random rotation."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import GeometricStep, affine, augmentation, draw
from fer_core.chain import argument


@augmentation("rotate")
@dataclass(frozen=True)
class Rotate(GeometricStep):
    """Turn about the centre by an angle uniform in -degrees..degrees."""

    degrees: float = argument(10.0, "largest angle to either side", low=0.0, high=180.0)

    def matrices(self, count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw the angles."""
        limit = math.radians(self.degrees)
        angle = draw(count, -limit, limit, generator)
        cosine, sine = angle.cos(), angle.sin()
        return affine(count, generator, xx=cosine, xy=-sine, yx=sine, yy=cosine)
