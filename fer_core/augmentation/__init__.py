"""Random steps for training, batched on the device, chained by a string such as `flip+rotate(10)`.

A new step is one new file here with one class under `@augmentation("name")`.
"""

from fer_core.augmentation.base import AUGMENTATIONS, GeometricStep, PhotometricStep, RandomStep, augmentation
from fer_core.augmentation.compose import Augmentation, AugmentationDescription, describe_augmentations
from fer_core.registry import import_submodules

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "AugmentationDescription",
    "GeometricStep",
    "PhotometricStep",
    "RandomStep",
    "augmentation",
    "describe_augmentations",
]

import_submodules(__name__, __path__)
