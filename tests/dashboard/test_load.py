"""What a training takes of its machine."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from dashboard import load
from dashboard.load import Gpu, Load, LoadMeter, ask_gpus, gpu_of, parse_gpus

GPUS = [Gpu("0", "GPU-a"), Gpu("1", "GPU-b", 0.5, 2 * 2**30, 8 * 2**30)]


class Clock:
    """A process that began at second 1000 and keeps `rate` cores busy, and the time that passes."""

    def __init__(self) -> None:
        self.now, self.rate, self.spent, self.alive, self.environment = 1000.0, 2.0, 0.0, True, {"HOME": "/"}

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.spent += self.rate * seconds

    def process(self, pid: int) -> SimpleNamespace:
        return SimpleNamespace(
            pid=pid,
            oneshot=lambda: open(os.devnull),  # noqa: SIM115 - any context manager
            cpu_times=lambda: SimpleNamespace(user=self.spent, system=0.0),
            create_time=lambda: 1000.0,
            memory_info=lambda: SimpleNamespace(rss=700_000_000),
            is_running=lambda: self.alive,
            environ=lambda: self.environment,
        )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(load.psutil, "Process", clock.process)
    monkeypatch.setattr(load.time, "time", lambda: clock.now)
    monkeypatch.setattr(load.psutil, "cpu_count", lambda: 4)
    return clock


def test_the_first_look_gives_the_mean_since_the_process_began_and_the_next_what_came_after(clock: Clock) -> None:
    meter = LoadMeter()
    clock.wait(10)
    first = meter.read(7, platform.node())
    assert (first.cores, first.cores_total, first.memory, first.elapsed_s) == (2.0, 4, 700_000_000, 10.0)
    clock.rate = 0.5
    clock.wait(2)
    assert meter.read(7, platform.node()).cores == 0.5
    clock.wait(0.3)
    assert meter.read(7, platform.node()).cores == 0.5, "two viewers do not measure a fraction of a second"


def test_another_process_with_the_same_number_is_measured_from_its_own_beginning(clock: Clock) -> None:
    meter = LoadMeter()
    clock.wait(10)
    meter.read(7, platform.node())
    clock.alive, clock.spent = False, 1.0
    clock.wait(0.0)
    assert meter.read(7, platform.node()).cores == pytest.approx(0.1)


def test_of_another_machine_only_its_name_is_known() -> None:
    assert LoadMeter().read(os.getpid(), "elsewhere", "cuda") == Load("elsewhere")


def test_a_process_that_has_ended_takes_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert LoadMeter().read(process.pid, platform.node()) == Load(platform.node())


def test_this_very_process_can_be_measured() -> None:
    found = LoadMeter().read(os.getpid(), platform.node(), "cpu")
    assert found.memory is not None
    assert found.memory > 1e7
    assert found.cores is not None
    assert found.gpu is None


def test_what_nvidia_smi_says_is_read_and_what_it_does_not_know_is_none() -> None:
    text = "0, GPU-a, 87, 3174, 81559\n1, GPU-b, [N/A], [N/A], 81559\nsomething else\n"
    first, second = parse_gpus(text)
    assert first == Gpu("0", "GPU-a", 0.87, 3174 * 2**20, 81559 * 2**20)
    assert (second.busy, second.memory) == (None, None)


@pytest.mark.parametrize(
    ("device", "visible", "index"),
    [
        ("cuda", "", "0"),
        ("cuda:1", "", "1"),
        ("cuda:0", "1", "1"),
        ("cuda:0", "GPU-b,GPU-a", "1"),
        ("cuda:1", "1", None),
        ("cuda:0", "MIG-c", None),
    ],
)
def test_a_device_of_torch_is_found_among_the_gpus(device: str, visible: str, index: str | None) -> None:
    found = gpu_of(device, visible, GPUS)
    assert (found.index if found else None) == index


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a tool of that name and these lines first on the path."""

    def write(lines: str) -> Path:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{lines}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        return tool

    return write


def test_the_tool_is_asked_once_for_all_trainings(
    clock: Clock, nvidia_smi: Callable[[str], Path], tmp_path: Path
) -> None:
    nvidia_smi(f"echo asked >> {tmp_path}/asked; echo '0, GPU-a, 40, 1024, 8192'")
    meter = LoadMeter()
    for pid in (7, 8):
        found = meter.read(pid, platform.node(), "cuda:0").gpu
        assert found is not None
        assert (found.busy, found.memory) == (0.4, 2**30)
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_tool_that_fails_or_is_not_there_leaves_no_figures(
    nvidia_smi: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi("echo 'NVIDIA-SMI has failed' >&2; exit 9")
    assert ask_gpus() == []
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert ask_gpus() == []
