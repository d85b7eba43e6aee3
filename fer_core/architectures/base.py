"""What every architecture has: a builder, its paper's recipe, and where it comes from."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from fer_core.architectures.striding import mend_strides
from fer_core.config import Recipe, kind_in_words, require_range
from fer_core.errors import FerError
from fer_core.registry import Registry

Builder = Callable[..., nn.Module]
REQUIRED_ARGUMENTS = ("channels", "size", "classes")
# where a training starts from: a trained network has its own weights, and must not need these again
START_ARGUMENTS = ("weights",)
PIXELS, DESCRIPTORS = "pixels", "descriptors"


@dataclass(frozen=True)
class NamedRecipe:
    """A further recipe of one architecture, and the architecture's arguments that belong to it."""

    recipe: Recipe
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Architecture:
    """A registered network: how to build it, its paper's own recipe, and its source.

    `recipes` are further ones that its paper names; `learns_from` is PIXELS or DESCRIPTORS. `heavy` says why
    it takes more than a few dozen updates on one core to train, and is empty for most networks.
    """

    name: str
    builder: Builder
    paper_recipe: Recipe
    source: str
    modern_recipe: Mapping[str, Any]
    heavy: str = ""
    recipes: Mapping[str, NamedRecipe] = field(default_factory=dict)
    learns_from: str = PIXELS

    @property
    def summary(self) -> str:
        """First line of the builder's docstring."""
        return (inspect.getdoc(self.builder) or self.name).splitlines()[0]

    def arguments(self) -> dict[str, Any]:
        """The optional arguments with their defaults."""
        parameters = inspect.signature(self.builder).parameters
        return {name: p.default for name, p in parameters.items() if name not in REQUIRED_ARGUMENTS}


class ArchitectureRegistry(Registry[Architecture]):
    """The registered networks, and whole families of others as `<family>:<member>`, which no listing names."""

    def __init__(self) -> None:
        super().__init__("architecture")
        self._families: dict[str, Callable[[str], Architecture]] = {}
        self._choices: list[str] = []

    def add_family(self, family: str, find: Callable[[str], Architecture], *, is_choice: bool = True) -> None:
        """Let `find` make the architecture of each member; it raises UnknownNameError for a name it lacks.

        A family that is no choice for a training is not named among the choices.
        """
        self._families[family] = find
        if is_choice:
            self._choices.append(f"any {family}:NAME")

    def get(self, name: str) -> Architecture:
        """The architecture called `name`; raises UnknownNameError with the choices."""
        family, _, member = name.partition(":")
        if member and family in self._families:
            return self._families[family](member)
        return super().get(name)

    def _unknown(self, name: str) -> str:
        return ", ".join([super()._unknown(name), *sorted(self._choices)])


ARCHITECTURES = ArchitectureRegistry()


def register(
    name: str,
    *,
    paper_recipe: Recipe,
    source: str,
    modern_recipe: Mapping[str, Any] | None = None,
    heavy: str = "",
    recipes: Mapping[str, NamedRecipe] | None = None,
    learns_from: str = PIXELS,
) -> Callable[[Builder], Builder]:
    """Register a builder together with its paper's recipe and its source.

    `modern_recipe` names the few hyperparameters in which the `modern` recipe suits this net better.
    """

    def decorate(builder: Builder) -> Builder:
        modern, further = dict(modern_recipe or {}), dict(recipes or {})
        ARCHITECTURES.add(name, Architecture(name, builder, paper_recipe, source, modern, heavy, further, learns_from))
        return builder

    return decorate


def build(name: str, *, channels: int = 1, size: int = 48, classes: int = 7, **arguments: Any) -> nn.Module:
    """A freshly initialised network for faces of shape (B, `channels`, `size`, `size`).

    Raises FerError for an unknown architecture or argument, with the choices.
    """
    check_arguments(name, arguments)
    return mend_strides(ARCHITECTURES.get(name).builder(channels=channels, size=size, classes=classes, **arguments))


def check_arguments(name: str, arguments: Mapping[str, Any]) -> None:
    """Raise FerError unless the architecture `name` has these arguments, of these kinds; it says which it has."""
    known = ARCHITECTURES.get(name).arguments()
    for argument, value in arguments.items():
        if argument not in known:
            choices = f"choose from {', '.join(known)}" if known else "it takes none"
            raise FerError(f"architecture {name!r} has no argument {argument!r}; {choices}")
        _check_kind(f"{name}'s {argument}", value, type(known[argument]))


def typed_arguments(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, checked, in the kinds of their defaults: a `width` of 1 is one of 1.0, and no other network."""
    check_arguments(name, arguments)
    known = ARCHITECTURES.get(name).arguments()
    return {each: float(value) if type(known[each]) is float else value for each, value in arguments.items()}


def rebuild(name: str, *, channels: int = 1, size: int = 48, classes: int = 7, **arguments: Any) -> nn.Module:
    """The network of a trained run, before its own weights are loaded: `build` without looking for others.

    So a run that started from downloaded weights or from a file needs neither to predict.
    """
    kept = {argument: value for argument, value in arguments.items() if argument not in START_ARGUMENTS}
    return build(name, channels=channels, size=size, classes=classes, **kept)


def _check_kind(what: str, value: Any, kind: type) -> None:
    accepted = {float: (int, float), tuple: (list, tuple)}.get(kind, kind)
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise FerError(f"{what} must be {kind_in_words(kind)}, got {value!r}")


def check_size(name: str, size: int, smallest: int) -> None:
    """Raise FerError if faces of `size` × `size` pixels vanish on their way through the network."""
    if size < smallest:
        raise FerError(f"{name} needs faces of at least {smallest}×{smallest} pixels, got {size}×{size}")


def check_dropout(probability: float) -> None:
    """Raise ConfigError unless some of the activations are kept."""
    require_range("dropout", probability, 0, 0.99)


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """(all, trainable) numbers, where all counts batch normalisation's running statistics as Keras does.

    Constants, such as the mean and deviation that a network subtracts and divides by, count as nothing.
    """
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    # not num_batches_tracked: PyTorch's own bookkeeping, and in no paper's count
    statistics = sum(b.numel() for name, b in model.named_buffers() if "running_" in name)
    return trainable + frozen + statistics, trainable
