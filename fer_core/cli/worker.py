"""`worker`: the training supervisor."""

import signal
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from fer_core.cli.choices import runs_into
from fer_core.cli.options import RunsFolder, Threads
from fer_core.cli.output import say
from fer_core.errors import FerError
from fer_core.jobs.background import ensure_worker, sole_worker
from fer_core.jobs.executors import Executor
from fer_core.jobs.local import LocalExecutor
from fer_core.jobs.supervisor import Supervisor
from fer_core.runs import RunStore

# who carries the trainings out -> the options that only that one has
EXECUTORS: Mapping[str, tuple[str, ...]] = {"local": ("per_device",), "ray": ("address", "cpus", "gpus")}


def worker(
    per_device: Annotated[int | None, typer.Option(min=1, help="Trainings at once on each device; else 1.")] = None,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when nothing waits or is trained.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="In the background, unless a worker is there.")] = False,
    executor: Annotated[str, typer.Option(help="local: on this machine; ray: on a Ray cluster.")] = "local",
    address: Annotated[str | None, typer.Option(help="Of the Ray cluster: auto, or HOST:PORT of its head.")] = None,
    cpus: Annotated[float | None, typer.Option(help="Of a node of Ray, for each training; else 1.")] = None,
    gpus: Annotated[float | None, typer.Option(help="The same; 0.5: two trainings share a GPU; else 1.")] = None,
    threads: Threads = None,
    runs: RunsFolder = None,
) -> None:
    """Train what is queued, one run after the other.

    Ctrl-C ends the worker: what it trains on this machine goes on by itself, and what it trains on a Ray
    cluster ends with it, to be taken up again by the next worker.
    """
    store = runs_into(runs)
    options = {"per_device": per_device, "address": address, "cpus": cpus, "gpus": gpus, "threads": threads}
    given = {name: value for name, value in options.items() if value is not None}
    check_options(executor, given)
    if detach:
        if executor != "local":
            make_executor(executor, store, given).close()  # what is wrong with it is said here, and not in a log
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in {"executor": executor, **given}.items()]
        started = ensure_worker(store, options=arguments, wait=True)
        say(f"{'a worker is at work' if started else 'a worker was at work already'} on {store.root}")
        return
    with sole_worker(store):
        carrier = make_executor(executor, store, given)
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):  # only now: to join a Ray cluster sets them, too
            signal.signal(number, lambda *_: stopped.set())
        try:
            report(f"at work on {store.root} ({kinds(carrier.describe())}); Ctrl-C ends it")
            Supervisor(store, carrier, say=report).run(stopped.is_set, until_empty=until_empty)
        finally:
            carrier.close()


def report(line: str) -> None:
    """Print what happens, with its time; in the background it goes to `.worker/worker.log`."""
    say(f"{datetime.now():%Y-%m-%d %H:%M:%S} {line}")


def kinds(facts: Mapping[str, Any]) -> str:
    """`cuda:0, cpu; 2 runs at once on each, 8 threads a run`, as an executor describes itself."""
    runs = f"{facts['per_device']} run{'s' if facts['per_device'] > 1 else ''} at once on each"
    return f"{', '.join(facts['devices'])}; {runs}, {facts['threads']} threads a run"


def check_options(kind: str, given: Mapping[str, Any]) -> None:
    """Raises FerError for an unknown executor, and for an option of another one."""
    if kind not in EXECUTORS:
        raise FerError(f"unknown executor {kind!r}; choose from {', '.join(EXECUTORS)}")
    for name in given:
        owners = [owner for owner, own in EXECUTORS.items() if name in own]
        if owners and kind not in owners:
            raise FerError(f"--{name.replace('_', '-')} is an option of --executor {owners[0]}, not of {kind}")


def make_executor(kind: str, store: RunStore, given: Mapping[str, Any]) -> Executor:
    """The executor of that kind; raises FerError where it cannot work here."""
    if kind == "local":
        return LocalExecutor(store, **given)
    from fer_core.jobs.ray import RayExecutor  # an optional package, and a second to import

    return RayExecutor(store, **given)
