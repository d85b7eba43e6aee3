"""What lists and pickers need of a run, read once for each change of its folder."""

import math
import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from fer_core.config import RunSpec
from fer_core.labels import EMOTIONS
from fer_core.runs import Run, RunError, RunStore, Status

LISTED_FILES = ("spec.json", "status.json", "evaluation.json", "environment.json", "weights.safetensors")
LIVE_STATES = ("queued", "running")
STATE_ORDER = ("finished", "running", "queued", "cancelled", "failed", "lost", "damaged")

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
    """A run as lists show it; `test`, `valid`, `fold_accuracy` and `environment` are empty until it is finished."""

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

    @property
    def board(self) -> Board | None:
        """Where it is ranked; None where the spec cannot be read."""
        return Board.of(self.spec) if self.spec else None

    @property
    def is_synthetic(self) -> bool:
        """Whether its faces were drawn by the library."""
        return self.spec is not None and self.spec.dataset == "synthetic"

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
        if not any(name == "weights.safetensors" for name, *_ in self.stamp):
            return "has no weights here; train it again"
        return ""


def _number(value: Any) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fits else None


def ends(value: Any) -> tuple[float, float] | None:
    """An interval from JSON, or None where it is no pair of numbers."""
    fits = isinstance(value, list) and len(value) == 2 and all(isinstance(end, int | float) for end in value)
    return (float(value[0]), float(value[1])) if fits else None


class RunShelf:
    """Summaries of all runs of one folder; a run is read again only where one of its files changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._summaries: dict[Path, RunSummary] = {}

    def read(self, store: RunStore) -> list[RunSummary]:
        """Every run of `store`, best first (see `best_first`); whether one is alive is asked anew each time."""
        with self._lock:
            runs = store.list()
            self._summaries = {run.path: self._current(run) for run in runs}
            return best_first([_with_live_state(run, self._summaries[run.path]) for run in runs])

    def _current(self, run: Run) -> RunSummary:
        stamp = stamp_of(run.path, LISTED_FILES)
        known = self._summaries.get(run.path)
        return known if known is not None and known.stamp == stamp else summarize(run, stamp)


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
        problem = run.problem
        if problem:
            return RunSummary(run.id, run.path, stamp, "damaged", problem, _spec_if_readable(run))
        status = run.status
        finished = status.state == "finished"
        evaluation = run.evaluation() if finished else {}
        return RunSummary(
            id=run.id,
            path=run.path,
            stamp=stamp,
            state=status.state,
            spec=run.spec,
            status=status,
            test=_scalars(evaluation["splits"]["test"]) if finished else {},
            valid=_scalars(evaluation["splits"].get("valid", {})) if finished else {},
            fold_accuracy=dict(evaluation.get("fold_accuracy", {})),
            environment=_environment(run) if finished else {},
        )
    except RunError as error:
        return RunSummary(run.id, run.path, stamp, "damaged", str(error), _spec_if_readable(run))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = f"evaluation.json is not shaped as an evaluation: {error}"
        return RunSummary(run.id, run.path, stamp, "damaged", problem, _spec_if_readable(run))


def _scalars(test: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in test.items() if key not in ("confusion_matrix", "per_class")}


def _environment(run: Run) -> dict[str, Any]:
    try:
        return run.environment()
    except RunError:
        return {}  # the result stands without it; the run's page says what is wrong with the file


def _spec_if_readable(run: Run) -> RunSpec | None:
    try:
        return run.spec
    except RunError:
        return None


def _with_live_state(run: Run, summary: RunSummary) -> RunSummary:
    """A run that says it is running while nobody holds its lock is lost (see `Run.state`)."""
    if summary.state != "running" or run.is_locked():
        return summary
    reason = f"nothing trains it any more; it stopped after {position(summary)}"
    return replace(summary, state="lost", problem=reason)


def position(run: RunSummary, ahead: int = 0) -> str:
    """`epoch 12 of 50`, or `epoch 12 of 50 in fold 2 of 5`: the last epoch done, or one `ahead` of it."""
    total, each = run.status.epochs, run.spec.recipe.epochs if run.spec else 0
    epoch = min(run.status.epoch + ahead, total)
    if not each or total <= each:
        return f"epoch {epoch} of {total}"
    # the status counts over all folds, each of which may end early but begins at a multiple
    fold = max(0, epoch - 1) // each
    return f"epoch {epoch - fold * each} of {each} in fold {fold + 1} of {total // each}"


def boards(runs: Iterable[RunSummary]) -> list[Board]:
    """Those of the finished runs: real faces before drawn ones, official splits before others, the most used first."""
    counts = Counter(run.board for run in runs if run.state == "finished" and run.board)
    return sorted(counts, key=lambda board: (*_rank(board), -counts[board], board))


def _rank(board: Board) -> tuple[bool, bool]:
    return (board.dataset == "synthetic", board.protocol != "official")


def best_first(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """Finished runs by board and falling accuracy, then the others by state."""
    ranks = {board: rank for rank, board in enumerate(boards(runs))}

    def key(run: RunSummary) -> tuple[int, int, float, str]:
        rank = ranks.get(run.board, len(ranks)) if run.board else len(ranks)
        return (STATE_ORDER.index(run.state), rank, -(run.accuracy or 0.0), run.id)

    return sorted(runs, key=key)


def find(runs: Sequence[RunSummary], name: str) -> RunSummary | None:
    """The run called `name`, or the only one whose name starts with it or whose hash it is."""
    exact = [run for run in runs if run.id == name]
    matches = exact or [run for run in runs if run.id.startswith(name) or run.id.endswith(f"__{name}")]
    return matches[0] if len(matches) == 1 else None
