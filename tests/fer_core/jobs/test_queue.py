"""The queue in the run folders: launching, order, cancelling, resuming."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fer_core.config import Recipe, RunSpec, to_json
from fer_core.jobs import JobQueue
from fer_core.runs import Run, RunError, RunStore, read_job, stop_request, write_job

RECIPE = Recipe(name="test", epochs=2, batch_size=64, optimizer="adamw", learning_rate=3e-3)
SPEC = RunSpec("linear", "raw", "synthetic", "official", RECIPE)


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(RunStore(tmp_path))


def launch(queue: JobQueue, count: int) -> list[Run]:
    return [queue.launch(replace(SPEC, seed=seed), by="ada").run for seed in range(count)]


def order(queue: JobQueue) -> list[int]:
    return [entry.run.spec.seed for entry in queue.entries()]


def test_a_launched_run_waits_with_who_and_when(queue: JobQueue) -> None:
    launched = queue.launch(SPEC, by="ada", device="cpu")
    assert launched.outcome == "queued"
    (entry,) = queue.entries()
    assert (entry.state, entry.job.by, entry.job.device) == ("queued", "ada", "cpu")
    assert entry.job.asked.startswith("20")
    assert "queued by ada" in launched.run.log()


def test_a_second_launch_of_the_same_spec_finds_the_first(queue: JobQueue) -> None:
    first, second = queue.launch(SPEC, by="ada"), queue.launch(SPEC, by="bob")
    assert second.outcome == "exists"
    assert second.run.id == first.run.id
    assert [entry.job.by for entry in queue.entries()] == ["ada"]


LAUNCHER = """
import json, sys
from pathlib import Path
from fer_core.config import RunSpec, from_json
from fer_core.jobs import JobQueue
from fer_core.runs import RunStore
spec, queue = from_json(RunSpec, json.loads(sys.argv[2])), JobQueue(RunStore(Path(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
print(queue.launch(spec, by="somebody").outcome)
"""


def test_of_six_launchers_of_one_spec_one_makes_the_run(queue: JobQueue) -> None:
    command = [sys.executable, "-c", LAUNCHER, str(queue.store.root), json.dumps(to_json(SPEC))]
    launchers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(6)
    ]
    assert [launcher.stdout.readline() for launcher in launchers if launcher.stdout] == ["ready\n"] * 6
    for launcher in launchers:
        assert launcher.stdin
        launcher.stdin.write("\n")
        launcher.stdin.flush()
    assert sorted(launcher.communicate()[0] for launcher in launchers) == ["exists\n"] * 5 + ["queued\n"]
    (run,) = queue.store.list()
    assert not run.problem
    assert list(queue.store.root.glob(".new.*")) == []


def test_runs_wait_in_the_order_of_their_launch_and_can_be_moved(queue: JobQueue) -> None:
    runs = launch(queue, 4)
    assert order(queue) == [0, 1, 2, 3]
    queue.move(runs[3], "first", by="bob")
    assert order(queue) == [3, 0, 1, 2]
    queue.move(runs[3], "down")
    assert order(queue) == [0, 3, 1, 2]
    queue.move(runs[2], "up")
    queue.move(runs[0], "last")
    assert order(queue) == [3, 2, 1, 0]
    queue.move(runs[3], "up")
    assert order(queue) == [3, 2, 1, 0]
    assert "moved to place 1 of the queue by bob" in runs[3].log()


def test_a_run_queued_later_stands_last_whatever_was_moved(queue: JobQueue) -> None:
    runs = launch(queue, 3)
    queue.move(runs[0], "last")
    queue.launch(replace(SPEC, seed=9))
    assert order(queue) == [1, 2, 0, 9]


def test_a_waiting_run_that_is_cancelled_leaves_the_queue_and_says_who(queue: JobQueue) -> None:
    runs = launch(queue, 2)
    queue.cancel(runs[0], by="bob")
    assert order(queue) == [1]
    assert runs[0].state == "cancelled"
    assert runs[0].status.message == "stopped by bob after epoch 0; it can be resumed from there"
    assert "stopped by bob" in runs[0].log()
    assert read_job(runs[0]) is None


def test_a_cancelled_run_is_resumed_at_the_end_of_the_queue_by_a_second_launch(queue: JobQueue) -> None:
    runs = launch(queue, 2)
    queue.cancel(runs[0], by="bob")
    again = queue.launch(runs[0].spec, by="eve")
    assert again.outcome == "resumed"
    assert order(queue) == [1, 0]
    assert stop_request(runs[0]) is None
    assert "queued again by eve" in runs[0].log()


def test_a_run_that_is_trained_is_asked_to_stop_and_not_marked(queue: JobQueue) -> None:
    (run,) = launch(queue, 1)
    run.update_status(state="running")
    with run.lock():
        queue.cancel(run, by="bob")
        assert run.state == "running"
        request = stop_request(run)
    assert request is not None
    assert request.by == "bob"


def test_a_run_whose_process_ended_stays_in_the_queue_as_lost(queue: JobQueue) -> None:
    (run,) = launch(queue, 1)
    run.update_status(state="running")
    (entry,) = queue.entries()
    assert entry.state == "lost"
    assert entry.is_waiting


@pytest.mark.parametrize("state", ["finished", "failed", "cancelled"])
def test_a_job_left_behind_by_a_run_that_ended_is_not_in_the_queue(queue: JobQueue, state: str) -> None:
    (run,) = launch(queue, 1)
    run.update_status(state=state)
    if state == "finished":
        run.write_json("evaluation.json", {"splits": {"test": {"accuracy": 0.5}}})
    assert queue.entries() == []


def test_what_cannot_be_done_is_refused_in_a_sentence(queue: JobQueue) -> None:
    (run,) = launch(queue, 1)
    run.update_status(state="running")
    with run.lock():
        with pytest.raises(RunError, match="does not wait in the queue"):
            queue.move(run, "up")
        with pytest.raises(RunError, match="being trained by another process"):
            queue.resume(run)
    run.update_status(state="failed", message="out of luck")
    with pytest.raises(RunError, match="is failed; only a run that waits"):
        queue.cancel(run)
    run.update_status(state="finished")
    with pytest.raises(RunError, match="is finished already"):
        queue.resume(run)


def test_a_damaged_folder_is_not_launched_over(queue: JobQueue) -> None:
    folder = queue.store.root / SPEC.run_id
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        queue.launch(SPEC)


def test_an_unreadable_job_does_not_hide_the_others(queue: JobQueue) -> None:
    runs = launch(queue, 2)
    (runs[0].path / "job.json").write_text('{"order": "soon"}')
    assert order(queue) == [1]
    write_job(runs[0], replace(read_job(runs[1]), order=0.5))  # type: ignore[type-var]
    assert order(queue) == [0, 1]


def test_a_launch_on_a_full_disk_leaves_nothing_behind(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", no_room)
        with pytest.raises(RunError, match="cannot be made in .*: No space left on device"):
            queue.launch(SPEC)
    assert list(queue.store.root.iterdir()) == []
    assert queue.launch(SPEC).outcome == "queued"
