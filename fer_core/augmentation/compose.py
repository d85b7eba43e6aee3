"""A chain of random steps."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.augmentation.base import AUGMENTATIONS, GeometricStep, PhotometricStep, RandomStep
from fer_core.augmentation.warp import warp
from fer_core.chain import Argument, parse_chain


@dataclass(frozen=True)
class Augmentation:
    """Random steps for training; `str` gives the canonical text, empty where there are none.

    >>> str(Augmentation.parse("flip + rotate(15) + shift"))
    'flip+rotate(degrees=15)+shift'
    """

    steps: tuple[RandomStep, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Augmentation":
        """Read a chain such as `flip+rotate(10)+cutout(14)`; the empty string leaves faces as they are.

        FerError says what is possible.
        """
        return cls(parse_chain(text, AUGMENTATIONS) if text.strip() else ())

    def __str__(self) -> str:
        return "+".join(map(str, self.steps))

    def mirror_alone(self) -> "Augmentation":
        """Its mirroring without all else."""
        return Augmentation(tuple(step for step in self.steps if isinstance(step, GeometricStep) and step.only_mirrors))

    def __call__(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        """Augment float32 faces (B, C, H, W) in [-1, 1]; the result has the same shape, device and range.

        Everything random is drawn from `generator`, whose device may differ from that of the faces: the
        same generator state gives the same faces, and one on the CPU gives the same draws for every device.
        Geometric steps come first, composed into one affine map and one bilinear resampling, wherever they
        stand in the chain; the others follow in their order. `faces` itself is never changed.
        """
        geometric = [step for step in self.steps if isinstance(step, GeometricStep)]
        if geometric:
            faces = warp(faces, geometric, generator)
        for step in self.steps:
            if isinstance(step, PhotometricStep):
                faces = step.change(faces, generator)
        return faces


@dataclass(frozen=True)
class AugmentationDescription:
    """What a listing shows of a random step."""

    name: str
    summary: str
    arguments: tuple[Argument, ...]


def describe_augmentations() -> list[AugmentationDescription]:
    """Every word that an augmentation string may hold, by name."""
    kinds = [AUGMENTATIONS.get(name) for name in AUGMENTATIONS.names()]
    return [AugmentationDescription(kind.name, kind.summary(), kind.arguments()) for kind in kinds]
