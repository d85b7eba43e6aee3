"""The trainings of one command: in turn, or some of them beside each other in processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Annotated, Protocol

import torch
import typer

from fer_core.cli.output import duration, say
from fer_core.cli.train import STOPPED, forget_stop, train_shown, use_threads
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, load_dataset
from fer_core.devices import resolve_device
from fer_core.errors import FerError
from fer_core.runs import RunError, RunStore
from fer_core.training import TrainingStopped, check_spec, stop_signals, train_run
from fer_core.training.stopping import SIGNALS

LOOK_EVERY_S = 0.2  # for Ctrl-C
CTRL_C, SIGTERM = SIGNALS
REASONS = ("", CTRL_C, SIGTERM, "an error of the command that began it")
Jobs = Annotated[
    int, typer.Option(min=1, help="Trainings at once, each in a process of its own; they share the device.")
]


class _Reason(Protocol):
    """A number that the processes share: why all must stop, as its place in REASONS; 0 while they need not."""

    value: int


def train_all(specs: Sequence[RunSpec], store: RunStore, device: str, *, jobs: int, threads: int | None) -> bool:
    """Train specs on one dataset; says whether none failed. One that does, or is trained elsewhere, stops no other.

    With several `jobs`, as many processes load torch and the dataset once each and take the next spec as they
    become free; without `threads` they divide the processor's among them. Ctrl-C and SIGTERM stop all.
    Raises FerError before anything is trained where one of the specs is impossible, or the device is not here.
    """
    resolve_device(device)
    dataset = load_dataset(specs[0].dataset)
    left = [spec for spec in specs if not _is_finished(spec, store)]
    for spec in left:
        check_spec(spec, store, dataset)
    jobs = min(jobs, len(left))
    if jobs > 1:
        return _side_by_side(left, store, device, jobs, threads or max(1, torch.get_num_threads() // jobs))
    use_threads(threads)
    return _in_turn(specs, store, dataset, device)


def _is_finished(spec: RunSpec, store: RunStore) -> bool:
    found = store.find(spec)
    return found is not None and found.state == "finished"


def _in_turn(specs: Sequence[RunSpec], store: RunStore, dataset: FaceDataset, device: str) -> bool:
    failed = False
    for position, spec in enumerate(specs, start=1):
        say(f"{position}/{len(specs)} {spec.run_id}")
        try:
            train_shown(spec, store, dataset, device)
        except (Exception, TrainingStopped) as why:
            say(_reason(why))
            failed |= _is_failure(why)
            if str(why) in SIGNALS:  # whoever pressed Ctrl-C means all of them
                raise typer.Exit(STOPPED) from None
    return not failed


def _side_by_side(specs: Sequence[RunSpec], store: RunStore, device: str, jobs: int, threads: int) -> bool:
    failed = broken = False
    try:
        with stop_signals() as asked:  # before anything else: Python loses an interrupt that comes within an import
            say(
                f"{len(specs)} to train, {jobs} at once, {threads} thread{'s' if threads > 1 else ''} each; "
                "`runs list` and the dashboard show how far they are",
            )
            context = multiprocessing.get_context("spawn")  # CUDA and OpenMP do not survive a fork
            stop: _Reason = context.Value("i", 0, lock=False)

            def look() -> None:
                if asked():
                    stop.value = REASONS.index(asked())

            common = (specs[0].dataset, store, device, threads, stop)
            with ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=common) as pool:
                try:
                    with _unheard_by_children():
                        futures = {pool.submit(_train, spec): (place, spec) for place, spec in enumerate(specs, 1)}
                    for future in _as_they_end(futures, look):
                        (position, spec), error = futures[future], future.exception()
                        broken = isinstance(error, BrokenProcessPool)
                        if broken:
                            break
                        failed |= error is not None and _is_failure(error)
                        outcome = _accuracy(spec, store) if error is None else _reason(error)
                        say(f"{position}/{len(specs)} {spec.run_id}: {outcome}")
                    look()
                except Exception:
                    stop.value = len(REASONS) - 1
                    raise
    except KeyboardInterrupt:  # the second Ctrl-C: nobody waits for the processes, which end with this one
        os._exit(STOPPED)
    if stop.value:
        raise typer.Exit(STOPPED)
    if broken:
        raise FerError(
            "a training's process was killed, perhaps for want of memory; the same command with fewer --jobs goes on"
        )
    return not failed


@contextmanager
def _unheard_by_children() -> Iterator[None]:
    """Inside, processes begin with SIGINT blocked: Ctrl-C reaches the whole group, and they still load torch."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # its start, which comes with the first process, would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _as_they_end(futures: Iterable[Future[None]], look: Callable[[], None]) -> Iterator[Future[None]]:
    """The futures in the order in which they end; meanwhile `look` is called again and again."""
    left = set(futures)
    while left:
        ended, left = wait(left, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        look()
        yield from ended


def _accuracy(spec: RunSpec, store: RunStore) -> str:
    """What a training that ended well has reached, and in which time."""
    try:
        run = store.get(spec.run_id)
        return f"test accuracy {run.evaluation()['splits']['test']['accuracy']:.1%} in " + duration(
            run.environment().get("wall_s")
        )
    except RunError as error:  # somebody may have moved it meanwhile
        return f"finished, but {error}"


def _reason(why: BaseException) -> str:
    """How a training ended that reached no result."""
    if isinstance(why, TrainingStopped):
        return f"stopped by {why}"
    if isinstance(why, RunError):
        return f"skipped: {why}"
    return f"failed: {why}" if isinstance(why, FerError) else f"failed: {type(why).__name__}: {why}"


def _is_failure(why: BaseException) -> bool:
    return not isinstance(why, (RunError, TrainingStopped))


_shared: tuple[FaceDataset, RunStore, str, _Reason] | None = None  # what a process keeps between its trainings


def _begin(dataset: str, store: RunStore, device: str, threads: int, stop: _Reason) -> None:
    """What each process does once, before its first training."""
    global _shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever began this process says in `stop` that it must end
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
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
    """Train a spec in a process that has begun."""
    assert _shared is not None
    dataset, store, device, stop = _shared
    with stop_signals() as heard:

        def asked() -> str:
            return heard() or REASONS[stop.value]

        try:
            if asked():
                raise TrainingStopped(asked())
            forget_stop(spec, store)
            train_run(spec, store, device=device, dataset=dataset, asked_to_stop=asked)
        finally:
            if heard() == SIGTERM:  # its checkpoint is written; whoever sent it waits for this process to end
                os._exit(STOPPED)
            if heard() == CTRL_C:
                stop.value = REASONS.index(CTRL_C)
