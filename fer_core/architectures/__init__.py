"""Neural networks, one file per family; a new file registers itself.

An architecture is a function `(colour_channels, image_size, classes, **arguments) -> nn.Module`
that takes faces in [-1, 1] of shape (B, C, H, W) and returns logits of shape (B, classes).
"""

from fer_core.architectures.base import (
    ARCHITECTURES,
    DESCRIPTORS,
    PIXELS,
    Architecture,
    build,
    parameter_counts,
    rebuild,
    register,
    typed_arguments,
)
from fer_core.architectures.lpq_phog_mlp import DescriptorMLP
from fer_core.registry import import_submodules

import_submodules(__name__, list(__path__))

__all__ = [
    "ARCHITECTURES",
    "DESCRIPTORS",
    "PIXELS",
    "Architecture",
    "DescriptorMLP",
    "build",
    "parameter_counts",
    "rebuild",
    "register",
    "typed_arguments",
]
