"""Trainings of one command beside each other, in real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

from fer_core.cli.several import _line
from fer_core.errors import FerError
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
def endless(tmp_path):
    """A grid that would train for hours, two runs at once, in a process group of its own."""
    command = [sys.executable, "-m", "fer_core", *LINEAR, "--preprocessing", "raw,median,clahe"]
    process = subprocess.Popen(
        [*command, "--epochs", "1000", "-H", "batch_size=8", "--jobs", "2", "--runs", str(tmp_path)],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        until(lambda: sum(run.state == "running" and run.status.epoch > 0 for run in RunStore(tmp_path).list()) == 2)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_runs_trained_at_once_are_those_trained_in_turn(command, tmp_path):
    for jobs in ("1", "2"):
        arguments = ("--preprocessing", "raw,median", "--epochs", "2", "--threads", "1", "--jobs", jobs)
        status, out, _ = command(*LINEAR, *arguments, "--runs", tmp_path / jobs)
        assert status == 0
        assert out.count("finished") == 2
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


def test_ctrl_c_stops_all_and_the_runs_can_go_on(endless, tmp_path):
    os.killpg(endless.pid, signal.SIGINT)
    out, _ = endless.communicate(timeout=PATIENCE_S)
    assert endless.returncode == 130
    assert out.count("stopped by Ctrl-C") == 3
    assert "Traceback" not in out
    runs = RunStore(tmp_path).list()
    assert [run.state for run in runs] == ["cancelled"] * 2
    assert all((run.path / "checkpoint.pt").exists() for run in runs)


def test_a_killed_command_leaves_nobody_training(endless, tmp_path):
    os.kill(endless.pid, signal.SIGKILL)
    until(lambda: not any(run.is_locked() for run in RunStore(tmp_path).list()))
    assert [run.state for run in RunStore(tmp_path).list()] == ["lost"] * 2


def test_a_training_whose_process_was_killed_is_told_in_a_sentence():
    with pytest.raises(FerError, match="for want of memory; the same command with fewer --jobs goes on"):
        _line(BrokenProcessPool(), None)


def test_a_worker_has_its_own_option_for_trainings_at_once(command, tmp_path):
    status, _, err = command(*LINEAR, "--jobs", "2", "--queue", "--runs", tmp_path)
    assert status == 2
    assert "start `worker --per-device N`" in " ".join(err.split())
