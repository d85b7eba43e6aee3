"""What runs were made with, side by side and in words: a table of a comparison."""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

from fer_core.architectures.ensemble import NAME as ENSEMBLE
from fer_core.architectures.ensemble import Member, read_members
from fer_core.config import Recipe, RunSpec, to_json
from fer_core.evaluation import differences, flat
from fer_core.report.markdown import NONE, percent

NAMES = {"recipe.name": "recipe", "init_from": "starts from"}
USUAL = {f"recipe.{each.name}": each.default for each in fields(Recipe) if each.default is not MISSING}
OF_ENSEMBLES = ("architecture", "dataset", "protocol", "emotions")  # all else is its members'


def differing(specs: Sequence[RunSpec]) -> list[tuple[str, ...]]:
    """What is not the same in all `specs`: rows of its name and its value in each, `–` where one has none.

    An ensemble was not trained and has no recipe; its `members` stand in one row, with their weights.
    """
    found = differences([_told(spec) for spec in specs])
    return [(_name(key), *map(_text, values)) for key, values in found.items() if not _is_usual(key, values)]


def _is_usual(key: str, values: Sequence[Any]) -> bool:
    """Whether all that have a hyperparameter have it by default: that others are ensembles tells nothing of it."""
    return key in USUAL and all(value in (None, USUAL[key]) for value in values)


def _told(spec: RunSpec) -> dict[str, Any]:
    known: dict[str, Any] = to_json(spec)
    known.pop("schema_version", None)
    if spec.architecture != ENSEMBLE:
        return flat(known)
    members = [_member(each) for each in read_members(spec.architecture_arguments)]
    return {key: known[key] for key in OF_ENSEMBLES} | {"members": members}


def _member(member: Member) -> str:
    """`44.2 % se_resnet · raw (e2d6f39a)`: its weight, and what it is."""
    return f"{percent(member.weight)} {member.architecture} · {member.preprocessing} ({member.run.rpartition('__')[2]})"


def _name(key: str) -> str:
    return NAMES.get(key, key.removeprefix("recipe.").removeprefix("architecture_arguments.").replace("_", " "))


def _text(value: Any) -> str:
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NONE
    return f"{value:.6g}" if isinstance(value, float) else str(value)
