"""Trainings of one command beside each other, in real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest

from fer_core.cli import several
from fer_core.paths import PROJECT_ROOT
from fer_core.runs import RunStore

LINEAR = ("grid", "--architectures", "linear", "-d", "synthetic", "--device", "cpu")
PATIENCE_S = 120


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it has not come about in time"
        time.sleep(0.05)


@pytest.fixture
def grid(tmp_path):
    """A grid of three that would train for many minutes, two at once, in a process group of its own."""
    command = [sys.executable, "-m", "fer_core", *LINEAR, "--preprocessing", "raw,median,clahe"]
    process = subprocess.Popen(
        [*command, "--epochs", "1000", "-H", "batch_size=2", "--jobs", "2", "--runs", str(tmp_path)],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert "3 to train, 2 at once" in process.stdout.readline()
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def training(grid, tmp_path):
    """The same, once both processes have trained for an epoch."""
    until(lambda: sum(run.state == "running" and run.status.epoch > 0 for run in RunStore(tmp_path).list()) == 2)
    return grid


def test_runs_trained_at_once_are_those_trained_in_turn(command, tmp_path):
    for jobs in ("1", "2"):
        arguments = ("--preprocessing", "raw,median", "--epochs", "2", "--threads", "1", "--jobs", jobs)
        status, out, _ = command(*LINEAR, *arguments, "--runs", tmp_path / jobs)
        assert status == 0
        assert out.count("finished") == 2
        assert ("2 to train, 2 at once, 1 thread each" in out) == (jobs == "2")
    stores = [RunStore(tmp_path / jobs) for jobs in ("1", "2")]
    for in_turn, at_once in zip(*(store.list() for store in stores), strict=True):
        assert in_turn.id == at_once.id
        assert in_turn.environment()["threads"] == at_once.environment()["threads"] == 1
        for key, array in in_turn.predictions().items():
            np.testing.assert_array_equal(at_once.predictions()[key], array)


def test_one_that_is_refused_does_not_stop_the_others(command, tmp_path):
    arguments = (*LINEAR, "--preprocessing", "raw,median", "--epochs", "1", "--runs", tmp_path)
    command(*arguments)
    run, store = RunStore(tmp_path).get("linear__raw"), RunStore(tmp_path)
    store.delete(store.get("linear__median"))
    run.update_status(state="running")
    with run.lock():
        _, out, _ = command(*arguments, "--jobs", "2")
    assert f"1/2 {run.id}: skipped: " in out
    assert "2/2" in out
    assert store.get("linear__median").state == "finished"


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "a signal (SIGTERM)")])
def test_a_signal_to_all_stops_all_and_the_runs_can_go_on(training, tmp_path, number, reason):
    os.killpg(training.pid, number)
    out, _ = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 130, out
    assert "Traceback" not in out
    runs = RunStore(tmp_path).list()
    assert [run.state for run in runs] == ["cancelled"] * 2
    assert all(f"stopped by {reason}" in run.log() for run in runs)
    assert all((run.path / "checkpoint.pt").exists() for run in runs)


def test_a_signal_to_the_command_alone_stops_all(training, tmp_path):
    training.terminate()
    out, _ = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 130, out
    assert out.count("stopped by a signal (SIGTERM)") == 3
    assert [run.state for run in RunStore(tmp_path).list()] == ["cancelled"] * 2


def test_ctrl_c_while_the_processes_begin_stops_all(grid, tmp_path):
    os.killpg(grid.pid, signal.SIGINT)
    out, _ = grid.communicate(timeout=PATIENCE_S)
    assert grid.returncode == 130, out
    assert "Traceback" not in out
    assert not any(run.state == "running" for run in RunStore(tmp_path).list())


def test_a_killed_command_leaves_nobody_training(training, tmp_path):
    os.kill(training.pid, signal.SIGKILL)
    until(lambda: not any(run.is_locked() for run in RunStore(tmp_path).list()))
    assert [run.state for run in RunStore(tmp_path).list()] == ["lost"] * 2


def test_a_training_whose_process_is_killed_is_told_in_a_sentence_and_the_others_keep_what_they_have(
    training, tmp_path
):
    killed, other = RunStore(tmp_path).list()
    os.kill(killed.holder()[0], signal.SIGKILL)
    out, _ = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 2
    assert "for want of memory; the same command with fewer --jobs goes on" in " ".join(out.split())
    assert (killed.state, other.state) == ("lost", "cancelled")


def test_one_that_fails_stops_no_other_and_is_told(monkeypatch, command, tmp_path):
    arguments = (*LINEAR, "--preprocessing", "raw,median", "--epochs", "1", "--runs", tmp_path)
    train_run = several.train_shown

    def fail_on_raw(spec, *others):
        if spec.preprocessing == "raw":
            raise MemoryError("too little room")
        return train_run(spec, *others)

    monkeypatch.setattr(several, "train_shown", fail_on_raw)
    status, out, _ = command(*arguments)
    assert status == 1
    assert "failed: MemoryError: too little room" in out
    assert RunStore(tmp_path).get("linear__median").state == "finished"


def test_nothing_is_trained_where_a_pair_is_impossible(command, tmp_path):
    arguments = (*LINEAR, "--preprocessing", "raw,median", "-H", "teacher=nobody", "--jobs", "2", "--runs", tmp_path)
    status, out, err = command(*arguments)
    assert status == 2
    assert "no run 'nobody'" in err
    assert "to train" not in out
    assert RunStore(tmp_path).list() == []


def test_a_worker_has_its_own_option_for_trainings_at_once(command, tmp_path):
    status, _, err = command(*LINEAR, "--jobs", "2", "--queue", "--runs", tmp_path)
    assert status == 2
    assert "start `worker --per-device N`" in " ".join(err.split())
