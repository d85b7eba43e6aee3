"""The queue: runs whose folder holds a `job.json`, in the order that it names.

Nothing is kept in memory: whoever reads the folders, a page or a worker, today or after a
reboot, sees the same queue. What changes an existing run is done while holding its lock.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from fer_core.config import RunSpec
from fer_core.runs import (
    Job,
    Run,
    RunError,
    RunExistsError,
    RunStore,
    StopRequest,
    read_job,
    remove_job,
    remove_stop,
    stop_request,
    write_job,
    write_stop,
)

IN_QUEUE = ("queued", "running", "lost")
ENDED = ("finished", "failed", "cancelled")
Outcome = Literal["queued", "resumed", "exists"]
Direction = Literal["first", "up", "down", "last"]
DIRECTIONS: tuple[Direction, ...] = ("first", "up", "down", "last")


@dataclass(frozen=True)
class Launch:
    """What a launch did: queued a new run, resumed one that had stopped, or found one that needs nothing."""

    run: Run
    outcome: Outcome


@dataclass(frozen=True)
class Entry:
    """A run in the queue; `state` is `queued`, `running`, or `lost` (its process ended, a worker takes it up)."""

    run: Run
    job: Job
    state: str

    @property
    def is_waiting(self) -> bool:
        """Whether a worker is to start it."""
        return self.state != "running"


class JobQueue:
    """The launches of one folder of runs."""

    def __init__(self, store: RunStore) -> None:
        self.store = store

    def entries(self, runs: Sequence[Run] | None = None) -> list[Entry]:
        """Every run that waits or is trained on request, in the order of the queue; costs one look at each folder.

        With `runs`, which are known to be neither finished nor stopped, it looks at no other.
        """
        found = []
        for run in self.store.list() if runs is None else runs:
            job = read_job(run)
            state = run.state if job else ""
            if job and state in IN_QUEUE:
                found.append(Entry(run, job, state))
        return sorted(found, key=lambda entry: (entry.job.order, entry.job.asked, entry.run.id))

    def waiting(self) -> list[Entry]:
        """The entries that nobody trains yet."""
        return [entry for entry in self.entries() if entry.is_waiting]

    def launch(self, spec: RunSpec, *, by: str = "", device: str = "auto") -> Launch:
        """Queue a run of `spec`; one that stopped is resumed, one that is finished, waits or is trained stays as it is.

        Of launches at the same time one makes the run and the others find it.
        """
        if self.store.find(spec) is None:
            try:
                run = self.store.create(spec, job=_job(by, device))
            except RunExistsError:
                pass
            else:
                run.append_log(f"queued by {by or 'somebody'}")
                return Launch(run, "queued")
        run = Run(self.store.root / spec.run_id)
        if run.state == "damaged":
            raise RunError(f"run {run.id} is damaged ({run.problem}); delete it, then launch again")
        if run.state in ("finished", "running") or (run.state == "queued" and read_job(run)):
            return Launch(run, "exists")
        return self.resume(run, by=by, device=device)

    def resume(self, run: Run, *, by: str = "", device: str = "auto") -> Launch:
        """Queue a run again that was cancelled, failed or lost; it goes on from its checkpoint.

        Raises RunError for a run that is finished or being trained.
        """
        with run.lock():
            if run.status.state == "finished":
                raise RunError(f"run {run.id} is finished already")
            remove_stop(run)
            run.update_status(state="queued", message="", eta_s=None)
            write_job(run, _job(by, device))
            run.append_log(f"queued again by {by or 'somebody'}")
        return Launch(run, "resumed")

    def cancel(self, run: Run, *, by: str = "") -> None:
        """Take a waiting run out of the queue, or have its trainer stop at once, keeping what it has learnt.

        Raises RunError for a run that neither waits nor is trained.
        """
        state = run.state
        if state not in IN_QUEUE:
            raise RunError(f"run {run.id} is {state}; only a run that waits or is being trained can be cancelled")
        write_stop(run, StopRequest(by=by or "somebody", asked=_now()))
        if state == "running":
            run.append_log(f"{by or 'somebody'} asked to stop")
        else:
            self.settle_cancelled(run)

    def settle_cancelled(self, run: Run) -> None:
        """Mark a run that was asked to stop while nobody trains it; its trainer does the same for one that is."""
        request = stop_request(run) or StopRequest()
        with run.lock():
            if run.status.state == "finished":
                return
            by, epoch = request.by or "somebody", run.status.epoch
            message = f"stopped by {by} after epoch {epoch}; it can be resumed from there"
            run.update_status(state="cancelled", eta_s=None, message=message)
            remove_job(run)
            run.append_log(message)

    def settle_failed(self, run: Run, message: str) -> None:
        """Mark a run that cannot be trained, and why; raises RunError where somebody trains it all the same."""
        with run.lock():
            run.update_status(state="failed", eta_s=None, message=message)
            remove_job(run)
            run.append_log(f"failed: {message}")

    def move(self, run: Run, direction: Direction, *, by: str = "") -> None:
        """Change the place of a waiting run; raises RunError where it does not wait."""
        waiting = self.waiting()
        places = [entry.run.id for entry in waiting]
        if run.id not in places:
            raise RunError(f"run {run.id} does not wait in the queue")
        old = places.index(run.id)
        new = {"first": 0, "up": max(0, old - 1), "down": min(len(waiting) - 1, old + 1), "last": len(waiting) - 1}
        entry = waiting.pop(old)
        waiting.insert(new[direction], entry)
        if new[direction] != old:
            _renumber(waiting)
            run.append_log(f"moved to place {new[direction] + 1} of the queue by {by or 'somebody'}")


def _job(by: str, device: str) -> Job:
    """A place behind all others: the time, which is above the small numbers of runs that were moved."""
    return Job(order=time.time(), device=device, by=by, asked=_now())


def _renumber(entries: Sequence[Entry]) -> None:
    for place, entry in enumerate(entries, start=1):
        if entry.job.order != place:
            write_job(entry.run, replace(entry.job, order=float(place)))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
