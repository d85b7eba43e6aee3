"""The trainings of one command: in turn, or some of them beside each other in processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import Annotated

import torch
import typer

from fer_core.cli.output import console, duration
from fer_core.cli.train import STOPPED, forget_stop, train_shown, use_threads
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, load_dataset
from fer_core.errors import FerError
from fer_core.runs import Run, RunError, RunStore
from fer_core.training import TrainingDiverged, TrainingStopped, stop_signals, train_run
from fer_core.training.stopping import SIGNALS

LOOK_EVERY_S = 0.2  # for Ctrl-C
Jobs = Annotated[
    int, typer.Option(min=1, help="Trainings at once, each in a process of its own; they share the device.")
]


def train_all(specs: Sequence[RunSpec], store: RunStore, device: str, *, jobs: int, threads: int | None) -> None:
    """Train specs on one dataset; one that fails or is trained elsewhere does not stop the others.

    With several `jobs`, as many processes load torch and the dataset once each and take the next spec as they
    become free; without `threads` they divide the processor's among them. Ctrl-C stops all.
    """
    dataset = load_dataset(specs[0].dataset)  # here also for processes: what is wrong with it is said once
    jobs = min(jobs, len(specs))
    if jobs == 1:
        use_threads(threads)
        _in_turn(specs, store, dataset, device)
    else:
        _beside(specs, store, device, jobs, threads or max(1, (os.cpu_count() or 1) // jobs))


def _in_turn(specs: Sequence[RunSpec], store: RunStore, dataset: FaceDataset, device: str) -> None:
    for position, spec in enumerate(specs, start=1):
        console.print(f"[bold]{position}/{len(specs)}[/] {spec.run_id}", highlight=False)
        try:
            train_shown(spec, store, dataset, device)
        except (RunError, TrainingDiverged, TrainingStopped) as why:
            console.print(_reason(why), highlight=False, markup=False)
            if isinstance(why, TrainingStopped) and str(why) in SIGNALS:  # whoever pressed Ctrl-C means all of them
                raise typer.Exit(STOPPED) from None


def _beside(specs: Sequence[RunSpec], store: RunStore, device: str, jobs: int, threads: int) -> None:
    context = multiprocessing.get_context("spawn")  # CUDA and OpenMP do not survive a fork
    stop = context.Event()
    common = (specs[0].dataset, store, device, threads, stop)
    with (
        stop_signals() as asked,
        ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=common) as pool,
    ):
        try:
            futures = {pool.submit(_train, spec): (place, spec) for place, spec in enumerate(specs, start=1)}
            for future in _as_they_end(futures, lambda: stop.set() if asked() else None):
                position, spec = futures[future]
                line = f"{position}/{len(specs)} {spec.run_id}: {_line(future.exception(), store.find(spec))}"
                console.print(line, highlight=False, markup=False, soft_wrap=True)
        finally:
            stop.set()  # also after an error here: nobody would tell how the others ended
    if asked():
        raise typer.Exit(STOPPED)


def _as_they_end(futures: Iterable[Future[None]], look: Callable[[], None]) -> Iterator[Future[None]]:
    """The futures in the order in which they end; meanwhile `look` is called again and again."""
    left = set(futures)
    while left:
        ended, left = wait(left, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        yield from ended
        look()


def _line(error: BaseException | None, run: Run | None) -> str:
    """How a training in a process ended; raises what is no matter of that training alone."""
    if error is None and run is not None:
        took = duration(run.environment()["wall_s"])
        return f"test accuracy {run.evaluation()['splits']['test']['accuracy']:.1%} in {took}"
    if isinstance(error, BrokenProcessPool):
        raise FerError(
            "a training's process was killed, perhaps for want of memory; the same command with fewer --jobs goes on"
        ) from None
    if isinstance(error, (RunError, TrainingDiverged, TrainingStopped)):
        return _reason(error)
    assert error is not None
    raise error


def _reason(why: BaseException) -> str:
    if isinstance(why, TrainingStopped):
        return f"stopped by {why}"
    return f"{'failed' if isinstance(why, TrainingDiverged) else 'skipped'}: {why}"


_shared: tuple[FaceDataset, RunStore, str, Event] | None = None  # what a process keeps from one training to the next


def _begin(dataset: str, store: RunStore, device: str, threads: int, stop: Event) -> None:
    """What each process does once, before its first training."""
    global _shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; whoever started this one sets `stop`
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    _shared = load_dataset(dataset), store, device, stop


def _end_with_parent() -> None:
    """A killed command trains nothing more; its checkpoints are whole."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _train(spec: RunSpec) -> None:
    assert _shared is not None
    dataset, store, device, stop = _shared
    if stop.is_set():
        raise TrainingStopped(SIGNALS[0])
    forget_stop(spec, store)
    train_run(spec, store, device=device, dataset=dataset, asked_to_stop=lambda: SIGNALS[0] if stop.is_set() else "")
