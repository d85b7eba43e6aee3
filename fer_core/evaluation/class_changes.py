"""What a run gains and loses against another in each class."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fer_core.evaluation.answers import Answers
from fer_core.evaluation.comparison import compare_answers, holm
from fer_core.evaluation.metrics import classification_metrics

ClassMetric = Literal["recall", "precision", "f1"]


@dataclass(frozen=True)
class ClassChange:
    """A class's metric in a run, in [0, 1], and in the baseline; on the `support` images that both were tested on.

    Of recall, a paired proportion, also the 95 % `interval` of the difference, and McNemar's exact `p_value`,
    `adjusted` after Holm for all classes and runs that were compared together.
    """

    run: str
    emotion: str
    value: float
    baseline: float
    support: int
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    adjusted: float | None = None

    @property
    def difference(self) -> float:
        """The run's value less the baseline's."""
        return self.value - self.baseline

    @property
    def is_real(self) -> bool:
        """Whether the difference is more than chance, at 5 % over all that were compared together."""
        return self.adjusted is not None and self.adjusted < 0.05


def class_changes(answers: Answers, baseline: str, metric: ClassMetric) -> list[ClassChange]:
    """Every run but the baseline, every class, in their order."""
    values = {run: _values(answers, run, metric) for run in answers.runs}
    support = np.bincount(answers.labels, minlength=len(answers.emotions))
    found = [
        ClassChange(run, emotion, values[run][place], values[baseline][place], int(support[place]))
        for run in answers.runs
        if run != baseline
        for place, emotion in enumerate(answers.emotions)
    ]
    return _tested(answers, baseline, found) if metric == "recall" else found


def _values(answers: Answers, run: str, metric: ClassMetric) -> list[float]:
    probabilities = answers.probabilities[answers.place(run)]
    per_class = classification_metrics(answers.labels, probabilities, answers.emotions)["per_class"]
    return [each[metric] for each in per_class]


def _tested(answers: Answers, baseline: str, changes: Sequence[ClassChange]) -> list[ClassChange]:
    called, base, tested = answers.called, answers.place(baseline), []
    for change in changes:
        mine = answers.labels == answers.emotions.index(change.emotion)
        if not change.support:
            tested.append(change)
            continue
        one, other = called[answers.place(change.run)][mine], called[base][mine]
        pair = compare_answers(answers.labels[mine], one, other, (change.run, baseline))
        tested.append(replace(change, interval=pair.interval, p_value=pair.p_value))
    known = [change for change in tested if change.p_value is not None]
    adjusted = iter(holm([change.p_value for change in known if change.p_value is not None]))
    return [change if change.p_value is None else replace(change, adjusted=next(adjusted)) for change in tested]
