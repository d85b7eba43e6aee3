"""`list`: what can be chosen."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from fer_core.architectures import ARCHITECTURES, build, parameter_counts
from fer_core.architectures.base import NamedRecipe
from fer_core.cli.output import JsonOption, print_json, print_table
from fer_core.datasets import PROTOCOLS, dataset_names
from fer_core.errors import FerError
from fer_core.preprocessing import describe_steps
from fer_core.training import RECIPES

Row = dict[str, Any]


def list_names(
    what: Annotated[str, typer.Argument(help="architectures, preprocessing, recipes, datasets or protocols.")],
    json: JsonOption = False,
) -> None:
    """List architectures, preprocessing, recipes, datasets or protocols."""
    if what not in LISTINGS:
        raise FerError(f"nothing called {what!r} to list; choose from {', '.join(LISTINGS)}")
    rows = LISTINGS[what]()
    if json:
        print_json(rows)
        return
    columns = list(rows[0]) if rows else ["name"]
    print_table(what, columns, [[row[column] for column in columns] for row in rows], right=("parameters", "trainable"))


def _architectures() -> list[Row]:
    rows = []
    for name in ARCHITECTURES.names():
        architecture, (every, trainable) = ARCHITECTURES.get(name), parameter_counts(build(name))
        rows.append(
            {
                "name": name,
                "parameters": every,
                "trainable": trainable,
                "summary": architecture.summary,
                "source": architecture.source,
            }
        )
    return rows


def _preprocessing() -> list[Row]:
    return [
        {
            "name": step.name,
            "arguments": ", ".join(f"{each.name}={each.default}" for each in step.arguments),
            "used in": "training only" if step.training_only else "training and prediction",
            "summary": step.summary,
        }
        for step in describe_steps()
    ]


def _documented(registry: Any) -> list[Row]:
    return [{"name": n, "summary": (registry.get(n).__doc__ or "").splitlines()[0]} for n in registry.names()]


def _recipes() -> list[Row]:
    shared = [
        {"name": row["name"], "of": "every architecture", "summary": row["summary"]} for row in _documented(RECIPES)
    ]
    own = [
        {"name": recipe, "of": name, "summary": _brief(named)}
        for name in ARCHITECTURES.names()
        for recipe, named in ARCHITECTURES.get(name).recipes.items()
    ]
    return [*shared, *own]


def _brief(named: NamedRecipe) -> str:
    recipe = named.recipe
    arguments = "".join(f", {name}={value}" for name, value in named.arguments.items())
    return f"{recipe.epochs} epochs, {recipe.optimizer} at {recipe.learning_rate:g}{arguments}"


def _datasets() -> list[Row]:
    return [{"name": name} for name in dataset_names()]


LISTINGS: dict[str, Callable[[], list[Row]]] = {
    "architectures": _architectures,
    "preprocessing": _preprocessing,
    "recipes": _recipes,
    "datasets": _datasets,
    "protocols": lambda: _documented(PROTOCOLS),
}
