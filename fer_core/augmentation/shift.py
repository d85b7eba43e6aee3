"""Random displacement."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import GeometricStep, affine, augmentation, draw
from fer_core.chain import argument


@augmentation("shift")
@dataclass(frozen=True)
class Shift(GeometricStep):
    """Move by up to a fraction of the width to the side and of the height up or down."""

    fraction: float = argument(0.1, "largest shift, as a share of the side", low=0.0, high=1.0)

    def matrices(self, count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw the two displacements."""
        across = draw(count, -self.fraction * width, self.fraction * width, generator)
        down = draw(count, -self.fraction * height, self.fraction * height, generator)
        return affine(count, generator, x=across, y=down)
