"""Which of a board's runs are shown: what the page's fields, and so its link, ask for."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.labels import setting
from dashboard.summaries import Board, RunSummary, boards
from dashboard.tables import on_board

FILTERS = ("architecture", "preprocessing", "recipe", "device", "tags")
FIRST_BOARD = Board("fer2013", "official")


@dataclass(frozen=True)
class Query:
    """A board, words that all must be found, for each filter the values that pass (none: all), and the archive."""

    board: Board
    words: tuple[str, ...] = ()
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    with_archived: bool = False

    def select(self, runs: Sequence[RunSummary]) -> list[RunSummary]:
        """The finished runs that pass, in the order given."""
        return [run for run in on_board(runs, self.board, with_archived=self.with_archived) if self._passes(run)]

    def _passes(self, run: RunSummary) -> bool:
        for name, allowed in self.filters:
            if allowed and not set(allowed) & set(values(run, name)):
                return False
        text = search_text(run) if self.words else ""
        return all(word in text for word in self.words)


def values(run: RunSummary, name: str) -> tuple[str, ...]:
    """What a run has for a filter: one value, or none, or several tags."""
    if name == "tags":
        return run.notes.tags
    if name == "device":
        return (run.device,) if run.device else ()
    if run.spec is None:
        return ()
    return (run.spec.recipe.name if name == "recipe" else str(getattr(run.spec, name)),)


def choices(runs: Sequence[RunSummary]) -> dict[str, list[str]]:
    """The values of each filter among the runs."""
    return {name: sorted({value for run in runs for value in values(run, name)}) for name in FILTERS}


def search_text(run: RunSummary) -> str:
    """Everything of a run that a search looks into, in small letters."""
    spec = run.spec
    parts = [run.id, *run.notes.tags, run.notes.note, run.device]
    if spec:
        parts += [spec.architecture, spec.preprocessing, spec.recipe.name, setting(spec), f"seed {spec.seed}"]
    return "\n".join(parts).lower()


def ordered_boards(runs: Sequence[RunSummary]) -> list[Board]:
    """Every board with a finished run, FER2013's official split first."""
    return sorted(boards(runs), key=lambda board: board != FIRST_BOARD)
