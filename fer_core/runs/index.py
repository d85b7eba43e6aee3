"""RunIndex: the summaries of all runs of a folder, each read again only where its files changed.

Whether a folder changed is told by its inode and time, and every so often by the times and sizes of its files. Large
folders of runs keep what was read in a file (see IndexFile), so that a server that starts need not read them again.
"""

import gc
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fer_core.config import Recipe, RunSpec, to_json
from fer_core.errors import FerError
from fer_core.runs.index_file import IndexFile, Row, index_path
from fer_core.runs.notes import Notes
from fer_core.runs.run import Run, Status
from fer_core.runs.store import RunStore, Signature
from fer_core.runs.summary import LISTED_FILES, RunSummary, Stamp, stamp_of, summarize, without_notes

WORTH_A_FILE = 100  # runs; fewer are read within a tenth of a second
LOOKED_INTO = 500  # folders whose files are looked at each time, in turn: a file that is edited in place is found so
YOUNG_NS = 2_000_000_000  # a folder that changed so lately may change again within the same tick of its clock
LIVE = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a folder, and when it was looked into (ns since 1970)."""

    signature: Signature
    looked: int
    stamp: Stamp
    summary: RunSummary

    @property
    def is_settled(self) -> bool:
        """Whether an equal signature means equal files."""
        return self.looked - self.signature.changed > YOUNG_NS


@dataclass
class RunIndex:
    """Summaries of the runs of one store; `generation` grows when one of them changes."""

    store: RunStore
    worth_a_file: int = WORTH_A_FILE
    generation: int = 0
    _known: dict[str, Known] | None = None
    _turn: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def file(self) -> IndexFile:
        """Where summaries outlive the process."""
        return IndexFile(index_path(self.store.root))

    def read(self) -> list[RunSummary]:
        """Every run, by name, as its `status.json` says it: whether one is alive is not asked here."""
        with self._lock:
            folders = self.store.folders()
            if self._known is None:
                self._known = self._loaded()
            known, due = self._known, self._due(list(folders))
            current = {
                name: self._current(name, signature, known.get(name), name in due)
                for name, signature in folders.items()
            }
            changed = {name: each for name, each in current.items() if each is not known.get(name)}
            gone = known.keys() - current.keys()
            if gone or any(name not in known or known[name].summary != changed[name].summary for name in changed):
                self.generation += 1
            self._known = current
            self._save(changed, gone, len(folders))
            return [each.summary for each in current.values()]

    def is_unread(self) -> bool:
        """Whether reading takes seconds: there are many runs, and no file that knows them."""
        return len(self.store.folders()) >= 5 * self.worth_a_file and not self.file.path.exists()

    def _due(self, names: list[str]) -> set[str]:
        """The folders whose turn it is to be looked into, though nothing says that they changed."""
        start = self._turn if self._turn < len(names) else 0
        self._turn = start + LOOKED_INTO
        return set(names[start : self._turn])

    def _current(self, name: str, signature: Signature, known: Known | None, is_due: bool) -> Known:
        if known is not None and known.signature == signature and known.is_settled and not is_due:
            return known
        looked, path = time.time_ns(), self.store.root / name
        stamp = stamp_of(path, LISTED_FILES)
        if known is None or known.stamp != stamp:
            return Known(signature, looked, stamp, summarize(Run(path), stamp))
        if known.signature == signature and known.is_settled:
            return known
        return Known(signature, looked, stamp, known.summary)

    def _loaded(self) -> dict[str, Known]:
        recipes: dict[str, Recipe] = {}
        with _without_collections():
            rows = self.file.load()
            found = {name: _decoded(self.store.root / name, row, recipes) for name, row in rows.items()}
        return {name: known for name, known in found.items() if known is not None}

    def _save(self, changed: Mapping[str, Known], gone: set[str], count: int) -> None:
        """Keep what will not change at the next look: a training writes its state every few seconds."""
        kept = {name: each for name, each in changed.items() if each.summary.state not in LIVE}
        if count >= self.worth_a_file and (kept or gone):
            self.file.save({name: _encoded(each) for name, each in kept.items()}, gone)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Make a million objects that all stay without looking for garbage among them, a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _encoded(known: Known) -> Row:
    run = known.summary
    spec = to_json(run.spec) if run.spec else None
    facts = {
        "stamp": known.stamp,
        "state": run.state,
        "problem": run.problem,
        # many runs share a recipe: as text it is found again at once
        "recipe": json.dumps(spec.pop("recipe")) if spec else "",
        "spec": spec,
        "status": asdict(run.status),
        "test": run.test,
        "valid": run.valid,
        "fold_accuracy": run.fold_accuracy,
        "environment": run.environment,
        "latency": run.latency,
        "robustness": run.robustness,
        "notes": asdict(run.notes),
        "variant": run.variant,
    }
    return Row(*known.signature, known.looked, json.dumps(facts, separators=(",", ":")))


def _decoded(path: Path, row: Row, recipes: dict[str, Recipe]) -> Known | None:
    """What a row says; None where it does not say all: then the folder does."""
    try:
        facts = json.loads(row.facts)
        stamp: Stamp = tuple((str(name), int(changed), int(size)) for name, changed, size in facts["stamp"])
        summary = RunSummary(
            id=path.name,
            path=path,
            stamp=without_notes(stamp),
            state=facts["state"],
            problem=facts["problem"],
            spec=_spec(facts["spec"], facts["recipe"], recipes),
            status=Status(**facts["status"]),
            test=facts["test"],
            valid=facts["valid"],
            fold_accuracy=facts["fold_accuracy"],
            environment=facts["environment"],
            latency=facts["latency"],
            robustness=facts["robustness"],
            notes=Notes(**facts["notes"] | {"tags": tuple(facts["notes"]["tags"])}),
            variant=facts["variant"],
        )
    except (FerError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return Known(Signature(row.inode, row.changed), row.looked, stamp, summary)


def _spec(data: dict[str, Any] | None, recipe: str, recipes: dict[str, Recipe]) -> RunSpec | None:
    if data is None:
        return None
    if recipe not in recipes:
        values = json.loads(recipe)
        recipes[recipe] = Recipe(**values | {"milestones": tuple(values.get("milestones", ()))})
    return RunSpec(**data | {"emotions": tuple(data["emotions"]), "recipe": recipes[recipe]})
