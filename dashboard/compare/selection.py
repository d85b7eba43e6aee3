"""Which runs are compared, how the link names them, and which of them may be paired."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.labels import board_label, hash_of, setting_parts
from dashboard.summaries import RunSummary, find
from fer_core.config import RunSpec

FEWEST, MOST = 2, 8
FIRST_CHOICE = 4  # runs that are compared where nothing is chosen
LETTERS = "ABCDEFGH"
SETTING = ("arguments", "start", "teacher")  # long: a run that has no like needs none of them
PARTS = ("architecture", "preprocessing", "board", "recipe", *SETTING, "seed")  # what a run may be called by
COMPARABLE_STATES = ("finished", "running", "cancelled", "failed", "lost")  # these may have learning curves


@dataclass(frozen=True)
class Selection:
    """Runs to compare, in their order: each has a letter, a short `names` by what differs, and one is the baseline.

    `paired` are those that were tested as the baseline was, and so may be ranked with it; `apart` are the others.
    """

    runs: tuple[RunSummary, ...]
    baseline: RunSummary
    names: dict[str, str]

    @property
    def letters(self) -> dict[str, str]:
        """One letter for each run's id."""
        return {run.id: letter for run, letter in zip(self.runs, LETTERS, strict=False)}

    @property
    def paired(self) -> list[RunSummary]:
        """The finished runs on the baseline's board, it among them; none where it is not finished itself."""
        if self.baseline.state != "finished":
            return []
        return [run for run in self.runs if run.state == "finished" and run.board == self.baseline.board]

    @property
    def apart(self) -> list[RunSummary]:
        """The runs that are not compared with the baseline."""
        together = {run.id for run in self.paired}
        return [run for run in self.runs if run.id not in together]

    def letter(self, run_id: str) -> str:
        """The letter of one run."""
        return self.letters[run_id]


def select(runs: Sequence[RunSummary], baseline: str = "") -> Selection:
    """A selection of one to eight runs; the first is the baseline where `baseline` names none of them."""
    chosen = find(runs, baseline) if baseline else None
    return Selection(tuple(runs), chosen or runs[0], names(runs))


def able(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """The runs that have something to compare."""
    return [run for run in runs if run.spec and run.state in COMPARABLE_STATES]


def linked_runs(text: str, runs: Sequence[RunSummary]) -> tuple[list[RunSummary], list[str]]:
    """The runs that a link's `runs=07bf177a,eafaf933` names, at most eight, and what it names in vain."""
    found: dict[str, RunSummary] = {}
    vain = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        run = find(runs, name)
        if run is None or (run.id not in found and len(found) == MOST):
            vain.append(name)
        else:
            found[run.id] = run
    return list(found.values()), vain


def link_names(runs: Sequence[RunSummary], every: Sequence[RunSummary]) -> str:
    """What a link says of runs: their hashes, or their ids where a hash would name another run as well."""
    counts = Counter(hash_of(run.id) for run in every)
    return ",".join(hash_of(run.id) if counts[hash_of(run.id)] == 1 else run.id for run in runs)


def first_choice(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """What is compared where nothing is chosen: the best run of each architecture on the first board.

    `runs` are best first; where there are too few architectures, their other runs follow. Archived ones are left out
    where others have finished.
    """
    every = [run for run in runs if run.state == "finished" and run.spec]
    finished = [run for run in every if not run.notes.archived] or every
    board = [run for run in finished if run.board == finished[0].board]
    kinds: dict[str, RunSummary] = {}
    for run in board:
        kinds.setdefault(run.spec.architecture if run.spec else "", run)
    best = list(kinds.values())
    rest = [run for run in board if run not in best]
    return [*best, *rest][:FIRST_CHOICE] if len(board) >= FEWEST else list(runs)[:FIRST_CHOICE]


def names(runs: Sequence[RunSummary]) -> dict[str, str]:
    """`A · mini_xception · gcn`: a letter, and what tells the runs apart, for each id.

    A part is named only where those before it leave two runs alike, and of a setting as much as that takes, to those
    two; the test images are named wherever they differ.
    A single run is called by its architecture and preprocessing.
    """
    parts = [_parts(run) for run in runs]
    texts = [""] * len(runs)
    if len(runs) == 1:
        texts = [" · ".join(filter(None, (parts[0]["architecture"], parts[0]["preprocessing"])))]
    for part in PARTS:
        pairs = [(text, each[part]) for text, each in zip(texts, parts, strict=True)]
        differs = len({value for _, value in pairs}) > 1
        if len(set(pairs)) > len(set(texts)) or (part == "board" and differs):
            shared = Counter(texts)
            texts = [
                " · ".join(filter(None, pair)) if part not in SETTING or shared[pair[0]] > 1 else pair[0]
                for pair in pairs
            ]
    counts = Counter(texts)
    return {
        run.id: f"{letter} · {text if text and counts[text] == 1 else f'{text} {hash_of(run.id)}'.strip()}"
        for run, letter, text in zip(runs, LETTERS, texts, strict=False)
    }


def _parts(run: RunSummary) -> dict[str, str]:
    spec: RunSpec | None = run.spec
    if spec is None:
        return dict.fromkeys(PARTS, "")
    pipeline = "" if run.is_ensemble else spec.preprocessing  # its members preprocess for themselves
    names = (spec.architecture, pipeline, board_label(run.board), spec.recipe.name)
    return dict(zip(PARTS, (*names, *setting_parts(spec), f"seed {spec.seed}"), strict=True))


def why_apart(selection: Selection) -> str:
    """Which runs are not ranked with the baseline, why, and what is still compared; "" where there are none."""
    if not selection.apart:
        return ""
    base = selection.letter(selection.baseline.id)
    if selection.baseline.state != "finished":
        return (
            f"{base}, the baseline, is {selection.baseline.state} and has no test predictions: curves and settings are "
            "compared, and figures once another run is the baseline."
        )
    reasons = [_reason(selection, run) for run in selection.apart]
    return (
        f"Not ranked with {base} ({board_label(selection.baseline.board)}): {'; '.join(reasons)}. "
        "Their curves and settings are compared all the same."
    )


def _reason(selection: Selection, run: RunSummary) -> str:
    letter = selection.letter(run.id)
    if run.state != "finished":
        return f"{letter} is {run.state}"
    if run.is_synthetic != selection.baseline.is_synthetic:
        return f"{letter} was tested on {'drawn' if run.is_synthetic else 'real'} faces"
    return f"{letter} was tested on {board_label(run.board)}"
