"""Reading what is typed: lists joined by commas, and `name=value`."""

import getpass
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_core.errors import FerError
from fer_core.labels import EMOTIONS
from fer_core.paths import check_folder, runs_dir
from fer_core.runs import RunStore

WITHOUT_AUGMENTATION = "none"
DEVICE = re.compile(r"auto|cpu|mps|cuda(:[0-9]+)?")


def runs_in(folder: Path | None) -> RunStore:
    """The runs of `folder`, else of the default folder, which may be absent; raises FerError where it is no folder."""
    root = folder or runs_dir()
    if folder is not None and not os.path.lexists(root):
        raise FerError(f"there is no folder '{root}'; name one that holds runs, or leave out --runs for '{runs_dir()}'")
    _require_folder(root)
    if os.path.isdir(root) and not os.access(root, os.R_OK | os.X_OK):
        raise FerError(f"folder '{root}' cannot be read; name another folder of runs")
    return RunStore(folder)


def runs_into(folder: Path | None) -> RunStore:
    """The same for new runs, which make the folder; raises FerError where it cannot be made."""
    root = folder or runs_dir()
    _require_folder(root)
    if not os.path.isdir(root):
        check_folder(root)
    return RunStore(folder)


def _require_folder(root: Path) -> None:
    if os.path.lexists(root) and not os.path.isdir(root):
        raise FerError(f"'{root}' is no folder; name a folder of runs")


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


def together(options: Mapping[str, Any], typed: Mapping[str, Any], flag: str) -> dict[str, Any]:
    """What options of their own and `flag`, such as -H, give; raises FerError where both give the same name."""
    for name, value in typed.items():
        if options.get(name) is not None:
            own = f"--{name.replace('_', '-')} {options[name]}"
            raise given_twice(name, own, f"{flag} {name}={value}")
    return {**options, **typed}


def given_twice(name: str, one: str, other: str) -> FerError:
    """The refusal of what is typed in two ways, one of which would win without a word."""
    return FerError(f"{name} is given as {one} and as {other}; leave one out")


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


def whole_name(part: str | None, store: RunStore) -> str:
    """The id of the run that is meant by its name, its beginning or its hash; "" for None. Raises RunError."""
    return "" if part is None else store.get(part).id


def queued_device(name: str) -> str:
    """`name`, if some machine's device is called so: a worker elsewhere may have it. Raises FerError."""
    if not DEVICE.fullmatch(name):
        raise FerError(f"unknown device {name!r}; choose from auto, cuda, mps, cpu or cuda:N")
    return name


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
