"""Random erasing."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import PhotometricStep, augmentation, draw, per_face
from fer_core.augmentation.rectangles import rectangle_mask
from fer_core.chain import argument

AREA = (0.02, 0.2)  # shares of the face
ASPECT = (0.3, 1 / 0.3)  # height over width


@augmentation("erase")
@dataclass(frozen=True)
class Erase(PhotometricStep):
    """Cover, with probability p, a random rectangle inside the face by one random grey level.

    Zhong et al., arXiv 1708.04896: area 2 to 20 % of the face, aspect 0.3 to 3.3 (log-uniform).
    """

    p: float = argument(0.5, "probability", low=0.0, high=1.0)

    def change(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        """Cover the rectangles by a value uniform in [-1, 1]."""
        count, _, height, width = faces.shape
        erased = draw(count, 0.0, 1.0, generator) < self.p
        area = draw(count, *AREA, generator) * (height * width)
        aspect = draw(count, math.log(ASPECT[0]), math.log(ASPECT[1]), generator).exp_()
        tall = (area * aspect).sqrt_().round_().clamp_(1, height)
        wide = (area / aspect).sqrt_().round_().clamp_(1, width)
        top = (draw(count, 0.0, 1.0, generator) * (height - tall + 1)).floor_()
        left = (draw(count, 0.0, 1.0, generator) * (width - wide + 1)).floor_()
        grey = per_face(draw(count, -1.0, 1.0, generator), faces)
        mask = rectangle_mask(faces, top, left, tall * erased, wide)
        return torch.where(mask, grey, faces)
