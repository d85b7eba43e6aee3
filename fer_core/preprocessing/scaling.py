"""Grey levels to the numbers that a network takes."""

import torch
from torch import Tensor


def scale_to_symmetric(images: Tensor) -> Tensor:
    """Scale grey levels to [-1, 1]: `x / 127.5 - 1`.

    `images`: uint8 of any shape; returns float32 of the same shape on the same device.
    """
    return images.to(torch.float32).div_(127.5).sub_(1.0)
