"""Random noise."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import PhotometricStep, augmentation
from fer_core.chain import argument


@augmentation("noise")
@dataclass(frozen=True)
class Noise(PhotometricStep):
    """Add normal noise of deviation sigma, on the scale of [-1, 1], to every value."""

    sigma: float = argument(0.05, "deviation, on the scale of [-1, 1]", low=0.0, high=1.0)

    def change(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        """Add noise, clipped to [-1, 1]."""
        noise = torch.randn(faces.shape, generator=generator, device=generator.device)
        return faces.add(noise.to(faces), alpha=self.sigma).clamp_(-1, 1)
