"""Real workers, real trainers and `kill -9`: nothing is lost, and nothing is trained twice."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from fer_core.jobs import JobQueue, ensure_worker, trainer, worker_info
from fer_core.runs import Run, RunStore, read_job
from fer_core.training import train_run
from tests.fer_core.jobs.specs import LONG, SHORT

WAIT_S = 300


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """An empty folder of runs; whatever works on it at the end of the test is killed."""
    store = RunStore(tmp_path / "runs")
    store.root.mkdir()
    yield store
    for process in processes_on(store):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def processes_on(store: RunStore) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(store.root) in part for part in process.info["cmdline"] or ()):
            found.append(process)
    return found


def start_worker(store: RunStore, *options: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "fer_core", "worker", "--runs", str(store.root), "--threads", "1", *options]
    with output_of(store).open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)


def output_of(store: RunStore) -> Path:
    return store.root.parent / "worker.out"


def wait_until(happened: Callable[[], object], worker: "subprocess.Popen[bytes] | None" = None) -> None:
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        assert worker is None or worker.poll() is None, "the worker ended"
        time.sleep(0.02)


def wait_for_end(worker: "subprocess.Popen[bytes]", store: RunStore) -> None:
    assert worker.wait(timeout=WAIT_S) == 0, output_of(store).read_text()


def wait_for_epoch(run: Run, worker: "subprocess.Popen[bytes]") -> int:
    """The pid of the trainer, once a first epoch is behind it."""
    wait_until(lambda: (run.path / "checkpoint.pt").exists() and run.is_locked(), worker)
    holder = run.holder()
    assert holder is not None
    return holder[0]


def finish(store: RunStore) -> None:
    """Let a worker end the queue."""
    wait_for_end(start_worker(store, "--until-empty"), store)


def assert_same_result(run: Run, whole: Run) -> None:
    assert run.state == "finished"
    for key, array in whole.predictions().items():
        np.testing.assert_array_equal(run.predictions()[key], array)
    assert [e["train_loss"] for e in run.metrics()] == [e["train_loss"] for e in whole.metrics()]


def test_a_killed_trainer_is_taken_up_again_and_reaches_the_same_result(store: RunStore, uninterrupted: Run) -> None:
    run = JobQueue(store).launch(LONG, by="ada").run
    worker = start_worker(store, "--until-empty")
    os.kill(wait_for_epoch(run, worker), signal.SIGKILL)
    wait_for_end(worker, store)
    assert "its process was killed (SIGKILL, perhaps for want of memory)" in run.log()
    assert "taken up again after epoch" in run.log()
    assert_same_result(run, uninterrupted)
    assert read_job(run) is None


def test_after_a_shutdown_in_mid_epoch_the_next_worker_finishes_the_run(store: RunStore, uninterrupted: Run) -> None:
    run = JobQueue(store).launch(LONG, by="ada").run
    worker = start_worker(store)
    trainer = wait_for_epoch(run, worker)
    os.kill(worker.pid, signal.SIGTERM)
    worker.wait()
    os.kill(trainer, signal.SIGTERM)  # as the machine asks everybody to end; nobody cancelled the run
    wait_until(lambda: not run.is_locked())
    assert run.state == "lost"
    finish(store)
    assert_same_result(run, uninterrupted)


def test_a_trainer_outlives_its_worker_and_the_next_worker_trains_nothing_twice(
    store: RunStore, uninterrupted: Run
) -> None:
    queue = JobQueue(store)
    long, short = queue.launch(LONG, by="ada").run, queue.launch(SHORT, by="ada").run
    worker = start_worker(store)
    trainer = wait_for_epoch(long, worker)
    worker.kill()
    worker.wait()
    assert worker_info(store) is None
    assert psutil.pid_exists(trainer)
    finish(store)
    assert_same_result(long, uninterrupted)
    assert long.log().count("started on") == 1
    assert "resumed" not in long.log()
    assert short.state == "finished"


def test_a_cancelled_training_stops_and_resumes_to_the_same_result(store: RunStore, uninterrupted: Run) -> None:
    queue = JobQueue(store)
    run = queue.launch(LONG, by="ada").run
    worker = start_worker(store)
    wait_for_epoch(run, worker)
    queue.cancel(run, by="bob")
    wait_until(lambda: run.state == "cancelled", worker)
    assert "stopped by bob after epoch" in run.status.message
    assert "bob asked to stop" in run.log()
    queue.resume(run, by="ada")
    wait_until(lambda: run.state == "finished", worker)
    worker.kill()
    worker.wait()
    assert_same_result(run, uninterrupted)


def test_a_worker_outlives_whoever_started_it(store: RunStore) -> None:
    run = JobQueue(store).launch(SHORT, by="ada").run
    script = (
        "import sys, time; from pathlib import Path; from fer_core.jobs import ensure_worker; "
        "from fer_core.runs import RunStore; ensure_worker(RunStore(Path(sys.argv[1])), wait=True); time.sleep(60)"
    )
    server = subprocess.Popen([sys.executable, "-c", script, str(store.root)], start_new_session=True)
    wait_until(lambda: worker_info(store) is not None)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    wait_until(lambda: run.state == "finished")
    assert worker_info(store) is not None


def test_asking_for_a_worker_twice_starts_one(store: RunStore) -> None:
    assert ensure_worker(store, wait=True)
    assert not ensure_worker(store)
    refused = subprocess.run(
        [sys.executable, "-m", "fer_core", "worker", "--runs", str(store.root)], capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "a worker is at work already" in refused.stderr


def test_a_run_that_is_deleted_while_its_trainer_prepares_is_not_made_anew(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = JobQueue(store).launch(SHORT, by="ada").run

    def delete_first(*arguments: object, **options: object) -> Run:
        store.delete(run)
        return train_run(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "train_run", delete_first)
    assert trainer.train_queued(run, "cpu") == 0
    assert store.list() == []


def test_a_run_that_cannot_begin_fails_with_its_reason(store: RunStore) -> None:
    run = JobQueue(store).launch(replace(SHORT, protocol="spi_2fold"), by="ada").run
    finish(store)
    assert run.state == "failed"
    assert "spi_2fold" in run.status.message


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounting a small disk needs root on Linux")
def test_a_disk_that_fills_up_ends_the_run_with_that_reason_and_nothing_is_lost(
    tmp_path: Path, uninterrupted: Run
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        store = RunStore(disk / "runs")
        run = JobQueue(store).launch(LONG, by="ada").run
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(2 * 2**20 - 2**16 - 40_000))
        command = [sys.executable, "-m", "fer_core.jobs.trainer", str(run.path), "cpu", "1"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S)
        assert ended.returncode == 1
        assert run.state == "failed", ended.stderr
        assert run.status.message == "the disk of the runs is full; make room and resume"
        ballast.unlink()
        JobQueue(store).resume(run, by="ada")
        subprocess.run(command, check=True, capture_output=True, timeout=WAIT_S)
        assert_same_result(run, uninterrupted)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)
