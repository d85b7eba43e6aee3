"""What a training takes of the machine: processor, memory, and the NVIDIA GPU where there is one."""

import platform
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import psutil

LOOK_S = 1.0  # between two measurements of a process; what is asked sooner gets the last figure
GPU_LOOK_S = 5.0
GPU_QUERY = ("nvidia-smi", "--query-gpu=index,uuid,utilization.gpu,memory.used,memory.total")
GPU_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Gpu:
    """One GPU as nvidia-smi tells it: its load in [0, 1], and its memory in bytes; None where it does not say."""

    index: str
    uuid: str = ""
    busy: float | None = None
    memory: int | None = None
    memory_total: int | None = None


@dataclass(frozen=True)
class Load:
    """What one process takes: processor cores kept busy, resident bytes, seconds that it has worked, and its GPU."""

    host: str
    cores: float | None = None
    cores_total: int = 1
    memory: int | None = None
    elapsed_s: float | None = None
    gpu: Gpu | None = None


@dataclass
class _Sample:
    process: psutil.Process
    at: float
    cpu_s: float
    load: Load


class LoadMeter:
    """Measures processes of this machine; who looks first sees a process's mean since it began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: dict[int, _Sample] = {}
        self._gpus: tuple[float, list[Gpu]] | None = None

    def read(self, pid: int, host: str, device: str = "") -> Load:
        """What the process `pid` on `host` takes; of another host, or a process that has ended, the name alone."""
        if host != platform.node():
            return Load(host)
        with self._lock:
            try:
                sample = self._measure(pid, host)
                if not device.startswith("cuda"):
                    return sample.load
                return replace(sample.load, gpu=gpu_of(device, _visible_gpus(sample.process), self._read_gpus()))
            except psutil.Error:
                self._samples.pop(pid, None)
                return Load(host)

    def _measure(self, pid: int, host: str) -> _Sample:
        known = self._samples.get(pid)
        if known is not None and not known.process.is_running():
            known = None  # another process has its number now
        now = time.time()
        if known is not None and now - known.at < LOOK_S:
            return known
        process = known.process if known else psutil.Process(pid)
        with process.oneshot():
            spent = process.cpu_times()
            began = process.create_time()
            cpu_s = spent.user + spent.system
            at, before = (known.at, known.cpu_s) if known else (began, 0.0)
            cores = max(0.0, cpu_s - before) / max(LOOK_S, now - at)
            load = Load(host, cores, psutil.cpu_count() or 1, process.memory_info().rss, now - began)
        self._forget_ended()
        sample = self._samples[pid] = _Sample(process, now, cpu_s, load)
        return sample

    def _forget_ended(self) -> None:
        self._samples = {pid: sample for pid, sample in self._samples.items() if sample.process.is_running()}

    def _read_gpus(self) -> list[Gpu]:
        now = time.monotonic()
        if self._gpus is None or now - self._gpus[0] > GPU_LOOK_S:
            self._gpus = (now, ask_gpus())
        return self._gpus[1]


def _visible_gpus(process: psutil.Process) -> str:
    try:
        return process.environ().get("CUDA_VISIBLE_DEVICES", "")
    except psutil.AccessDenied:
        return ""  # of another user


def ask_gpus() -> list[Gpu]:
    """The NVIDIA GPUs of this machine, as its driver's own tool tells them; none where it is not there or is silent."""
    try:
        answer = subprocess.run(
            [*GPU_QUERY, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=GPU_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_gpus(answer.stdout)


def parse_gpus(text: str) -> list[Gpu]:
    """The lines of nvidia-smi: index, uuid, load in percent, used and whole memory in MiB; `[N/A]` is None."""
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    return [_gpu(row) for row in rows if len(row) == 5]


def _gpu(row: list[str]) -> Gpu:
    index, uuid, *cells = row
    busy, used, total = (float(cell) if cell.replace(".", "", 1).isdigit() else None for cell in cells)
    return Gpu(index, uuid, None if busy is None else busy / 100, _bytes(used), _bytes(total))


def _bytes(mebibytes: float | None) -> int | None:
    return None if mebibytes is None else int(mebibytes * 2**20)


def gpu_of(device: str, visible: str, gpus: list[Gpu]) -> Gpu | None:
    """The GPU that torch calls `device` (`cuda`, `cuda:1`) in a process whose CUDA_VISIBLE_DEVICES is `visible`."""
    place = int(device.partition(":")[2] or 0)
    names = [name.strip() for name in visible.split(",") if name.strip()] or [gpu.index for gpu in gpus]
    if place >= len(names):
        return None
    known: Mapping[str, Gpu] = {name: gpu for gpu in gpus for name in (gpu.index, gpu.uuid)}
    return known.get(names[place])
