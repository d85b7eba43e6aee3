"""What every architecture has: a builder, its paper's recipe, and where it comes from."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from fer_core.config import Recipe
from fer_core.errors import FerError
from fer_core.registry import Registry

Builder = Callable[..., nn.Module]
REQUIRED_ARGUMENTS = ("channels", "size", "classes")


@dataclass(frozen=True)
class Architecture:
    """A registered network: how to build it, its paper's own recipe, and its source."""

    name: str
    builder: Builder
    paper_recipe: Recipe
    source: str
    modern_recipe: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """First line of the builder's docstring."""
        return (inspect.getdoc(self.builder) or self.name).splitlines()[0]

    def arguments(self) -> dict[str, Any]:
        """The optional arguments with their defaults."""
        parameters = inspect.signature(self.builder).parameters
        return {name: p.default for name, p in parameters.items() if name not in REQUIRED_ARGUMENTS}


ARCHITECTURES: Registry[Architecture] = Registry("architecture")


def register(
    name: str, *, paper_recipe: Recipe, source: str, modern_recipe: Mapping[str, Any] | None = None
) -> Callable[[Builder], Builder]:
    """Register a builder together with its paper's recipe and its source.

    `modern_recipe` names the few hyperparameters in which the `modern` recipe suits this net better.
    """

    def decorate(builder: Builder) -> Builder:
        ARCHITECTURES.add(name, Architecture(name, builder, paper_recipe, source, dict(modern_recipe or {})))
        return builder

    return decorate


def build(name: str, *, channels: int = 1, size: int = 48, classes: int = 7, **arguments: Any) -> nn.Module:
    """A freshly initialised network for faces of shape (B, `channels`, `size`, `size`).

    Raises FerError for an unknown architecture or argument, with the choices.
    """
    architecture = ARCHITECTURES.get(name)
    known = architecture.arguments()
    for argument in arguments:
        if argument not in known:
            choices = f"choose from {', '.join(known)}" if known else "it takes none"
            raise FerError(f"architecture {name!r} has no argument {argument!r}; {choices}")
    return architecture.builder(channels=channels, size=size, classes=classes, **arguments)


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """(all, trainable) numbers, where all counts batch normalisation's running statistics as Keras does."""
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    # num_batches_tracked is PyTorch's own bookkeeping: an integer, and in no paper's count
    statistics = sum(b.numel() for b in model.buffers() if b.is_floating_point())
    return trainable + frozen + statistics, trainable
