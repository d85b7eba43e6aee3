"""What lists need of a run: its figures and its state, without predictions and weights."""

import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from fer_core.config import RunSpec, to_json
from fer_core.labels import EMOTIONS
from fer_core.runs.measured import ROBUSTNESS_FILE, read_robustness
from fer_core.runs.notes import NOTES, Notes, read_notes
from fer_core.runs.run import Run, RunError, Status
from fer_core.runs.weights import WEIGHTS, absence, weights_files

LATENCY = "latency.json"
LISTED_FILES = (
    *("spec.json", "status.json", "evaluation.json", "environment.json", WEIGHTS),
    *("predictions.npz", LATENCY, ROBUSTNESS_FILE, NOTES),
)

Stamp = tuple[tuple[str, int, int], ...]  # (file, mtime in ns, bytes) of each file that exists


class Board(NamedTuple):
    """What runs share that are ranked together: the faces, how they are split, and the emotions left out."""

    dataset: str
    protocol: str
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, spec: RunSpec) -> "Board":
        """Where runs of `spec` are ranked, whatever the order of its emotions."""
        return cls(spec.dataset, spec.protocol, tuple(each for each in EMOTIONS if each not in spec.emotions))


@dataclass(frozen=True)
class RunSummary:
    """A run as lists show it; what its evaluation and its training tell is empty until it is finished."""

    id: str
    path: Path
    stamp: Stamp
    state: str
    problem: str = ""
    spec: RunSpec | None = None
    status: Status = field(default_factory=Status)
    test: dict[str, Any] = field(default_factory=dict)
    valid: dict[str, Any] = field(default_factory=dict)
    fold_accuracy: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    latency: dict[str, Any] = field(default_factory=dict)
    robustness: dict[str, Any] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    variant: str = ""  # the same for runs whose specs differ in the seed alone
    lineage_s: float | None = None  # wall time of all that it was made from and its own, as `with_totals` finds

    def figure(self, name: str) -> float | None:
        """A number of the test split, such as `macro_f1` or `calibrated.ece`; None where there is none."""
        outer, _, inner = name.partition(".")
        value = self.test.get(outer)
        return _number(value.get(inner) if inner and isinstance(value, dict) else value)

    def whole(self, name: str) -> int | None:
        """A whole number of the test split or of the environment, such as `n` or `best_epoch`."""
        value = self.figure(name) if name in self.test else self.fact(name)
        return None if value is None else int(value)

    def fact(self, name: str) -> float | None:
        """A number of the environment, such as `wall_s`; None where there is none."""
        return _number(self.environment.get(name))

    @property
    def training_s(self) -> float | None:
        """Wall time of its own training; None for an ensemble, which was put together."""
        return None if self.is_ensemble else self.fact("wall_s")

    @property
    def total_s(self) -> float | None:
        """Wall time of its training and of all that it was made from; None where a part is not known."""
        return self.lineage_s if self.is_made_from_others else self.training_s

    @property
    def is_made_from_others(self) -> bool:
        """Whether it owes its result to other runs: its first weights, a teacher, members."""
        return self.is_ensemble or (self.spec is not None and self.spec.builds_on_a_run)

    @property
    def latency_ms(self) -> float | None:
        """Milliseconds for one face on one CPU thread, as `latency.json` tells; None where nobody measured it."""
        return _number(self.latency.get("ms"))

    @property
    def corruption_accuracy(self) -> float | None:
        """Mean accuracy in [0, 1] over all corruptions and severities; None where not all test images were measured.

        Of several folds, those of the one with the weights alone are measured, which may be another one for each run.
        """
        is_whole = self.folds == 1 and self.robustness.get("images") == self.robustness.get("of")
        return _number(self.robustness.get("mean_corruption_accuracy")) if is_whole else None

    @property
    def accuracy(self) -> float | None:
        """Share of the test images in [0, 1] that were recognised."""
        return self.figure("accuracy")

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the accuracy."""
        return ends(self.test.get("accuracy_interval"))

    @property
    def valid_accuracy(self) -> float | None:
        """Share of the validation images in [0, 1] that were recognised: what a choice between runs may look at."""
        return _number(self.valid.get("accuracy"))

    @property
    def images(self) -> int | None:
        """How many images it was tested on; repeated folds predict each of them several times (`n`)."""
        return self.whole("images") if "images" in self.test else self.whole("n")

    @property
    def folds(self) -> int:
        """How many networks its figures are pooled from, each tested on its own part of the images."""
        return int(_number(self.fold_accuracy.get("folds")) or self.fact("folds") or 1)

    @property
    def mean_accuracy(self) -> float | None:
        """Mean of the folds' accuracies, or the accuracy of a single split."""
        return _number(self.fold_accuracy.get("mean")) if self.folds > 1 else self.accuracy

    @property
    def deviation(self) -> float | None:
        """Deviation of the accuracy between the folds; None where there is one split."""
        return _number(self.fold_accuracy.get("deviation")) if self.folds > 1 else None

    @property
    def epochs(self) -> int:
        """Epochs trained; where there are folds, their mean."""
        trained = self.whole("epochs_run")
        return self.status.epoch if trained is None else round(trained / self.folds)

    @property
    def device(self) -> str:
        """What it was trained on: `cpu`, `cuda`, `mps`; empty where that is not known."""
        return str(self.environment.get("device") or self.status.device)

    @cached_property
    def board(self) -> Board | None:
        """Where it is ranked; None where the spec cannot be read."""
        return Board.of(self.spec) if self.spec else None

    @property
    def is_synthetic(self) -> bool:
        """Whether its faces were drawn by the library."""
        return self.spec is not None and self.spec.dataset == "synthetic"

    @property
    def members(self) -> list[dict[str, Any]]:
        """What an ensemble averages, as its spec holds it; empty for a trained network."""
        found = self.spec.architecture_arguments.get("members", []) if self.spec else []
        return found if isinstance(found, list) else []

    @property
    def is_ensemble(self) -> bool:
        """Whether it is made of other runs."""
        return bool(self.members)

    @property
    def can_predict(self) -> bool:
        """Whether it reads photos."""
        return not self.obstacle

    @property
    def obstacle(self) -> str:
        """Why it reads no photos, as the rest of a sentence about it; or the empty string."""
        if self.state != "finished":
            return "is not finished"
        if self.environment.get("inputs") == "descriptors":
            return "learnt from a table of descriptors, without the pixels, and reads no photos"
        if any(name == WEIGHTS for name, *_ in self.stamp):
            return ""
        arguments = self.spec.architecture_arguments if self.spec else {}
        # of the many runs no file is asked for but an ensemble's members'
        return "" if self.is_ensemble and weights_files(self.path, arguments) else absence(arguments)


def _number(value: Any) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fits else None


def ends(value: Any) -> tuple[float, float] | None:
    """An interval from JSON, or None where it is no pair of numbers."""
    fits = isinstance(value, list) and len(value) == 2 and all(isinstance(end, int | float) for end in value)
    return (float(value[0]), float(value[1])) if fits else None


def stamp_of(folder: Path, names: Sequence[str]) -> Stamp:
    """When each file of a run was last written; equal stamps mean equal content."""
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.stat() for entry in entries if entry.name in names}
    except OSError:
        return ()  # the folder went away, or may not be read: the summary says so
    return tuple((name, found[name].st_mtime_ns, found[name].st_size) for name in names if name in found)


def summarize(run: Run, stamp: Stamp) -> RunSummary:
    """One run, whatever its folder holds; what cannot be used becomes the state `damaged` with its reason."""
    try:
        spec, status, evaluated = run.checked()
        test, valid, folds = _figures(evaluated) if evaluated else ({}, {}, {})
    except RunError as error:
        return _damaged(run, stamp, str(error))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return _damaged(run, stamp, f"evaluation.json is not shaped as an evaluation: {error}")
    return RunSummary(
        id=run.id,
        path=run.path,
        stamp=without_notes(stamp),
        state=status.state,
        spec=spec,
        status=status,
        test=test,
        valid=valid,
        fold_accuracy=folds,
        environment=_read(run, "environment.json") if evaluated else {},
        latency=_read(run, LATENCY) if evaluated and any(name == LATENCY for name, *_ in stamp) else {},
        robustness=_robustness(run) if evaluated and any(name == ROBUSTNESS_FILE for name, *_ in stamp) else {},
        notes=read_notes(run),
        variant=variant_of(spec),
    )


def _figures(evaluated: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    splits = evaluated["splits"]
    return _scalars(splits["test"]), _scalars(splits.get("valid", {})), dict(evaluated.get("fold_accuracy", {}))


def _scalars(split: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in split.items() if key not in ("confusion_matrix", "per_class")}


def _read(run: Run, name: str) -> dict[str, Any]:
    try:
        return run.read_json(name)
    except RunError:
        return {}  # the result stands without it; the run's page says what is wrong with the file


def _robustness(run: Run) -> dict[str, Any]:
    try:
        report = read_robustness(run)
    except RunError:
        return {}  # the result stands without it; the run's page says what is wrong with the file
    names = ("mean_corruption_accuracy", "images", "of")
    return {name: report[name] for name in names} if report else {}


def _damaged(run: Run, stamp: Stamp, problem: str) -> RunSummary:
    try:
        spec = run.spec
    except RunError:
        spec = None
    return RunSummary(run.id, run.path, without_notes(stamp), "damaged", problem, spec, notes=read_notes(run))


def without_notes(stamp: Stamp) -> Stamp:
    """The part of a stamp that says whether a result may have changed: what people write about it does not."""
    return tuple(each for each in stamp if each[0] != NOTES)


def variant_of(spec: RunSpec) -> str:
    """A hash over the whole spec but its seed: runs of one variant are repetitions of each other."""
    plain = to_json(spec) | {"seed": None}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]
