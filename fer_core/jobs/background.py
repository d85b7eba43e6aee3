"""The worker of a folder of runs: whether one is there, and starting one that outlives its starter."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fer_core import locks
from fer_core.errors import FerError
from fer_core.runs import RunStore

FOLDER = ".worker"
# by their folder of runs; kept, so that one that ends is no zombie of ours
_started: "list[tuple[Path, subprocess.Popen[bytes]]]" = []
START_S = 30.0  # within which a worker that was started must hold its lock


@dataclass(frozen=True)
class WorkerInfo:
    """A worker that is alive: where it runs, since when, and its executor's slots."""

    pid: int = 0
    host: str = ""
    started: str = ""
    message: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def worker_info(store: RunStore) -> WorkerInfo | None:
    """What the worker of `store` says about itself, or None where none is alive."""
    if not _is_held(store):
        return None
    try:
        return WorkerInfo(**json.loads((_folder(store) / "worker.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return WorkerInfo()  # it has just begun, and has not said anything yet


def is_worker_starting(store: RunStore) -> bool:
    """Whether this process has started a worker of `store` that lives and is not at work yet: it loads PyTorch."""
    return not _is_held(store) and any(root == store.root and each.poll() is None for root, each in list(_started))


def write_worker_info(store: RunStore, info: Mapping[str, Any]) -> None:
    """Replace what the worker says about itself."""
    temporary = _folder(store) / f".worker.json.{os.getpid()}"
    temporary.write_text(json.dumps(info))
    os.replace(temporary, _folder(store) / "worker.json")


@contextmanager
def sole_worker(store: RunStore) -> Iterator[None]:
    """Be the worker of `store`; raises FerError where another is."""
    _make_folder(store)
    with (_folder(store) / "lock").open("a+") as handle:
        if not locks.take(handle):
            info = worker_info(store) or WorkerInfo()
            raise FerError(
                f"a worker is at work already on {store.root} (process {info.pid} on {info.host or platform.node()}); "
                "one is enough, and `--per-device` makes it train more at once"
            )
        yield


def ensure_worker(store: RunStore, *, options: Sequence[str] = (), wait: bool = False) -> bool:
    """Start a worker (with `options` of its command) in the background unless one is alive; whether one was started.

    It is in a session of its own, so that it outlives the caller. With `wait`, returns once it is at work;
    raises FerError, with what it printed, where it does not begin.
    """
    if _is_held(store):
        return False
    _make_folder(store)
    log = _folder(store) / "worker.log"
    command = [sys.executable, "-m", "fer_core", "worker", "--runs", str(store.root.resolve())]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started[:] = [(root, each) for root, each in _started if each.poll() is None] + [(store.root, process)]
    if wait:
        _wait_for(store, process, log)
    return True


def _wait_for(store: RunStore, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not _is_held(store):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").splitlines()
            raise FerError(f"the worker did not begin: {lines[-1] if lines else 'it gives no reason'}")
        time.sleep(0.05)


def _make_folder(store: RunStore) -> None:
    try:
        _folder(store).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FerError(f"a worker needs to write into {store.root}: {error.strerror}") from error


def _folder(store: RunStore) -> Path:
    return store.root / FOLDER


def _is_held(store: RunStore) -> bool:
    return locks.is_held(_folder(store) / "lock")
