"""What differs between JSON objects, such as the specs of several runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from fer_core.config import RunSpec, to_json

MEMBERS = "architecture_arguments.members"
OF_ENSEMBLES = ("architecture", "dataset", "protocol", "emotions", MEMBERS)  # all else is its members' own


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


def asked_for(specs: Sequence[RunSpec | None], *, everything: bool = False) -> dict[str, list[Any]]:
    """What several runs were asked for, by the keys of `flat`: what is not the same for all, or everything.

    None is what a run was not asked for. An ensemble was not trained, and a spec that cannot be read (None) says
    nothing: that these lack a key makes no difference.
    """
    told = [_told(spec) for spec in specs]

    def differs(key: str) -> bool:
        known = [each.get(key) for each in told if each and (key in OF_ENSEMBLES or MEMBERS not in each)]
        return any(value != known[0] for value in known)

    return {key: values for key, values in side_by_side(told).items() if everything or differs(key)}


def _told(spec: RunSpec | None) -> dict[str, Any]:
    known = flat(to_json(spec)) if spec else {}
    known.pop("schema_version", None)
    return {key: known[key] for key in OF_ENSEMBLES} if MEMBERS in known else known
