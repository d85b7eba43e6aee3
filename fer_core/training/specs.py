"""One way to say what to train, for the command line and for the pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from fer_core.architectures import typed_arguments
from fer_core.config import RunSpec
from fer_core.labels import EMOTIONS
from fer_core.preprocessing import Pipeline
from fer_core.training.recipes import get_recipe, recipe_arguments


def make_spec(
    architecture: str,
    preprocessing: str,
    *,
    dataset: str,
    protocol: str,
    recipe: str,
    seed: int = 0,
    emotions: Sequence[str] = EMOTIONS,
    hyperparameters: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    init_from: str = "",
) -> RunSpec:
    """The spec of one run, its pipeline in canonical form.

    `hyperparameters` replace those of the recipe, `arguments` those of the architecture (and those that
    the recipe brings); one with the value None changes nothing. `init_from` is the full id of a run.
    Raises FerError for anything unknown or impossible, with the choices.
    """
    given = typed_arguments(architecture, {name: each for name, each in (arguments or {}).items() if each is not None})
    return RunSpec(
        architecture=architecture,
        preprocessing=str(Pipeline.parse(preprocessing)),
        dataset=dataset,
        protocol=protocol,
        recipe=get_recipe(recipe, architecture, **(hyperparameters or {})),
        seed=seed,
        emotions=tuple(emotions),
        architecture_arguments={**recipe_arguments(recipe, architecture), **given},
        init_from=init_from,
    )
