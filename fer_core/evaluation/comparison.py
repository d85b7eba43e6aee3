"""Whether one run is better than another: paired, on the images that both were tested on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from fer_core.errors import FerError
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.intervals import normal_quantile
from fer_core.runs import Run


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same `n` test images: how many each alone recognised, and what that says.

    `difference` is the first's accuracy less the second's, with its 95 % `interval`; `p_value` is McNemar's exact
    test, `adjusted` the same after Holm's correction for all pairs that were compared together. `agreement` is the
    share of images that both call the same, right or wrong.
    """

    first: str
    second: str
    n: int
    both: int
    only_first: int
    only_second: int
    neither: int
    agreement: float
    p_value: float
    adjusted: float

    @property
    def difference(self) -> float:
        """Accuracy of the first less that of the second, in [-1, 1]."""
        return (self.only_first - self.only_second) / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the difference of paired proportions; source: Bonett and Price (2012)."""
        n = self.n + 2
        first, second = (self.only_first + 1) / n, (self.only_second + 1) / n
        half = normal_quantile(0.975) * math.sqrt((first + second - (first - second) ** 2) / n)
        return max(-1.0, first - second - half), min(1.0, first - second + half)

    @property
    def is_real(self) -> bool:
        """Whether the difference is more than chance, at 5 % over all pairs that were compared together."""
        return self.adjusted < 0.05

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {**asdict(self), "difference": self.difference, "interval": list(self.interval)}


def compare_runs(runs: Sequence[Run]) -> list[Comparison]:
    """Every pair of finished runs, in the order given.

    Raises FerError unless all have one dataset, one protocol and the same emotions and test images.
    """
    if len(runs) < 2 or len({run.id for run in runs}) < len(runs):
        raise FerError("at least two different runs are needed for a comparison")
    predictions = {run.id: run.predictions() for run in runs}
    specs = {run.id: run.spec for run in runs}
    pairs = []
    for first, second in combinations(predictions, 2):
        for what in ("dataset", "protocol", "emotions"):
            ours, theirs = getattr(specs[first], what), getattr(specs[second], what)
            if ours != theirs:
                told = "" if what == "emotions" else f" ({ours} and {theirs})"
                raise FerError(f"runs {first} and {second} differ in {what}{told}; only runs with the same one compare")
        pairs.append(compare_predictions(predictions[first], predictions[second], (first, second)))
    return _adjusted(pairs)


def compare_predictions(
    first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], names: tuple[str, str] = ("first", "second")
) -> Comparison:
    """Two runs' `predictions.npz` (see Run.predictions); raises FerError unless they hold the same test images."""
    rows = [_by_image(each, name) for each, name in zip((first, second), names, strict=True)]
    if rows[0].keys() != rows[1].keys():
        common = len(rows[0].keys() & rows[1].keys())
        raise FerError(
            f"runs {names[0]} and {names[1]} were tested on different images ({common:,} of {len(rows[0]):,} and "
            f"{len(rows[1]):,} in common); only runs of the same dataset and protocol compare"
        )
    order = [np.array([each[image] for image in rows[0]]) for each in rows]
    called = [each["test_probabilities"][place].argmax(1) for each, place in zip((first, second), order, strict=True)]
    return compare_answers(first["test_labels"][order[0]], called[0], called[1], names)


def compare_answers(labels: np.ndarray, first: np.ndarray, second: np.ndarray, names: tuple[str, str]) -> Comparison:
    """The classes (N,) that two runs give the same images of known labels (N,), N > 0; not adjusted yet."""
    right, other = first == labels, second == labels
    only_first, only_second = int((right & ~other).sum()), int((other & ~right).sum())
    p_value = mcnemar(only_first, only_second)
    return Comparison(
        *names,
        n=len(labels),
        both=int((right & other).sum()),
        only_first=only_first,
        only_second=only_second,
        neither=int((~right & ~other).sum()),
        agreement=float((first == second).mean()),
        p_value=p_value,
        adjusted=p_value,
    )


def compare_all(answers: Answers) -> list[Comparison]:
    """Every pair of runs on the images that all were tested on, in their order, corrected for all pairs."""
    called = dict(zip(answers.runs, answers.called, strict=True))
    pairs = [compare_answers(answers.labels, called[a], called[b], (a, b)) for a, b in combinations(called, 2)]
    return _adjusted(pairs)


def _adjusted(pairs: Sequence[Comparison]) -> list[Comparison]:
    values = holm([pair.p_value for pair in pairs])
    return [replace(pair, adjusted=value) for pair, value in zip(pairs, values, strict=True)]


def mcnemar(only_first: int, only_second: int) -> float:
    """Probability of a difference as large as this where both are equally good; exact, two-sided.

    Source: McNemar (1947): among the images that one alone recognised, each of the two is as likely to be it.
    """
    # here, since it takes half a second to load; scipy.stats, which has the test itself, takes longer
    from scipy.special import bdtr

    # symmetric, so that both tails are the smaller one twice
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), only_first + only_second, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted for being tested together, in the same order; source: Holm (1979)."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def _by_image(predictions: Mapping[str, np.ndarray], name: str) -> dict[str, int]:
    rows = {str(image): row for row, image in enumerate(predictions["test_ids"])}
    if len(rows) < len(predictions["test_ids"]):
        raise FerError(f"run {name} tested its images several times over; runs with one prediction an image compare")
    return rows
