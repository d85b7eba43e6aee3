"""Stopping a training by a signal: at the end of a batch, so that nothing is half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "a signal (SIGTERM)"}
SIGNALS = tuple(NAMES.values())


@contextmanager
def stop_signals() -> Iterator[Callable[[], str]]:
    """Inside, Ctrl-C and SIGTERM ask a training to stop: give what is yielded to `train_run` as `asked_to_stop`.

    A second Ctrl-C interrupts at once. Signals reach the main thread alone; in others nothing changes.
    """
    heard: list[str] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if heard and number == signal.SIGINT:
            raise KeyboardInterrupt
        heard.append(NAMES[signal.Signals(number)])

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, ask) for number in NAMES}
    try:
        yield lambda: heard[0] if heard else ""
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
