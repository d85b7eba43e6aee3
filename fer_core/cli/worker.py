"""`worker`: the training supervisor."""

import signal
import threading
from typing import Annotated

import typer

from fer_core.cli.options import RunsFolder
from fer_core.cli.output import console
from fer_core.jobs.background import ensure_worker, sole_worker
from fer_core.jobs.local import LocalExecutor
from fer_core.jobs.supervisor import Supervisor
from fer_core.runs import RunStore


def worker(
    per_device: Annotated[int, typer.Option(min=1, help="Trainings at once on each device.")] = 1,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when nothing waits or is trained.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="In the background, unless a worker is there.")] = False,
    runs: RunsFolder = None,
) -> None:
    """Train what is queued, one run after the other; Ctrl-C ends the worker, and what it trains goes on by itself."""
    store = RunStore(runs)
    if detach:
        started = ensure_worker(store, per_device=per_device, wait=True)
        console.print(f"{'a worker is at work' if started else 'a worker was at work already'} on {store.root}")
        return
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with sole_worker(store):
        carrier = LocalExecutor(store, per_device=per_device)
        try:
            Supervisor(store, carrier).run(stopped.is_set, until_empty=until_empty)
        finally:
            carrier.close()
