"""What the papers published beside what our runs reach: which runs answer a figure, and what is said of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from dashboard.advice import reason
from dashboard.formats import NONE, SPACE, percent, plain, points
from dashboard.labels import board_label, run_address, start_name
from dashboard.summaries import Board, RunSummary, position
from fer_core.config import RunSpec, spec_hash
from fer_core.papers import Published, answers, beyond, match, starts_random, verdict

BEYOND = "beyond"
REACHED, WITHIN, BELOW = "reached", "within the interval", "below"
NOT_RUN, NOT_COMPARABLE = "not run", "not comparable"
VERDICT_BADGES = {
    REACHED: ":green-badge[:material/check: reached]",
    WITHIN: ":blue-badge[within the interval]",
    BELOW: ":orange-badge[below]",
    NOT_COMPARABLE: ":gray-badge[not comparable]",
    NOT_RUN: ":gray-badge[not run]",
}
COLUMNS = (
    *("id", "paper", "system", "published", "ours", "low", "high", "delta", "verdict"),
    *("seeds", "epochs", "dataset", "protocol", "remark"),
)


@dataclass(frozen=True)
class Answer:
    """The runs of one spec, one for each seed, that stand beside a published figure."""

    runs: tuple[RunSummary, ...]

    @property
    def accuracy(self) -> float:
        """Mean test accuracy over the seeds, in [0, 1]: never that of the best."""
        return _mean(run.accuracy for run in self.runs)

    @property
    def valid_accuracy(self) -> float:
        """Mean validation accuracy over the seeds, which a choice between specs looks at."""
        return _mean(run.valid_accuracy for run in self.runs)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean accuracy: the mean of the seeds' intervals.

        Seeds are tested on the same images, or on as many: their number makes no interval narrower.
        """
        ends = [run.interval for run in self.runs if run.interval]
        return _mean(low for low, _ in ends), _mean(high for _, high in ends)

    @property
    def run(self) -> RunSummary:
        """The run to look at: the one nearest to the mean."""
        return min(self.runs, key=lambda run: abs((run.accuracy or 0.0) - self.accuracy))


@dataclass(frozen=True)
class Comparison:
    """A published figure, the runs of ours that answer it, and what is said of both.

    `verdict` is a key of VERDICT_BADGES: "reached" where our mean is the figure or more, "within the interval" where
    it is less and the 95 % interval covers the figure, "below" where the interval ends below it. `remark` is Markdown:
    why there is no verdict, or what the answer is made of.
    """

    figure: Published
    system: str
    answer: Answer | None
    verdict: str
    remark: str
    is_beyond: bool = False


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0


def compare(figures: Sequence[Published], runs: Sequence[RunSummary]) -> list[Comparison]:
    """Every figure with our answer, in the papers' order, and then what goes beyond the papers."""
    return [*(_comparison(figure, runs) for figure in figures), *_beyond(figures, runs)]


def find_answer(figure: Published, runs: Sequence[RunSummary]) -> Answer | None:
    """Our answer to a figure; where runs of several specs are one, that with the best validation accuracy.

    Chosen by the test accuracy, the answer would be better than the system is.
    """
    found = grouped(match(figure, runs))
    return max(found, key=lambda answer: answer.valid_accuracy) if found else None


def grouped(runs: Iterable[RunSummary]) -> list[Answer]:
    """Runs that differ by their seed alone, together; without those whose accuracy and interval cannot be read."""
    groups: dict[str, list[RunSummary]] = {}
    for run in runs:
        if run.spec is not None and run.accuracy is not None and run.interval is not None:
            groups.setdefault(spec_hash(replace(run.spec, seed=0)), []).append(run)
    return [Answer(tuple(sorted(group, key=_seed))) for group in groups.values()]


def _seed(run: RunSummary) -> int:
    return run.spec.seed if run.spec else 0


def _comparison(figure: Published, runs: Sequence[RunSummary]) -> Comparison:
    if not figure.comparable:
        return Comparison(figure, figure.system, None, verdict(figure, None), plain(figure.note))
    answer = find_answer(figure, runs)
    if answer is None:
        return Comparison(figure, figure.system, None, verdict(figure, None), why_not_run(figure, runs))
    remark = "; ".join([_made_of(answer), *_pointer(figure, runs)])
    return Comparison(figure, figure.system, answer, _judged(figure, answer), remark)


def _judged(figure: Published, answer: Answer) -> str:
    said = verdict(figure, answer.interval)
    return WITHIN if said == REACHED and answer.accuracy < figure.value else said


def tally(comparisons: Sequence[Comparison]) -> dict[str, int]:
    """How many comparisons have each verdict, in the order of VERDICT_BADGES; those that none has are 0."""
    found = Counter(each.verdict for each in comparisons)
    return {name: found[name] for name in VERDICT_BADGES}


def tally_text(comparisons: Sequence[Comparison]) -> str:
    """`2 reached, 1 below`: the verdicts that some comparison has."""
    return ", ".join(f"{number} {name}" for name, number in tally(comparisons).items() if number)


def _beyond(figures: Sequence[Published], runs: Sequence[RunSummary]) -> list[Comparison]:
    """Transfers to SFEW that no paper made, each beside the figure of paper 3 that it is to be held against."""
    made = []
    for answer in grouped(runs):
        spec = answer.run.spec
        figure = beyond(spec, figures) if spec else None
        if spec is not None and figure is not None:
            start = start_name(spec.init_from) if spec.init_from else "ImageNet"
            system = f"{spec.architecture} + {spec.preprocessing}, from {start}"
            rank = "best" if spec.init_from else f"best {figure.recipe.replace('_', '-')} network"
            remark = f"beside {figure.system}, paper 3's {rank}; {_made_of(answer)}"
            made.append(Comparison(figure, system, answer, _judged(figure, answer), remark, is_beyond=True))
    return sorted(made, key=lambda each: each.answer.accuracy if each.answer else 0.0, reverse=True)


def _made_of(answer: Answer) -> str:
    run = answer.run
    parts = [f"{run.spec.recipe.name} recipe"] if run.spec else []
    if len(answer.runs) > 1:
        parts.append(f"mean of {len(answer.runs)} seeds")
    if run.folds > 1:
        parts.append(f"{run.folds} folds")
    return plain(", ".join(parts))


def why_not_run(figure: Published, runs: Sequence[RunSummary]) -> str:
    """Why a figure has no answer, as Markdown, and what the same architecture reaches elsewhere."""
    waiting = [run for run in runs if run.state != "finished" and run.spec and answers(run.spec, figure)]
    if waiting:
        return plain(_progress(waiting[0]))
    why = "needs ImageNet weights" if figure.needs_imagenet else "not trained yet under this protocol"
    return "; ".join([why, *_pointer(figure, runs)])


def _progress(run: RunSummary) -> str:
    if run.state == "running":
        return f"is being trained: {position(run)}"
    if run.state in ("queued", "lost"):
        return reason(run)
    return f"its training {'failed' if run.state == 'failed' else 'stopped'}: {reason(run)}"


def elsewhere(figure: Published, runs: Sequence[RunSummary]) -> list[RunSummary]:
    """Finished runs of a figure's system that were not tested or trained as the paper did, the nearest first.

    On the paper's own faces before others, its classes before others, then the best on validation.
    """
    found = [run for run in runs if run.state == "finished" and run.spec and _is_alike(run.spec, figure)]

    def key(run: RunSummary) -> tuple[bool, bool, float]:
        spec = run.spec
        same = (spec.dataset == figure.dataset, set(spec.emotions) == set(figure.emotions)) if spec else (False, False)
        return (not same[0], not same[1], -(run.valid_accuracy or 0.0))

    return sorted(found, key=key)


def _is_alike(spec: RunSpec, figure: Published) -> bool:
    same = (spec.architecture, spec.preprocessing) == (figure.architecture, figure.preprocessing)
    same_recipe = figure.recipe in ("", spec.recipe.name)
    # what builds on another run is another system, with rows of its own
    return (
        same and same_recipe and not spec.builds_on_a_run and spec.dataset != "synthetic" and not answers(spec, figure)
    )


def _pointer(figure: Published, runs: Sequence[RunSummary]) -> list[str]:
    return [
        f"{plain(difference(run, figure))}: [{percent(run.accuracy)}]({run_address(run.id)})"
        for run in elsewhere(figure, runs)[:1]
    ]


def difference(run: RunSummary, figure: Published) -> str:
    """What a run that does not answer a figure did otherwise."""
    spec = run.spec
    if spec is None:
        return run.id
    board, theirs = Board.of(spec), Board(figure.dataset, figure.protocol, figure.left_out)
    if board != theirs:
        same_faces = (board.dataset, board.left_out) == (theirs.dataset, theirs.left_out)
        return f"{spec.protocol} protocol" if same_faces else board_label(board)
    if figure.needs_imagenet and starts_random(spec):
        return "from random weights"
    return f"{spec.recipe.name} recipe"


def comparison_table(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """One row a comparison: accuracies and ends of the interval in percent, `delta` in points."""
    return pd.DataFrame([_row(each) for each in comparisons], columns=list(COLUMNS))


def _row(comparison: Comparison) -> dict[str, object]:
    figure, answer = comparison.figure, comparison.answer
    spec = answer.run.spec if answer else None
    row = {
        "paper": BEYOND if comparison.is_beyond else str(figure.paper),
        "system": comparison.system,
        "published": 100 * figure.value,
        "verdict": comparison.verdict,
        "dataset": spec.dataset if spec else figure.dataset,
        "protocol": protocol_of(comparison),
        "remark": comparison.remark,
    }
    if answer is None:
        return row
    low, high = answer.interval
    return row | {
        "id": answer.run.id,
        "ours": 100 * answer.accuracy,
        "low": 100 * low,
        "high": 100 * high,
        "delta": 100 * (answer.accuracy - figure.value),
        "seeds": len(answer.runs),
        "epochs": answer.run.epochs,
    }


def _ends(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f}{SPACE}–{SPACE}{100 * interval[1]:.1f}"


def protocol_of(comparison: Comparison) -> str:
    """How both were tested, or the run alone where it goes beyond the papers; and the emotions left out."""
    figure, spec = comparison.figure, comparison.answer.run.spec if comparison.answer else None
    protocol = spec.protocol if spec else figure.protocol
    return f"{protocol}, without {', '.join(figure.left_out)}" if figure.left_out else protocol


def shown_table(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """The comparisons as the page shows them: text and Markdown, numbers with fixed decimals."""
    return pd.DataFrame([_shown_row(each) for each in comparisons])


def _shown_row(comparison: Comparison) -> dict[str, str]:
    figure, answer = comparison.figure, comparison.answer
    return {
        "Paper": BEYOND if comparison.is_beyond else str(figure.paper),
        "System": plain(comparison.system),
        "Published (%)": f"{100 * figure.value:.1f}",
        "Ours (%)": f"[{100 * answer.accuracy:.1f}]({run_address(answer.run.id)})" if answer else NONE,
        "95 % interval": _ends(answer.interval) if answer else NONE,
        "Δ (points)": points(answer.accuracy - figure.value) if answer else NONE,
        "Verdict": VERDICT_BADGES[comparison.verdict],
        "Epochs": f"{answer.run.epochs:,}" if answer else NONE,
        "Protocol": plain(protocol_of(comparison)),
        "Remark": comparison.remark,
    }
