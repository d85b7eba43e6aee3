"""What a preprocessing step is, and the registry of all steps."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from fer_core.chain import Operation, registering
from fer_core.registry import Registry

VALUES_PER_CHUNK = 2**18  # measured fastest on a CPU: the intermediates, ~100 bytes a value, stay near the cache


@dataclass(frozen=True)
class Context:
    """What a step may know beside the images: a seed, and a place to count what it met."""

    seed: int = 0
    notes: dict[str, int] = field(default_factory=dict)

    def count(self, note: str, amount: int) -> None:
        """Add `amount` to the count called `note`."""
        self.notes[note] = self.notes.get(note, 0) + amount


@dataclass(frozen=True)
class Step(Operation, ABC):
    """One deterministic operation on uint8 images; its dataclass fields are its arguments."""

    training_only: ClassVar[bool] = False

    @abstractmethod
    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Map uint8 (N, C, H, W) to uint8 of the same shape and device; never changes `images`."""


STEPS: Registry[type[Step]] = Registry("step")
StepType = TypeVar("StepType", bound=type[Step])


def step(name: str) -> Callable[[StepType], StepType]:
    """Register a Step class as `name`, the word that stands for it in a pipeline string."""
    return registering(name, STEPS)


def map_chunks(function: Callable[[Tensor], Tensor], images: Tensor, *, values_per_image: int = 0) -> Tensor:
    """`function` over `images` (N, …) a few at a time, so that its intermediates stay small.

    `function` maps uint8 (n, …) to uint8 of the same shape. `values_per_image`: what it holds for each
    image, where that may be more than the image's own values.
    """
    if torch.compiler.is_exporting():
        return function(images)  # a graph for any number of images has no loop over them
    if images.numel() == 0:
        return images.clone()
    size = max(1, VALUES_PER_CHUNK // max(images[0].numel(), values_per_image))
    mapped = torch.empty_like(images, memory_format=torch.contiguous_format)
    for start in range(0, len(images), size):
        mapped[start : start + size] = function(images[start : start + size])
    return mapped
