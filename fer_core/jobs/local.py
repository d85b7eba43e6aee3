"""Trainings as processes of this machine: one at a time on each device, or as many as asked for."""

import os
import platform
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fer_core.errors import FerError
from fer_core.jobs.executors import Ended
from fer_core.runs import Job, Run, RunStore

PROBE = "import torch; print(torch.cuda.device_count(), int(torch.backends.mps.is_available()))"
DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # NVIDIA's, AMD's, and that of Windows' Linux
LAST_LINES = 3


def find_devices() -> tuple[str, ...]:
    """The devices of this machine, accelerators first; asked of another process, so that this one needs no torch."""
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in DRIVERS):
        return ("cpu",)
    answer = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise FerError(f"torch cannot be loaded: {_last(answer.stderr) or 'it gives no reason'}")
    cuda, mps = (int(number) for number in answer.stdout.split())
    return (*(f"cuda:{index}" for index in range(cuda)), *(("mps",) if mps else ()), "cpu")


def threads_of_each(devices: Sequence[str], per_device: int = 1) -> int:
    """The processor's threads for each of `per_device` trainings on each of the accelerators, or on the CPU alone."""
    accelerators = max(1, len([device for device in devices if device != "cpu"]))
    return max(1, (os.cpu_count() or 1) // (accelerators * per_device))


@dataclass
class _Trainer:
    process: "subprocess.Popen[bytes]"
    device: str
    output: Path


class LocalExecutor:
    """A process for each training, in a session of its own: it outlives whoever started it.

    `per_device` trainings share a device. The CPU counts as a device of its own; with an accelerator
    it trains what asks for it. The processor's threads are divided evenly among the slots, unless `threads`
    gives their number.
    """

    def __init__(
        self, store: RunStore, devices: Sequence[str] | None = None, per_device: int = 1, threads: int | None = None
    ) -> None:
        self.store = store
        self.devices = tuple(devices or find_devices())
        self.per_device = per_device
        self.threads = threads or threads_of_each(self.devices, per_device)
        self._trainers: dict[str, _Trainer] = {}
        self._tidy()

    def start(self, run: Run, job: Job, live: Sequence[Run]) -> bool:
        """Start the trainer's process on the first device with room that the job wants."""
        device = self._place(job.device, live)
        if device is None:
            return False
        output = self.store.root / ".worker" / f"{run.id}.out"
        with output.open("wb") as handle:
            self._trainers[run.id] = _Trainer(self._spawn(run, device, handle), device, output)
        return True

    def poll(self) -> list[Ended]:
        """The trainers that ended, and what killed them."""
        ended = [run_id for run_id, trainer in self._trainers.items() if trainer.process.poll() is not None]
        return [self._farewell(run_id, self._trainers.pop(run_id)) for run_id in ended]

    def held(self) -> frozenset[str]:
        return frozenset(self._trainers)

    def describe(self) -> dict[str, Any]:
        """For worker.json: its kind and what it trains on."""
        return {
            "executor": "local",
            "devices": list(self.devices),
            "per_device": self.per_device,
            "threads": self.threads,
        }

    def close(self) -> None:
        """Nothing to let go: the trainers go on, and the next worker sees them by their locks."""

    def _tidy(self) -> None:
        """Remove the outputs of trainers that ended after their worker did."""
        for output in (self.store.root / ".worker").glob("*.out"):
            if not Run(self.store.root / output.stem).is_locked():
                output.unlink(missing_ok=True)

    def _place(self, wanted: str, live: Sequence[Run]) -> str | None:
        choices = [device for device in self.devices if _is_wanted(device, wanted, self.devices)]
        if not choices:
            raise FerError(f"device {wanted!r} is not on this machine; choose from auto, {', '.join(self.devices)}")
        busy = Counter(trainer.device for trainer in self._trainers.values())
        busy.update(_canonical(run.status.device) for run in live if run.id not in self._trainers and _is_here(run))
        room = [device for device in choices if busy[device] < self.per_device]
        return min(room, key=lambda device: busy[device]) if room else None

    def _spawn(self, run: Run, device: str, output: IO[bytes]) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "fer_core.jobs.trainer", str(run.path), device, str(self.threads)]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": str(self.threads)},
        )

    def _farewell(self, run_id: str, trainer: _Trainer) -> Ended:
        code = trainer.process.returncode
        said = _last(trainer.output.read_text(errors="replace")) if trainer.output.exists() else ""
        trainer.output.unlink(missing_ok=True)
        if not code:
            return Ended(run_id)
        how = _killed(-code) if code < 0 else f"its process ended with status {code}"
        return Ended(run_id, f"{how}: {said}" if said else how)


def _killed(number: int) -> str:
    names = {each.value: each.name for each in signal.Signals}
    hint = ", perhaps for want of memory" if number == signal.SIGKILL else ""
    return f"its process was killed ({names.get(number, number)}{hint})"


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " ".join(lines[-LAST_LINES:])[-400:]


def _is_wanted(device: str, wanted: str, devices: Sequence[str]) -> bool:
    if wanted == "auto":
        return device == "cpu" if devices == ("cpu",) else device != "cpu"
    return device == wanted or device.partition(":")[0] == wanted


def _canonical(device: str) -> str:
    return "cuda:0" if device == "cuda" else device


def _is_here(run: Run) -> bool:
    holder = run.holder()
    return holder is None or holder[1] == platform.node()
