"""What differs between JSON objects, such as the specs of several runs."""

from collections.abc import Mapping, Sequence
from typing import Any


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A JSON object without objects in it: `recipe.epochs` and the like."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return found


def differences(specs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values of each key that is not the same everywhere, in the order of the specs; absent ones are None."""
    return {key: each for key, each in side_by_side(specs).items() if any(value != each[0] for value in each)}


def side_by_side(specs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values of each key of any of the specs, in their order; absent ones are None."""
    keys = dict.fromkeys(key for spec in specs for key in spec)
    return {key: [spec.get(key) for spec in specs] for key in keys}
