"""Random brightness."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import PhotometricStep, augmentation, draw, per_face
from fer_core.chain import argument


@augmentation("brightness")
@dataclass(frozen=True)
class Brightness(PhotometricStep):
    """Add one value to a whole face, up to a share of the full range (2, from -1 to 1) to either side."""

    amount: float = argument(0.2, "largest change, as a share of the full range", low=0.0, high=1.0)

    def change(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        """Brighten or darken, clipped to [-1, 1]."""
        added = draw(len(faces), -2 * self.amount, 2 * self.amount, generator)
        return (faces + per_face(added, faces)).clamp_(-1, 1)
