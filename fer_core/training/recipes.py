"""Named sets of hyperparameters: each paper's own, and a modern one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

from fer_core.architectures import ARCHITECTURES, Architecture
from fer_core.config import ConfigError, Recipe, from_json, to_json
from fer_core.registry import Registry, UnknownNameError

RecipeMaker = Callable[[Architecture], Recipe]
RECIPES: Registry[RecipeMaker] = Registry("recipe")


@RECIPES.register("paper")
def paper(architecture: Architecture) -> Recipe:
    """The hyperparameters that the architecture's paper prints."""
    return replace(architecture.paper_recipe, name="paper")


@RECIPES.register("modern")
def modern(architecture: Architecture) -> Recipe:
    """AdamW with one cycle of the learning rate, light augmentation, label smoothing and weight averaging.

    Chosen on FER2013's PublicTest; an architecture may set a few values of its own.
    """
    common = Recipe(
        name="modern",
        epochs=30,
        batch_size=128,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=0.05,
        schedule="one_cycle",
        label_smoothing=0.1,
        ema_decay=0.998,
        augmentation="flip+rotate(12)+shift(0.1)+zoom(0.12)",
        precision="auto",
    )
    return replace(common, **architecture.modern_recipe)


def recipe_names(architecture: str) -> list[str]:
    """The recipes that an architecture has: those of all, then its own."""
    return [*RECIPES.names(), *ARCHITECTURES.get(architecture).recipes]


def hyperparameters() -> list[str]:
    """What a recipe lets one replace, sorted: all but its name."""
    return sorted(each.name for each in fields(Recipe) if each.name != "name")


def get_recipe(name: str, architecture: str, /, **overrides: Any) -> Recipe:
    """The recipe `name` for an architecture, with single hyperparameters replaced; those that are None are not.

    Raises ConfigError for an unknown hyperparameter or an impossible value, with the choices.
    """
    chosen = ARCHITECTURES.get(architecture)
    if name not in RECIPES and name not in chosen.recipes:
        raise UnknownNameError(
            f"unknown recipe {name!r} of {architecture}; choose from {', '.join(recipe_names(architecture))}"
        )
    recipe = chosen.recipes[name].recipe if name in chosen.recipes else RECIPES.get(name)(chosen)
    changed = {key: value for key, value in overrides.items() if value is not None}
    if "name" in changed:
        raise ConfigError("a recipe's name cannot be replaced; choose another recipe instead")
    unknown = [key for key in changed if key not in hyperparameters()]
    if unknown:
        raise ConfigError(unknown_name("hyperparameter", unknown[0], hyperparameters()))
    return from_json(Recipe, to_json(recipe) | changed) if changed else recipe


def unknown_name(what: str, name: str, choices: Iterable[str]) -> str:
    """`unknown WHAT 'widht' (did you mean 'width'?); choose from …`, as registries say it."""
    known = list(choices)
    close = get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"unknown {what} {name!r}{hint}; choose from {', '.join(known)}"


def recipe_arguments(name: str, architecture: str) -> Mapping[str, Any]:
    """The architecture's arguments that belong to one of its own recipes; none to `paper` and `modern`."""
    own = ARCHITECTURES.get(architecture).recipes
    return own[name].arguments if name in own else {}
