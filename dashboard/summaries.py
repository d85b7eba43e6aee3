"""What lists and pickers need of a run, read once for each change of its folder."""

import math
import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dashboard.formats import count, duration, percent, plural
from fer_core.config import RunSpec
from fer_core.runs import Run, RunError, RunStore, Status

LISTED_FILES = ("spec.json", "status.json", "evaluation.json", "environment.json", "weights.safetensors")
LIVE_STATES = ("queued", "running")
STATE_ORDER = ("finished", "running", "queued", "cancelled", "failed", "lost", "damaged")

Board = tuple[str, str]  # (dataset, protocol): only runs that share both are ranked together
Stamp = tuple[tuple[str, int, int], ...]  # (file, mtime in ns, bytes) of each file that exists


@dataclass(frozen=True)
class RunSummary:
    """A run as lists show it; `test` and `environment` are empty until it is finished."""

    id: str
    path: Path
    stamp: Stamp
    state: str
    problem: str = ""
    spec: RunSpec | None = None
    status: Status = field(default_factory=Status)
    test: dict[str, Any] = field(default_factory=dict)
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
    def device(self) -> str:
        """What it was trained on: `cpu`, `cuda`, `mps`; empty where that is not known."""
        return str(self.environment.get("device") or self.status.device)

    @property
    def board(self) -> Board | None:
        """Dataset and protocol; None where the spec cannot be read."""
        return (self.spec.dataset, self.spec.protocol) if self.spec else None

    @property
    def is_synthetic(self) -> bool:
        """Whether its faces were drawn by the library."""
        return self.spec is not None and self.spec.dataset == "synthetic"

    @property
    def can_predict(self) -> bool:
        """Whether it is finished and its weights are here."""
        return self.state == "finished" and any(name == "weights.safetensors" for name, *_ in self.stamp)


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
        return RunSummary(
            id=run.id,
            path=run.path,
            stamp=stamp,
            state=status.state,
            spec=run.spec,
            status=status,
            test=_scalars(run.evaluation()["splits"]["test"]) if finished else {},
            environment=_environment(run) if finished else {},
        )
    except RunError as error:
        return RunSummary(run.id, run.path, stamp, "damaged", str(error), _spec_if_readable(run))
    except (AttributeError, KeyError, TypeError) as error:
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
    reason = f"nothing trains it any more; it stopped after epoch {summary.status.epoch} of {summary.status.epochs}"
    return replace(summary, state="lost", problem=reason)


def boards(runs: Iterable[RunSummary]) -> list[Board]:
    """Dataset and protocol of the finished runs: real faces before drawn ones, the most used first."""
    counts = Counter(run.board for run in runs if run.state == "finished" and run.board)
    return sorted(counts, key=lambda board: (board[0] == "synthetic", -counts[board], board))


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


def labels(runs: Sequence[RunSummary]) -> dict[str, str]:
    """A short label for each run's id: what differs between the runs, and no two alike."""
    several = {name: len({_part(run, name) for run in runs}) > 1 for name in ("board", "recipe", "seed")}
    texts = {run.id: _label(run, [name for name, differs in several.items() if differs]) for run in runs}
    counts = Counter(texts.values())
    return {name: text if counts[text] == 1 else f"{text} · {name.rsplit('__', 1)[-1]}" for name, text in texts.items()}


def _label(run: RunSummary, names: Sequence[str]) -> str:
    if run.spec is None:
        return f"{run.id} · {run.state}"
    result = percent(run.accuracy) if run.state == "finished" else run.state
    return " · ".join([run.spec.architecture, run.spec.preprocessing, result, *(_part(run, name) for name in names)])


def _part(run: RunSummary, name: str) -> str:
    if run.spec is None:
        return ""
    parts = {"board": board_label(run.board), "recipe": run.spec.recipe.name, "seed": f"seed {run.spec.seed}"}
    return parts[name]


def describe(run: RunSummary) -> str:
    """What a run is, in one line."""
    if run.spec is None:
        return run.id
    spec = run.spec
    epochs = run.whole("epochs_run") or run.status.epoch
    trained = plural(epochs, "epoch") if epochs else ""
    if run.fact("wall_s") is not None:
        trained += f" in {duration(run.fact('wall_s'))}"
    parts = [
        f"{spec.architecture} on {spec.preprocessing} faces of {board_label(run.board)}",
        f"{spec.recipe.name} recipe, seed {spec.seed}",
        f"{count(run.whole('parameters'))} parameters" if run.fact("parameters") is not None else "",
        f"{trained} on {run.device}" if trained and run.device else trained,
    ]
    return " · ".join(part for part in parts if part)


def board_label(board: Board | None) -> str:
    """(`fer2013`, `official`) as `fer2013, official`; drawn faces are always called so."""
    if board is None:
        return ""
    dataset, protocol = board
    return f"{dataset} (drawn faces), {protocol}" if dataset == "synthetic" else f"{dataset}, {protocol}"
