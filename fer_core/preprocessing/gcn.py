"""Global contrast normalisation."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.chain import argument
from fer_core.preprocessing.base import Context, Step, map_chunks, step
from fer_core.preprocessing.grey import deviations_to_grey


@step("gcn")
@dataclass(frozen=True)
class Gcn(Step):
    """Global contrast normalisation: every image gets the same mean and contrast.

    Per image, over all its channels and pixels (paper 1):
    `z = s * (x - mean) / max(eps, sqrt(lam + mean((x - mean)**2)))`, in grey levels; then one fixed map
    to grey levels, `127.5 + 127.5 * z / limit`, rounded and clipped. The map is fixed because stretching
    each image between its own extremes would undo the normalisation: one bright pixel would set the
    contrast again. A limit of 3 lets three deviations to either side fill the range; what lies
    beyond is clipped. `lam`, in squared grey levels, keeps the noise of flat images small.
    """

    s: float = argument(1.0, "contrast after normalisation, in deviations", low=0.01, high=100.0)
    lam: float = argument(10.0, "added to the variance, in squared grey levels", low=0.0, high=1e6)
    eps: float = argument(1e-8, "least divisor, in grey levels", low=1e-12, high=255.0)
    limit: float = argument(3.0, "deviations that reach black and white", low=0.1, high=100.0)

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Normalise uint8 (N, C, H, W)."""
        return map_chunks(self._normalise, images)

    def _normalise(self, images: Tensor) -> Tensor:
        # Sums of integers are exact in any order: an image comes out the same alone and in a batch.
        count = images[0].numel()
        sums = images.sum((1, 2, 3), dtype=torch.int64).cpu().double()
        levels = images.to(torch.int32)
        squares = (levels * levels).sum((1, 2, 3), dtype=torch.int64).cpu().double()
        mean = sums / count
        variance = (squares / count - mean.square()).clamp_(min=0)
        scale = self.s / (variance + self.lam).sqrt_().clamp_(min=self.eps)
        mean, scale = (each.float().to(images.device).view(-1, 1, 1, 1) for each in (mean, scale))
        return deviations_to_grey((images - mean).mul_(scale), self.limit)
