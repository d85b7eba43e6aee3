"""Random mirroring."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fer_core.augmentation.base import GeometricStep, affine, augmentation, draw
from fer_core.chain import argument


@augmentation("flip")
@dataclass(frozen=True)
class Flip(GeometricStep):
    """Mirror left and right; exact (no resampling) where no other geometric step is in the chain."""

    only_mirrors: ClassVar[bool] = True

    p: float = argument(0.5, "probability", low=0.0, high=1.0)

    def matrices(self, count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw who is mirrored."""
        mirrored = draw(count, 0.0, 1.0, generator) < self.p
        return affine(count, generator, xx=torch.where(mirrored, -1.0, 1.0))
