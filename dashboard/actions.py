"""What visitors may change: launches, the queue, runs. Each asks for permission itself, whatever the page showed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dashboard import permissions
from dashboard.summaries import RunSummary
from fer_core.config import RunSpec
from fer_core.jobs import JobQueue, Launch, ensure_worker
from fer_core.jobs.queue import Direction
from fer_core.paths import runs_dir
from fer_core.runs import Run, RunStore, Trashed, change_notes


def launch(specs: Sequence[RunSpec], device: str = "auto") -> list[Launch]:
    """Queue a run of each spec, those that stopped included, and see that a worker is at work.

    Raises FerError without permission, or where a run cannot be made; the runs before it are queued.
    """
    who, queue = permissions.require(), JobQueue(_store())
    try:
        return [queue.launch(spec, by=who, device=device) for spec in specs]
    finally:
        ensure_worker(queue.store)


def resume(run: RunSummary, device: str = "auto") -> None:
    """Queue a run again that was cancelled, failed or lost, and see that a worker is at work."""
    who, queue = permissions.require(), JobQueue(_store())
    queue.resume(_run(run), by=who, device=device)
    ensure_worker(queue.store)


def cancel(run: RunSummary) -> None:
    """Take a run out of the queue, or ask its trainer to stop."""
    JobQueue(_store()).cancel(_run(run), by=permissions.require())


def move(run: RunSummary, direction: Direction) -> None:
    """Change a run's place in the queue."""
    JobQueue(_store()).move(_run(run), direction, by=permissions.require())


def delete(run: RunSummary) -> Path:
    """Move a run to the trash folder; returns where it lies now."""
    permissions.require()
    return _store().delete(_run(run))


def restore(trashed: Trashed) -> Run:
    """Put a deleted run back where it was."""
    permissions.require()
    return _store().restore(trashed)


def annotate(runs: Sequence[RunSummary], **changes: Any) -> None:
    """Replace `tags`, `note` or `archived` of runs; raises RunError at the first that cannot be written."""
    who = permissions.require()
    for run in runs:
        change_notes(_run(run), by=who, **changes)


def start_worker() -> bool:
    """Start a worker in the background; False where one is at work already."""
    permissions.require()
    return ensure_worker(_store(), wait=True)


def _store() -> RunStore:
    return RunStore(runs_dir())


def _run(run: RunSummary) -> Run:
    return Run(run.path)
