"""What a worker decides, with an executor that trains nothing."""

import errno
import platform
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fer_core.config import Recipe, RunSpec
from fer_core.errors import FerError
from fer_core.jobs import JobQueue, worker_info
from fer_core.jobs.background import sole_worker
from fer_core.jobs.executors import Ended
from fer_core.jobs.local import LocalExecutor
from fer_core.jobs.supervisor import ATTEMPTS, Supervisor
from fer_core.runs import Job, Run, RunStore, StopRequest, read_job, write_stop

RECIPE = Recipe(name="test", epochs=2, batch_size=64, optimizer="adamw", learning_rate=3e-3)
SPEC = RunSpec("linear", "raw", "synthetic", "official", RECIPE)


class Hands:
    """An executor with a number of places that only notes what it is given."""

    def __init__(self, places: int = 1) -> None:
        self.places, self.given, self.ended = places, list[str](), list[Ended]()
        self.now: set[str] = set()

    def start(self, run: Run, job: Job, live: Sequence[Run]) -> bool:
        if job.device == "tpu":
            raise FerError("device 'tpu' is not on this machine; choose from auto, cpu")
        if len(self.now) >= self.places:
            return False
        self.given.append(run.id)
        self.now.add(run.id)
        return True

    def poll(self) -> list[Ended]:
        ended, self.ended = self.ended, []
        self.now -= {each.run_id for each in ended}
        return ended

    def held(self) -> frozenset[str]:
        return frozenset(self.now)

    def describe(self) -> dict[str, Any]:
        return {"executor": "hands", "places": self.places}

    def close(self) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def queued(store: RunStore, count: int = 1, **job: Any) -> list[Run]:
    return [JobQueue(store).launch(replace(SPEC, seed=seed), by="ada", **job).run for seed in range(count)]


def supervisor(store: RunStore, hands: Hands, **options: Any) -> Supervisor:
    (store.root / ".worker").mkdir(parents=True, exist_ok=True)
    return Supervisor(store, hands, **options)


def test_runs_are_started_in_their_order_as_far_as_there_is_room(store: RunStore) -> None:
    runs = queued(store, 3)
    JobQueue(store).move(runs[2], "first")
    hands = Hands(places=2)
    worker = supervisor(store, hands)
    assert worker.step() > 0
    worker.step()
    assert hands.given == [runs[2].id, runs[0].id]


def test_nothing_is_started_twice_and_an_empty_queue_leaves_nothing_to_do(store: RunStore) -> None:
    (run,) = queued(store)
    hands = Hands()
    worker = supervisor(store, hands)
    for _ in range(3):
        assert worker.step() > 0
    assert hands.given == [run.id]
    run.update_status(state="failed")
    hands.ended.append(Ended(run.id))
    assert worker.step() == 0


def test_a_run_whose_process_is_killed_is_started_again_and_its_log_says_so(store: RunStore) -> None:
    (run,) = queued(store)
    hands = Hands()
    worker = supervisor(store, hands)
    worker.step()
    run.update_status(state="running", epoch=1)
    hands.ended.append(Ended(run.id, "its process was killed (SIGKILL)"))
    worker.step()
    assert hands.given == [run.id, run.id]
    assert "its process was killed (SIGKILL)" in run.log()
    assert "taken up again after epoch 1" in run.log()


def test_a_run_that_dies_again_and_again_without_a_further_epoch_fails_with_the_last_reason(store: RunStore) -> None:
    (run,) = queued(store)
    hands = Hands()
    worker = supervisor(store, hands)
    for _ in range(ATTEMPTS + 2):
        worker.step()
        if run.id in hands.now:
            run.update_status(state="running")
            hands.ended.append(Ended(run.id, "its process was killed (SIGSEGV)"))
    assert len(hands.given) == ATTEMPTS
    assert run.state == "failed"
    assert "ended 3 times after epoch 0: its process was killed (SIGSEGV)" in run.status.message
    assert read_job(run) is None


def test_a_run_that_gets_further_each_time_is_never_given_up(store: RunStore) -> None:
    (run,) = queued(store)
    hands = Hands()
    worker = supervisor(store, hands)
    for epoch in range(1, 2 * ATTEMPTS):
        worker.step()
        run.update_status(state="running", epoch=epoch)
        hands.ended.append(Ended(run.id, "its process was killed (SIGKILL)"))
    assert len(hands.given) == 2 * ATTEMPTS - 1
    assert run.state == "lost"


def test_a_job_that_can_never_be_carried_out_fails_and_the_next_is_started(store: RunStore) -> None:
    (impossible,) = queued(store, device="tpu")
    other = JobQueue(store).launch(replace(SPEC, seed=7)).run
    hands = Hands()
    supervisor(store, hands).step()
    assert impossible.status.message == "device 'tpu' is not on this machine; choose from auto, cpu"
    assert impossible.state == "failed"
    assert hands.given == [other.id]


def test_with_a_full_disk_nothing_is_started_and_the_worker_says_why(store: RunStore) -> None:
    queued(store)
    hands = Hands()
    worker = supervisor(store, hands, room_bytes=2**60)
    with sole_worker(store):
        worker.step()
        info = worker_info(store)
        assert info is not None
        assert "the disk of the runs has" in info.message
        assert hands.given == []
        worker.room_bytes = 0
        worker.step()
        info = worker_info(store)
    assert len(hands.given) == 1
    assert info is not None
    assert (info.message, info.facts["executor"], info.host) == ("", "hands", platform.node())


def lock_folder(monkeypatch: pytest.MonkeyPatch, locked: Run) -> None:
    """From now on nothing can be written into the folder of a run."""

    def refuse(write: Callable[..., None]) -> Callable[..., None]:
        def wrapped(run: Run, *arguments: Any) -> None:
            if run.id == locked.id:
                raise PermissionError(errno.EACCES, "Permission denied", str(run.path))
            write(run, *arguments)

        return wrapped

    for name in ("write_json", "append_log"):
        monkeypatch.setattr(Run, name, refuse(getattr(Run, name)))


def test_a_run_whose_folder_cannot_be_written_takes_no_place_and_the_worker_says_so(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, other = queued(store, 2)
    hands, said = Hands(), list[str]()
    worker = supervisor(store, hands, say=said.append)
    with monkeypatch.context() as patch, sole_worker(store):
        lock_folder(patch, locked)
        for _ in range(3):
            worker.step()
        info = worker_info(store)
    assert hands.given == [other.id]
    assert sum("Permission denied" in line for line in said) == 1
    assert info is not None
    assert info.message == (
        f"passes over {locked.id}, which it could not write or start (Permission denied), and tries again later"
    )


def test_a_run_that_was_passed_over_is_started_once_its_folder_can_be_written(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = queued(store)
    hands = Hands()
    worker = supervisor(store, hands)
    with monkeypatch.context() as patch:
        lock_folder(patch, run)
        worker.step()
    worker.step()
    assert hands.given == []
    worker.pause_s = 0
    with sole_worker(store):
        worker.step()
        info = worker_info(store)
    assert hands.given == [run.id]
    assert info is not None
    assert info.message == ""


def test_a_run_that_cannot_be_written_after_its_start_is_not_started_a_second_time(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, other = queued(store, 2)
    hands = Hands(places=0)
    worker = supervisor(store, hands)
    worker.step()  # both could be written while there was no room
    lock_folder(monkeypatch, locked)
    hands.places = 1
    worker.step()
    hands.ended.append(Ended(locked.id, "its process ended with status 1"))
    worker.step()
    assert hands.given == [locked.id, other.id]
    worker.pause_s = 0
    hands.ended.append(Ended(other.id))
    worker.step()
    assert hands.given == [locked.id, other.id, other.id]


def test_a_start_that_is_refused_for_want_of_room_is_no_attempt(store: RunStore) -> None:
    run, waiting = queued(store, 2)
    worker = supervisor(store, Hands())
    for _ in range(ATTEMPTS + 1):
        worker.step()
    attempts = [job.attempts for each in (run, waiting) if (job := read_job(each))]
    assert attempts == [1, 0]


def test_a_run_whose_end_cannot_be_noted_keeps_no_other_from_being_settled(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, other = queued(store, 2)
    hands = Hands(places=2)
    worker = supervisor(store, hands)
    worker.step()
    lock_folder(monkeypatch, locked)
    hands.ended += [Ended(each.id, "its process was killed (SIGKILL)") for each in (locked, other)]
    worker.step()
    assert "its process was killed (SIGKILL)" in other.log()
    assert hands.given == [locked.id, other.id, other.id]


def test_a_run_cancelled_while_its_process_began_is_settled(store: RunStore) -> None:
    (run,) = queued(store)
    hands = Hands()
    worker = supervisor(store, hands)
    worker.step()
    write_stop(run, StopRequest(by="bob"))
    hands.ended.append(Ended(run.id))
    worker.step()
    assert run.state == "cancelled"
    assert "stopped by bob" in run.status.message
    assert hands.given == [run.id]


def test_a_second_worker_is_refused_with_where_the_first_is(store: RunStore) -> None:
    with sole_worker(store), pytest.raises(FerError, match="a worker is at work already"), sole_worker(store):
        pass
    assert worker_info(store) is None


def test_a_device_is_shared_by_as_many_trainings_as_allowed_whoever_started_them(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = queued(store, 4)
    (store.root / ".worker").mkdir(exist_ok=True)
    executor = LocalExecutor(store, ("cuda:0", "cuda:1", "cpu"), per_device=1)
    started: list[str] = []
    monkeypatch.setattr(executor, "_spawn", lambda run, device, handle: started.append(device) or Idle())
    with ExitStack() as stack:
        runs[0].update_status(state="running", device="cuda")
        stack.enter_context(runs[0].lock())
        live = [runs[0]]
        assert executor.start(runs[1], Job(1), live)
        assert not executor.start(runs[2], Job(2), live)
        assert executor.start(runs[3], Job(3, device="cpu"), live)
    assert started == ["cuda:1", "cpu"]
    with pytest.raises(FerError, match="'cuda:5' is not on this machine; choose from auto, cuda:0, cuda:1, cpu"):
        executor.start(runs[2], Job(2, device="cuda:5"), [])


class Idle:
    """A process that goes on."""

    def poll(self) -> None:
        return None


def test_the_threads_of_the_processor_are_divided_among_the_slots(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert LocalExecutor(store, ("cpu",)).threads == 16
    assert LocalExecutor(store, ("cpu",), per_device=4).threads == 4
    assert LocalExecutor(store, ("cuda:0", "cuda:1", "cpu"), per_device=2).threads == 4
