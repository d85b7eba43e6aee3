"""The worker's loop: see what ended, start what waits and has room."""

import os
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fer_core.errors import FerError
from fer_core.jobs.background import write_worker_info
from fer_core.jobs.executors import Ended, Executor
from fer_core.jobs.queue import ENDED, Entry, JobQueue
from fer_core.runs import Run, RunError, RunStore, stop_request, write_job

POLL_S = 1.0
ATTEMPTS = 3  # starts of a run that reach no further epoch, before it counts as failed
PAUSE_S = 60.0  # for which a run is passed over whose folder could not be written
ROOM_BYTES = 200 * 2**20  # of free disk before a training is started: checkpoints, weights and predictions


class Supervisor:
    """Trains the queue of `store` through `executor`; keeps nothing that the folders do not tell, or cannot be told.

    A run whose folder cannot be written is passed over for `pause_s`: it takes no place from the others.
    `say` gets a line for each training that begins or ends, and for what goes wrong.
    """

    def __init__(
        self,
        store: RunStore,
        executor: Executor,
        *,
        room_bytes: int = ROOM_BYTES,
        pause_s: float = PAUSE_S,
        say: Callable[[str], object] = lambda line: None,
    ) -> None:
        self.store, self.executor, self.queue = store, executor, JobQueue(store)
        self.room_bytes, self.pause_s, self.say = room_bytes, pause_s, say
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self._live = LiveRuns(store)
        self._reasons: dict[str, str] = {}  # why the process of a run ended last
        self._writable: set[str] = set()  # runs that wait for room, and whose folder could be written
        self._unwritable: dict[str, tuple[float, str]] = {}  # when a run could not be taken up, and why
        self._said = ""
        self._published: str | None = None

    def run(self, should_stop: Callable[[], bool], *, until_empty: bool = False) -> None:
        """Work until told to stop, or until nothing waits or is trained.

        A folder that cannot be written, on a full disk for example, is tried again.
        """
        while not should_stop():
            try:
                if not self.step() and until_empty:
                    return
            except (OSError, FerError) as error:
                self.say(f"tries again: {error}")
            time.sleep(POLL_S)

    def step(self) -> int:
        """One look at the queue; nothing is left to do where it returns 0."""
        for ended in self.executor.poll():
            self._take_leave(ended)
        self._said = ""
        entries = self.queue.entries()
        waiting = [entry for entry in entries if entry.is_waiting and entry.run.id not in self.executor.held()]
        live = self._live.read() if waiting else []
        for entry in waiting:
            self._take_up(entry, live)
        self._forget_all_but(entries)
        self._said = self._said or self._passed_over(waiting)
        self._publish()
        return len(entries) + len(self.executor.held())

    def _take_up(self, entry: Entry, live: list[Run]) -> None:
        run = entry.run
        if self._is_passed_over(run):
            return
        try:
            self._decide(entry, live)
            self._unwritable.pop(run.id, None)
        except RunError:
            return  # somebody else took it meanwhile: the next look shows
        except OSError as error:
            self._pass_over(run, error)

    def _decide(self, entry: Entry, live: list[Run]) -> None:
        run = entry.run
        try:
            if stop_request(run):
                self.queue.settle_cancelled(run)
            elif self._has_room() and not self._has_failed_too_often(entry):
                self._start(entry, live)
        except RunError:
            raise
        except FerError as error:
            self.queue.settle_failed(run, str(error))

    def _start(self, entry: Entry, live: list[Run]) -> None:
        """Start a run where there is room, which counts as an attempt; raises OSError before, where it cannot count."""
        run, job, epoch = entry.run, entry.job, entry.run.status.epoch
        if run.id not in self._writable:  # once, and not at every look: it may wait for room for hours
            write_job(run, job)
            self._writable.add(run.id)
        if not self.executor.start(run, job, live):
            return
        self._writable.discard(run.id)
        self.say(f"started {run.id}")
        attempts = 1 if epoch > job.attempted_epoch else job.attempts + 1
        write_job(run, replace(job, attempts=attempts, attempted_epoch=epoch))
        if entry.state == "lost":
            words = "" if run.id in self._reasons else "its process had ended without a word; "
            run.append_log(f"{words}taken up again after epoch {epoch}")

    def _has_failed_too_often(self, entry: Entry) -> bool:
        job, epoch = entry.job, entry.run.status.epoch
        if job.attempts < ATTEMPTS or epoch > job.attempted_epoch:
            return False
        reason = self._reasons.get(entry.run.id, "it gave no reason")
        self.queue.settle_failed(entry.run, f"its process ended {ATTEMPTS} times after epoch {epoch}: {reason}")
        return True

    def _pass_over(self, run: Run, error: OSError) -> None:
        self._writable.discard(run.id)
        self._unwritable[run.id] = (time.monotonic(), error.strerror or str(error))
        self.say(f"passes over {run.id} for {self.pause_s:g} s: {error}")

    def _is_passed_over(self, run: Run) -> bool:
        return run.id in self._unwritable and time.monotonic() - self._unwritable[run.id][0] < self.pause_s

    def _passed_over(self, waiting: list[Entry]) -> str:
        """Which runs wait because they could not be taken up, for the pages; empty where none does."""
        names = [entry.run.id for entry in waiting if entry.run.id in self._unwritable]
        if not names:
            return ""
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        why = self._unwritable[names[0]][1]
        return f"passes over {names[0]}{others}, which it could not write or start ({why}), and tries again later"

    def _forget_all_but(self, entries: list[Entry]) -> None:
        """A run that left the queue and comes back is taken up at once."""
        queued = {entry.run.id for entry in entries}
        self._writable &= queued
        self._unwritable = {run_id: why for run_id, why in self._unwritable.items() if run_id in queued}

    def _take_leave(self, ended: Ended) -> None:
        """Settle a run that ended; a folder that cannot be written keeps no other from being settled."""
        try:
            self._settle(ended)
        except (OSError, FerError) as error:
            self.say(f"cannot note how {ended.run_id} ended: {error}")

    def _settle(self, ended: Ended) -> None:
        """Say in the log of a run why its process ended, where the process could not."""
        run = Run(self.store.root / ended.run_id)
        self.say(f"ended {run.id}: {ended.reason or run.state}")
        if ended.reason and not run.problem and run.status.state not in ENDED:
            self._reasons[run.id] = ended.reason
            run.append_log(ended.reason)

    def _has_room(self) -> bool:
        free = shutil.disk_usage(self.store.root).free
        if free >= self.room_bytes:
            return True
        need = self.room_bytes // 2**20
        self._said = f"waits: the disk of the runs has {free // 2**20} MB left, and a training needs {need} MB"
        return False

    def _publish(self) -> None:
        """Tell the pages, where anything changed; with a full disk they see the last that could be written."""
        facts = self.executor.describe()
        key = f"{self._said}{facts}"
        if key == self._published:
            return
        info = {
            "pid": os.getpid(),
            "host": platform.node(),
            "started": self.started,
            "message": self._said,
            "facts": facts,
        }
        try:
            write_worker_info(self.store, info)
        except OSError:
            return
        self._published = key


class LiveRuns:
    """The runs that anyone trains now; a status is read again only where its file changed."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self._states: dict[Path, tuple[int, str]] = {}

    def read(self) -> list[Run]:
        """Every run that says it is running and whose lock is held."""
        return [run for run in self.store.list() if self._state(run) == "running" and run.is_locked()]

    def _state(self, run: Run) -> str:
        try:
            stamp = (run.path / "status.json").stat().st_mtime_ns
            known = self._states.get(run.path)
            if known is None or known[0] != stamp:
                known = self._states[run.path] = (stamp, run.status.state)
            return known[1]
        except (OSError, RunError):
            return ""
