"""Random shearing."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import GeometricStep, affine, augmentation, draw
from fer_core.chain import argument


@augmentation("shear")
@dataclass(frozen=True)
class Shear(GeometricStep):
    """Slant the vertical by an angle uniform in -degrees..degrees; rows stay level."""

    degrees: float = argument(10.0, "largest angle to either side", low=0.0, high=60.0)

    def matrices(self, count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw the slants."""
        limit = math.radians(self.degrees)
        return affine(count, generator, xy=draw(count, -limit, limit, generator).tan())
