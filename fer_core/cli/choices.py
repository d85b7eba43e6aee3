"""Reading what is typed: lists joined by commas, and `name=value`."""

import getpass
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fer_core.errors import FerError
from fer_core.labels import EMOTIONS
from fer_core.runs import RunStore

WITHOUT_AUGMENTATION = "none"


def names_in(text: str) -> list[str]:
    """`raw,gcn(lam=5,s=2)` as a list; raises FerError where there is none."""
    names = [name.strip() for name in re.split(r",(?![^()]*\))", text) if name.strip()]
    if not names:
        raise FerError(f"expected names joined by commas, got {text!r}")
    return names


def numbers_in(text: str) -> list[int]:
    """`0,1,2` as whole numbers; raises FerError for anything else."""
    try:
        return [int(number) for number in names_in(text)]
    except ValueError:
        raise FerError(f"expected whole numbers joined by commas, got {text!r}") from None


def assignments(pairs: Sequence[str] | None) -> dict[str, Any]:
    """`["l2=0.01", "augmentation=flip"]` as names and values; numbers and lists are read as JSON."""
    found = {}
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise FerError(f"expected name=value, got {pair!r}")
        if name.strip() in found:
            raise FerError(f"{name.strip()} is given twice")
        found[name.strip()] = value_of(text.strip())
    return found


def hyperparameters_in(pairs: Sequence[str] | None, store: RunStore) -> dict[str, Any]:
    """`assignments` of a recipe, as a person writes them: `milestones=30,45`, `augmentation=none`, a teacher's hash.

    Raises RunError where no single run of `store` is meant as the teacher.
    """
    found = as_recipe(assignments(pairs))
    return found | {"teacher": whole_name(str(found["teacher"]), store)} if found.get("teacher") else found


def as_recipe(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters as a recipe has them: `augmentation` may say "none", `milestones` may be text or one number.

    Raises FerError where the milestones are no numbers.
    """
    found = dict(typed)
    if found.get("augmentation") == WITHOUT_AUGMENTATION:
        found["augmentation"] = ""
    if isinstance(found.get("milestones"), str | int):
        found["milestones"] = numbers_of("milestones", str(found["milestones"]))
    return found


def numbers_of(what: str, text: str) -> list[int]:
    """`numbers_in`, whose refusal says what the numbers are of."""
    try:
        return numbers_in(text)
    except FerError:
        raise FerError(f"{what} must be whole numbers joined by commas, got {text!r}") from None


def whole_name(part: str, store: RunStore) -> str:
    """The id of the run that is meant by its name, its beginning or its hash; "" for none. Raises RunError."""
    return store.get(part).id if part else ""


def value_of(text: str) -> Any:
    """A number, list, true or false as JSON reads it, else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def left_after(without: str) -> tuple[str, ...]:
    """EMOTIONS but those named in `without`; raises FerError for an unknown name, with the choices."""
    left_out = names_in(without) if without else []
    unknown = [name for name in left_out if name not in EMOTIONS]
    if unknown:
        raise FerError(f"unknown emotion {unknown[0]!r}; choose from {', '.join(EMOTIONS)}")
    return tuple(emotion for emotion in EMOTIONS if emotion not in left_out)


def user() -> str:
    """Who types this command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "the command line"
