"""Random contrast."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import PhotometricStep, augmentation, draw, per_face
from fer_core.chain import argument


@augmentation("contrast")
@dataclass(frozen=True)
class Contrast(PhotometricStep):
    """Multiply the deviation from the face's mean by a factor uniform in 1 - amount..1 + amount."""

    amount: float = argument(0.2, "largest change of the factor", low=0.0, high=1.0)

    def change(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        """Stretch or flatten, clipped to [-1, 1]."""
        factor = per_face(draw(len(faces), 1 - self.amount, 1 + self.amount, generator), faces)
        mean = faces.mean((1, 2, 3), keepdim=True)
        return (faces * factor).add_(mean * (1 - factor)).clamp_(-1, 1)
