"""Salt-and-pepper noise."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fer_core.chain import argument
from fer_core.preprocessing.base import Context, Step, map_chunks, step


@step("salt_pepper")
@dataclass(frozen=True)
class SaltPepper(Step):
    """Salt-and-pepper noise on the training images only: random pixels become white or black.

    Each value of each channel is hit by itself, as in `skimage.util.random_noise(mode="s&p")`. The noise is
    drawn on the CPU from the seed, so that the same seed gives the same images on every device.
    """

    training_only: ClassVar[bool] = True

    amount: float = argument(0.05, "share of the values that are replaced", low=0.0, high=1.0)
    ratio: float = argument(0.5, "share of the replaced values that become white", low=0.0, high=1.0)

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Add noise to uint8 (N, C, H, W), drawn from `context.seed`."""
        generator = torch.Generator().manual_seed(context.seed)

        def add_noise(chunk: Tensor) -> Tensor:
            """A few images with the generator's next values replaced."""
            drawn = torch.rand(chunk.shape, generator=generator)
            salt = drawn < self.amount * self.ratio
            kept = drawn >= self.amount
            # pepper is what is neither: zero
            return torch.where(salt.to(chunk.device), 255, chunk * kept.to(chunk.device)).to(torch.uint8)

        return map_chunks(add_noise, images)
