"""A selection of networks, preprocessing and settings: the runs that it means, and the command that says the same.

The library's networks and recipes come with torch, which takes seconds to load: functions that need it import it.
"""

import itertools
import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dashboard.advice import PYTHON
from dashboard.summaries import RunSummary
from fer_core.cli.choices import as_recipe, left_after, numbers_of
from fer_core.config import Recipe, RunSpec
from fer_core.errors import FerError

MOST_RUNS = 200
AUTO, OFFICIAL = "auto", "official"
# what `python -m fer_core grid` takes where an option is left out
GRID_DEFAULTS = {
    "--seeds": "0",
    "--dataset": "fer2013",
    "--protocol": OFFICIAL,
    "--recipe": "modern",
    "--without": "",
    "--init-from": "",
    "--device": AUTO,
}


@dataclass(frozen=True)
class Catalogue:
    """What can be trained: the recipes of each architecture by name, and the steps that a pipeline may hold.

    `arguments` holds each architecture's own arguments under each recipe: their names and what they are unless given.
    """

    recipes: Mapping[str, Mapping[str, Recipe]]
    steps: tuple[str, ...]
    arguments: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def architectures(self) -> list[str]:
        """All names, sorted."""
        return list(self.recipes)

    def common_recipes(self, architectures: Sequence[str]) -> list[str]:
        """The recipes that each of `architectures` has; without any architecture, those that all have."""
        names = [list(self.recipes[each]) for each in architectures if each in self.recipes]
        names = names or [list(recipes) for recipes in self.recipes.values()]
        return [name for name in names[0] if all(name in others for others in names)]

    def values(self, architectures: Sequence[str], recipe: str, name: str) -> list[Any]:
        """The different values of a hyperparameter in a recipe of `architectures`."""
        found = [self.recipes[each].get(recipe) for each in architectures if each in self.recipes]
        return list(dict.fromkeys(getattr(each, name) for each in found if each))

    def shared_arguments(self, architectures: Sequence[str], recipe: str) -> dict[str, list[Any]]:
        """The arguments that all of `architectures` take, each with its different values; none without any."""
        taken = [self.arguments.get(each, {}).get(recipe, {}) for each in architectures]
        names = [name for name in taken[0] if all(name in others for others in taken)] if taken else []
        return {name: list(dict.fromkeys(each[name] for each in taken)) for name in names}


def read_catalogue() -> Catalogue:
    """The registered networks with their recipes, and the registered steps."""
    from fer_core.architectures import ARCHITECTURES
    from fer_core.preprocessing import describe_steps
    from fer_core.training import get_recipe, recipe_arguments, recipe_names

    arguments = {
        each: {
            name: {**ARCHITECTURES.get(each).arguments(), **recipe_arguments(name, each)} for name in recipe_names(each)
        }
        for each in ARCHITECTURES.names()
    }
    recipes = {each: {name: get_recipe(name, each) for name in recipe_names(each)} for each in ARCHITECTURES.names()}
    return Catalogue(recipes, tuple(step.name for step in describe_steps()), arguments)


def pipelines(catalogue: Catalogue, runs: Iterable[RunSummary]) -> list[str]:
    """The pipelines to choose from: each step alone, then the longer ones that runs have used."""
    used = {run.spec.preprocessing for run in runs if run.spec}
    return [*catalogue.steps, *sorted(used - set(catalogue.steps))]


def first_protocol(served: Sequence[str], dataset: str, runs: Iterable[RunSummary]) -> int:
    """The place of the protocol to begin with: the official one, else what most runs on the dataset used."""
    if OFFICIAL in served:
        return served.index(OFFICIAL)
    used = Counter(run.spec.protocol for run in runs if run.spec and run.spec.dataset == dataset)
    return max(range(len(served)), key=lambda place: used[served[place]], default=0)


def shown_values(values: Sequence[Any]) -> str:
    """What one or several recipes say of a hyperparameter: `0.002`, `0.001 – 0.002`, `adam or adamw`."""
    if values and all(isinstance(value, int | float) for value in values):
        low, high = min(values), max(values)
        return f"{low:g}" if low == high else f"{low:g} – {high:g}"
    return " or ".join(_text(value) for value in values)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value) or "none"
    return str(value) or "none"


@dataclass(frozen=True)
class Selection:
    """What a visitor has chosen, as the page's fields give it.

    `hyperparameters` and `arguments` (of the architectures) hold those that are filled in; `init_from` is a run's id.
    """

    architectures: tuple[str, ...]
    pipelines: tuple[str, ...]
    dataset: str
    protocol: str = OFFICIAL
    recipe: str = "modern"
    seeds: str = "0"
    left_out: tuple[str, ...] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    init_from: str = ""
    device: str = AUTO


def make_specs(selection: Selection) -> list[RunSpec]:
    """One spec for each network, pipeline and seed, in this order, and none twice.

    Raises FerError, in one sentence, where anything chosen is missing, unknown or impossible.
    """
    grid = _grid(selection)
    from fer_core.augmentation import Augmentation
    from fer_core.training import make_spec

    changed = overrides(selection.hyperparameters)
    specs = [
        make_spec(
            architecture,
            pipeline,
            dataset=selection.dataset,
            protocol=selection.protocol,
            recipe=selection.recipe,
            seed=seed,
            emotions=left_after(",".join(selection.left_out)),
            hyperparameters=changed,
            arguments=selection.arguments,
            init_from=selection.init_from,
        )
        for architecture, pipeline, seed in grid
    ]
    for augmentation in {spec.recipe.augmentation for spec in specs}:
        Augmentation.parse(augmentation)
    return list({spec.run_id: spec for spec in specs}.values())


def _grid(selection: Selection) -> list[tuple[str, str, int]]:
    if not selection.architectures:
        raise FerError("choose at least one architecture")
    if selection.init_from and len(selection.architectures) > 1:
        raise FerError("a run to start from fits one architecture; choose that one alone")
    if not selection.pipelines:
        raise FerError("choose at least one preprocessing; raw means no step")
    grid = list(itertools.product(selection.architectures, selection.pipelines, numbers_of("seeds", selection.seeds)))
    if len(grid) > MOST_RUNS:
        raise FerError(
            f"these are {len(grid)} runs, and at most {MOST_RUNS} are launched at once; "
            "choose fewer architectures, pipelines or seeds"
        )
    return grid


def overrides(filled_in: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that a form replaces, as `as_recipe` reads them; raises FerError where it does."""
    return as_recipe({name: value for name, value in filled_in.items() if value is not None and value != ""})


def command(selection: Selection) -> str:
    """What to type for the runs of `make_specs`; options that have their default are left out."""
    options = {
        "--architectures": ",".join(selection.architectures),
        "--preprocessing": ",".join(selection.pipelines),
        "--seeds": ",".join(str(seed) for seed in dict.fromkeys(numbers_of("seeds", selection.seeds))),
        "--dataset": selection.dataset,
        "--protocol": selection.protocol,
        "--recipe": selection.recipe,
        "--without": ",".join(selection.left_out),
        "--init-from": selection.init_from,
        "--device": selection.device,
    }
    given = [
        f"{option} {shlex.quote(value)}" for option, value in options.items() if value != GRID_DEFAULTS.get(option)
    ]
    named = [("-A", selection.arguments), ("-H", overrides(selection.hyperparameters))]
    changed = [
        f"{option} " + shlex.quote(f"{name}={value if isinstance(value, str) else json.dumps(value)}")
        for option, values in named
        for name, value in values.items()
    ]
    return " ".join([f"{PYTHON} -m fer_core grid", *given, *changed])
