"""What a random step is, and the registry of all of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from fer_core.chain import Operation, registering
from fer_core.registry import Registry


class RandomStep(Operation, ABC):
    """A random change of faces, drawn for each face by itself; its dataclass fields are its arguments."""


@dataclass(frozen=True)
class GeometricStep(RandomStep):
    """A random affine map; those of one chain are composed, so that faces are resampled only once."""

    only_mirrors: ClassVar[bool] = False  # maps pixel centres onto pixel centres: no resampling needed

    @abstractmethod
    def matrices(self, count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Draw float32 (count, 3, 3) on the generator's device.

        A matrix takes (x, y, 1) of the result, in pixels from the image's centre, to the place in the
        face that is seen there.
        """


@dataclass(frozen=True)
class PhotometricStep(RandomStep):
    """A random change of grey levels in their place."""

    @abstractmethod
    def change(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed faces in [-1, 1]; never changes `faces` float (B, C, H, W) itself."""


AUGMENTATIONS: Registry[type[RandomStep]] = Registry("augmentation")
StepType = TypeVar("StepType", bound=type[RandomStep])


def augmentation(name: str) -> Callable[[StepType], StepType]:
    """Register a random step as `name`, the word that stands for it in an augmentation string."""
    return registering(name, AUGMENTATIONS)


def draw(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """`count` numbers, uniform in `low..high`, float32 on the generator's device."""
    return torch.rand(count, generator=generator, device=generator.device).mul_(high - low).add_(low)


def affine(count: int, generator: torch.Generator, **entries: Tensor) -> Tensor:
    """Identity matrices (count, 3, 3) with some `entries` replaced: `xx xy x` and `yx yy y` are the first two rows."""
    matrices = torch.eye(3, device=generator.device).repeat(count, 1, 1)
    for name, values in entries.items():
        row, column = ("x", "y").index(name[0]), ("x", "y", "").index(name[1:])
        matrices[:, row, column] = values
    return matrices


def per_face(values: Tensor, faces: Tensor) -> Tensor:
    """`values` (B,) as (B, 1, 1, 1) of the type and on the device of `faces`."""
    return values.to(faces).view(-1, 1, 1, 1)
