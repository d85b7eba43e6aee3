"""How long a training will take: told from past runs of the same network on the same kind of device, or not at all."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_core.config import Recipe, RunSpec

OTHER_MODEL = "other model of device"


@dataclass(frozen=True)
class Machine:
    """What trains: `cpu`, `cuda` or `mps`, its name ("" where unknown, then any will do), and a CPU's threads."""

    kind: str
    name: str = ""
    threads: int | None = None


@dataclass(frozen=True)
class Workload:
    """What a protocol makes of a dataset: the training images of each fold, and what one image is.

    `size` is in pixels a side, None for a table of descriptors; `channels` is 1 or 3.
    """

    images: tuple[int, ...]
    size: int | None
    channels: int


@dataclass(frozen=True)
class PastRun:
    """A finished run: its spec, and its environment.json as it was read."""

    spec: RunSpec
    environment: Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """Seconds of a whole training, how many past runs say so, and what all of these had otherwise."""

    seconds: float
    runs: int
    differences: tuple[str, ...] = ()


def estimate(spec: RunSpec, workload: Workload, machine: Machine, past: Iterable[PastRun]) -> Estimate | None:
    """The time that `spec` takes if it trains all of its epochs; None where no past run tells.

    A run tells if it trained the same network (architecture and arguments) on images of the same size and
    colour on the same kind of device. Those on a device of the same model count alone if there are any; so do those
    that learnt from the same teacher, which reads every image first, or as this one from none, and, on a CPU, those
    that had as many threads. The time is the median time of an image in training, with what preparing, validating
    and evaluating added in those runs, times images and epochs of every fold.
    """
    told, _ = _alike(spec, workload, machine, past)
    if not told:
        return None
    told, same_model = _preferred(told, lambda run: machine.name in ("", run.environment.get("device_name")))
    told, same_teacher = _preferred(told, lambda run: run.spec.recipe.teacher == spec.recipe.teacher)
    told, same_threads = _preferred(
        told, lambda run: machine.kind != "cpu" or run.environment.get("threads") == machine.threads
    )
    found = {OTHER_MODEL: same_model, "other teacher": same_teacher, "other thread count": same_threads}
    seen = spec.recipe.epochs * sum(workload.images)
    differences = tuple(what for what, is_same in found.items() if not is_same)
    return Estimate(seen * _seconds_per_image(told, spec.recipe), len(told), differences)


def obstacle(spec: RunSpec, workload: Workload, machine: Machine, past: Iterable[PastRun]) -> str:
    """Why no past run tells how long `spec` takes; the empty string where one does."""
    return _alike(spec, workload, machine, past)[1]


def _preferred(runs: list[PastRun], is_equal: Callable[[PastRun], bool]) -> tuple[list[PastRun], bool]:
    """Those runs that are equal in something, and True; all of them, and False, where none is."""
    equal = [run for run in runs if is_equal(run)]
    return equal or runs, bool(equal)


def _alike(spec: RunSpec, workload: Workload, machine: Machine, past: Iterable[PastRun]) -> tuple[list[PastRun], str]:
    """The runs that tell, or none and what the ones that come nearest have otherwise."""
    images = (workload.size, workload.channels)
    conditions: tuple[tuple[str, Callable[[PastRun], bool]], ...] = (
        ("no past run of it", lambda run: run.spec.architecture == spec.architecture),
        (
            "past runs have other arguments",
            lambda run: run.spec.architecture_arguments == spec.architecture_arguments,
        ),
        (
            "past runs had other image sizes",
            lambda run: (run.environment.get("image_size"), run.environment.get("channels")) == images,
        ),
        ("past runs had other devices", lambda run: _kind(run) == machine.kind),
        ("past runs tell no times", lambda run: _images_seen(run) > 0 and _number(run, "wall_s") > 0),
    )
    left = list(past)
    for otherwise, fits in conditions:
        left = [run for run in left if fits(run)]
        if not left:
            return [], otherwise
    return left, ""


def _kind(run: PastRun) -> str:
    return str(run.environment.get("device", "")).partition(":")[0]


def _seconds_per_image(runs: Sequence[PastRun], recipe: Recipe) -> float:
    """The median in training, and what else took time, shared among the images of all runs: long runs weigh more."""
    rates = [(_gradients(run.spec.recipe), rate) for run in runs if (rate := _number(run, "images_per_s")) > 0]
    median = statistics.median(1 / (gradients * rate) for gradients, rate in rates) if rates else 0.0
    rest = sum(max(0.0, _number(run, "wall_s") - _training_seconds(run)) for run in runs)
    return _gradients(recipe) * median + rest / sum(_images_seen(run) for run in runs)


def _gradients(recipe: Recipe) -> int:
    """How many gradients an update needs: sharpness-aware minimisation takes a second one nearby."""
    return 2 if recipe.sam_radius else 1


def _training_seconds(run: PastRun) -> float:
    rate = _number(run, "images_per_s")
    return _images_seen(run) / rate if rate > 0 else 0.0


def _images_seen(run: PastRun) -> float:
    """Training images times epochs, over all folds: `epochs_run` counts those of all of them."""
    return _number(run, "train_images") * _number(run, "epochs_run")


def _number(run: PastRun, name: str) -> float:
    """A number of the environment; 0 where there is none, as in files that others wrote."""
    value = run.environment.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return float(value)
