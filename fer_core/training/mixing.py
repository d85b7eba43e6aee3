"""Mixing each image of a batch with another, and with it what is to be learnt: mixup and CutMix."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fer_core.augmentation.base import draw, per_face
from fer_core.augmentation.rectangles import rectangle_mask
from fer_core.config import Recipe

QUANTILES = 1024  # of the Beta distribution; between them the draw is interpolated


@dataclass(frozen=True)
class Mixing:
    """Mixes images of a batch: `mixup` and `cutmix` are quantiles of Beta(a, a) on the device, or None where off.

    torchvision's `v2.MixUp` and `v2.CutMix` draw one share for a whole batch on the host, which a recorded CUDA graph
    would repeat for ever. These draw one for each image, on the device. The other image is the one before it, as there:
    batches are in random order. Where both are on, a coin is tossed for each image.
    """

    mixup: Tensor | None
    cutmix: Tensor | None

    @classmethod
    def create(cls, recipe: Recipe, device: torch.device) -> "Mixing | None":
        """What the recipe asks for; None where it mixes nothing."""
        if not recipe.mixup and not recipe.cutmix:
            return None
        return cls(_quantiles(recipe.mixup, device), _quantiles(recipe.cutmix, device))

    def __call__(self, faces: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mixed faces like `faces` float (B, C, H, W), and the share (B,) float32 of each that is its own."""
        made = []
        if self.mixup is not None:
            made.append(_blend(faces, _shares(self.mixup, len(faces), noise)))
        if self.cutmix is not None:
            made.append(_cut(faces, _shares(self.cutmix, len(faces), noise), noise))
        if len(made) == 1:
            return made[0]
        blended, cut = made
        is_cut = draw(len(faces), 0.0, 1.0, noise) < 0.5
        return torch.where(per_face(is_cut, is_cut), cut[0], blended[0]), torch.where(is_cut, cut[1], blended[1])


def _shares(quantiles: Tensor, count: int, noise: torch.Generator) -> Tensor:
    """Draw `count` numbers of the distribution that has these quantiles, by inversion."""
    place = draw(count, 0.0, len(quantiles) - 1, noise)
    below = place.long().clamp_(max=len(quantiles) - 2)
    return torch.lerp(quantiles[below], quantiles[below + 1], place - below)


def mixed(values: Tensor, share: Tensor) -> Tensor:
    """`values` float (B, ...) of a batch's images, mixed as they are: by their own `share` (B,)."""
    own = share.view(-1, *[1] * (values.ndim - 1)).to(values)
    return torch.lerp(values.roll(1, 0), values, own)


def _blend(faces: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Mixup: Zhang, Cissé, Dauphin, Lopez-Paz, arXiv 1710.09412."""
    return mixed(faces, share), share


def _cut(faces: Tensor, share: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
    """CutMix: Yun et al., arXiv 1905.04899. A rectangle of the other image; what the border cuts off stays its own."""
    count, _, height, width = faces.shape
    side = (1 - share).sqrt()
    tall, wide = side * height, side * width
    top = (draw(count, 0, height, noise).floor_() - tall / 2).round_()
    left = (draw(count, 0, width, noise).floor_() - wide / 2).round_()
    mask = rectangle_mask(faces, top, left, tall.round_(), wide.round_())
    return torch.where(mask, faces.roll(1, 0), faces), 1 - mask.float().mean((1, 2, 3))


def _quantiles(a: float, device: torch.device) -> Tensor | None:
    """Beta(a, a)'s quantiles float32 (QUANTILES + 1,) from 0 to 1; None for a = 0."""
    if not a:
        return None
    from scipy.special import betaincinv  # takes half a second, and few trainings mix

    shares = betaincinv(a, a, np.linspace(0, 1, QUANTILES + 1))
    return torch.from_numpy(shares.astype(np.float32)).to(device)
