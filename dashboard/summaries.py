"""What lists and pickers need of a run, best first, with whether it is alive."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from fer_core.runs import Run, RunIndex, RunStore, with_totals
from fer_core.runs.summary import Board, RunSummary, Stamp, ends, stamp_of, summarize

__all__ = [
    "LIVE_STATES",
    "STATE_ORDER",
    "Board",
    "RunShelf",
    "RunSummary",
    "Stamp",
    "best_first",
    "boards",
    "ends",
    "find",
    "position",
    "stamp_of",
    "summarize",
]

LIVE_STATES = ("queued", "running")
STATE_ORDER = ("finished", "running", "queued", "cancelled", "failed", "lost", "damaged")
VERSIONS = itertools.count(1)
BLINK_S, LONGEST_S = 0.02, 2.0  # a look that costs nothing, and how old what it saw may be


class RunShelf:
    """Summaries of all runs of a folder, the same list until one of them changes.

    `version` is another number after each change, of whatever folder: what is computed from all runs is computed once
    for each.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index: RunIndex | None = None
        self._runs: list[RunSummary] = []
        self._seen: tuple[object, ...] = ()
        self._valid_until = 0.0
        self.version = 0

    def read(self, store: RunStore) -> list[RunSummary]:
        """Every run of `store` as it is now, best first (see `best_first`)."""
        self.look_again()
        return self.recent(store)

    def recent(self, store: RunStore) -> list[RunSummary]:
        """As `read`, or what the last look saw: one at thousands of folders is good for four times as long as it took.

        It is never older than two seconds, and a look that took no longer than a blink is good for nobody else.
        """
        with self._lock:
            started = time.monotonic()
            if started >= self._valid_until:
                self._look(store)
                spent = time.monotonic() - started
                self._valid_until = time.monotonic() + (min(LONGEST_S, 4 * spent) if spent > BLINK_S else 0)
            return self._runs

    def look_again(self) -> None:
        """Have the next reader look at the folders, whenever the last one did."""
        self._valid_until = 0.0

    def is_unread(self, store: RunStore) -> bool:
        """Whether the next look reads many runs that nobody has read before."""
        return self._index is None and RunIndex(store).is_unread()

    def _look(self, store: RunStore) -> None:
        if self._index is None or self._index.store.root != store.root:
            self._index = RunIndex(store)
        runs = self._index.read()
        held = frozenset(run.id for run in runs if run.state == "running" and Run(run.path).is_locked())
        seen = (store.root, self._index.generation, held)
        if seen != self._seen:
            self._seen = seen
            self._runs = best_first(with_totals([_with_live_state(run, run.id in held) for run in runs]))
            self.version = next(VERSIONS)


def _with_live_state(summary: RunSummary, is_held: bool) -> RunSummary:
    """A run that says it is running while nobody holds its lock is lost (see `Run.state`)."""
    if summary.state != "running" or is_held:
        return summary
    reason = f"nothing trains it any more; it stopped after {position(summary)}"
    return replace(summary, state="lost", problem=reason)


def position(run: RunSummary, ahead: int = 0) -> str:
    """`epoch 12 of 50`, or `epoch 12 of 50 in fold 2 of 5`: the last epoch done, or one `ahead` of it."""
    total, each = run.status.epochs, run.spec.recipe.epochs if run.spec else 0
    epoch = min(run.status.epoch + ahead, total)
    if not each or total <= each:
        return f"epoch {epoch} of {total}"
    # the status counts over all folds, each of which may end early but begins at a multiple
    fold = max(0, epoch - 1) // each
    return f"epoch {epoch - fold * each} of {each} in fold {fold + 1} of {total // each}"


def boards(runs: Iterable[RunSummary]) -> list[Board]:
    """Those of the finished runs: real faces before drawn ones, official splits before others, the most used first."""
    counts = Counter(board for run in runs if run.state == "finished" and (board := run.board))
    return sorted(counts, key=lambda board: (*_rank(board), -counts[board], board))


def _rank(board: Board) -> tuple[bool, bool]:
    return (board.dataset == "synthetic", board.protocol != "official")


def best_first(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """Finished runs by board and falling accuracy, then the others by state."""
    ranks = {board: rank for rank, board in enumerate(boards(runs))}

    def key(run: RunSummary) -> tuple[int, int, float, str]:
        board = run.board
        rank = ranks.get(board, len(ranks)) if board else len(ranks)
        return (STATE_ORDER.index(run.state), rank, -(run.accuracy or 0.0), run.id)

    return sorted(runs, key=key)


def find(runs: Sequence[RunSummary], name: str) -> RunSummary | None:
    """The run called `name`, or the only one whose name starts with it or whose hash it is."""
    exact = [run for run in runs if run.id == name]
    matches = exact or [run for run in runs if run.id.startswith(name) or run.id.endswith(f"__{name}")]
    return matches[0] if len(matches) == 1 else None
