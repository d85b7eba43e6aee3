"""What runs were made with, side by side and in words: a table of a comparison."""

from collections.abc import Mapping, Sequence
from typing import Any

from fer_core.config import RunSpec
from fer_core.evaluation.difference import asked_for

NAMES = {"recipe.name": "recipe", "init_from": "starts from"}
NONE = "–"


def differing(specs: Sequence[RunSpec]) -> list[tuple[str, ...]]:
    """What is not the same in all `specs`: rows of its name and its value in each, `–` where one has none.

    An ensemble was not trained and has no recipe; its `members` stand in one row, with their weights.
    """
    return [(_name(key), *map(_text, values)) for key, values in asked_for(specs).items()]


def _name(key: str) -> str:
    return NAMES.get(key, key.removeprefix("recipe.").removeprefix("architecture_arguments.").replace("_", " "))


def _text(value: Any) -> str:
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_member(each) if isinstance(each, Mapping) else str(each) for each in value) or NONE
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _member(member: Mapping[str, Any]) -> str:
    """`44.2 % se_resnet · raw (e2d6f39a)`: its weight, and what it is."""
    hash8 = str(member["run"]).rpartition("__")[2]
    return f"{100 * member['weight']:.1f} % {member['architecture']} · {member['preprocessing']} ({hash8})"
