"""`queue …`, `--queue` and how light the light commands are."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from fer_core.cli.app import COMMANDS, load
from fer_core.runs import RunStore, read_job

PAIRS = ("grid", "--architectures", "linear", "--preprocessing", "raw,hist_eq", "--dataset", "synthetic")


@pytest.fixture
def command(command, tmp_path):
    """Runs the command line in this process on an empty folder of runs; returns (exit status, stdout, stderr)."""
    return lambda *arguments: command(*arguments, "--runs", tmp_path)


def queued(command):
    return json.loads(command("queue", "list", "--json")[1])


def test_a_grid_can_be_left_to_a_worker(command, tmp_path):
    status, out, _ = command(*PAIRS, "--seeds", "0,1", "--epochs", "1", "--queue", "--device", "cpu")
    assert status == 0
    assert out.count("queued: linear__") == 4
    assert "No worker is at work" in out
    found = queued(command)
    assert found["worker"] is None
    assert [(row["state"], row["device"]) for row in found["entries"]] == [("queued", "cpu")] * 4
    assert all(read_job(run).by for run in RunStore(tmp_path).list())


def test_queueing_the_same_again_changes_nothing(command):
    command(*PAIRS, "--queue")
    _, out, _ = command(*PAIRS, "--queue")
    assert out.count("exists already") == 2
    assert len(queued(command)["entries"]) == 2


def test_what_cannot_be_trained_is_refused_before_anything_is_queued(command):
    status, _, err = command(*PAIRS, "--queue", "--protocol", "spi_2fold")
    assert status == 2
    assert "spi_2fold" in err
    assert queued(command)["entries"] == []


def test_the_queue_is_listed_moved_cancelled_and_resumed(command, tmp_path):
    command(*PAIRS, "--queue")
    first, second = (row["id"] for row in queued(command)["entries"])
    assert command("queue", "move", second, "first")[0] == 0
    assert [row["id"] for row in queued(command)["entries"]] == [second, first]
    assert command("queue", "cancel", first)[0] == 0
    assert [row["id"] for row in queued(command)["entries"]] == [second]
    assert command("queue", "resume", first)[0] == 0
    assert [row["id"] for row in queued(command)["entries"]] == [second, first]
    _, out, _ = command("queue", "list")
    assert "2 in the queue" in out
    asked = read_job(RunStore(tmp_path).get(first)).asked
    assert out.count(f"{asked[:10]} {asked[11:16]}") >= 1
    assert max(map(len, out.splitlines()[:-1])) <= 80


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("move", "linear__raw", "sideways"), "unknown direction 'sideways'; choose from first, up, down, last"),
        (("cancel", "nothing"), "no run 'nothing'"),
        (("cancel", ""), "'' names no run"),
        (("resume", "linear__raw", "--device", "bogus"), "unknown device 'bogus'; choose from auto"),
    ],
)
def test_a_mistake_gets_one_sentence(command, arguments, sentence):
    command(*PAIRS, "--queue")
    status, _, err = command("queue", *arguments)
    assert status == 2
    assert sentence in err


def test_every_command_can_be_loaded_and_says_what_it_does():
    for name in COMMANDS:
        found = load(name)
        assert found.name == name
        assert found.help


def test_listing_runs_and_the_queue_do_not_wait_for_torch(tmp_path):
    for words in (["runs", "list"], ["queue", "list"]):
        script = (
            f"import sys; sys.argv = ['fer_core', *{words}, '--runs', {str(tmp_path)!r}]\n"
            "from fer_core.cli.app import main\n"
            "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
            "assert 'torch' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=60)


def test_ctrl_c_stops_a_training_at_the_end_of_a_batch_and_says_how_to_go_on(command, tmp_path):
    def press():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(tmp_path.glob("*/checkpoint.pt")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    status, out, _ = command("train", "-a", "linear", "-d", "synthetic", "--epochs", "2000", "--device", "cpu")
    assert status == 130
    assert "stopped by Ctrl-C; the same command goes on from there" in out
    (run,) = RunStore(tmp_path).list()
    assert run.state == "cancelled"
    assert "stopped by Ctrl-C after epoch" in run.status.message
