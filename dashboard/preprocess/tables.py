"""What preprocessing does to a prediction, as data frames and in a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard.formats import fact_name, percent
from dashboard.summaries import RunSummary
from fer_core.evaluation import asked_for


@dataclass(frozen=True)
class Reading:
    """What a network says of the face: the technique it is shown through, its name, and each emotion's probability."""

    technique: str
    network: str
    probabilities: Mapping[str, float]

    @property
    def emotion(self) -> str:
        """The likeliest emotion."""
        return max(self.probabilities, key=lambda each: self.probabilities[each])


def counterparts(run: RunSummary, runs: Sequence[RunSummary], techniques: Sequence[str]) -> dict[str, RunSummary]:
    """For each technique the best run of the same network, recipe, start and test images as `run`; some have none.

    `runs` are best first; the run itself stands for its own technique. See `trained_otherwise`.
    """
    found: dict[str, RunSummary] = {}
    for each in [run, *runs]:
        if each.spec and run.spec and each.can_predict and each.spec.preprocessing in techniques and _same(each, run):
            found.setdefault(each.spec.preprocessing, each)
    return found


def trained_otherwise(run: RunSummary, found: Mapping[str, RunSummary]) -> dict[str, list[str]]:
    """Which settings, in words, those of the `counterparts` have that differ from `run`'s; for each technique."""
    differing = {name: asked_for([run.spec, each.spec]) for name, each in found.items()}
    keys = {name: [key for key in each if key not in ("preprocessing", "seed")] for name, each in differing.items()}
    return {name: [fact_name(key) for key in each] for name, each in keys.items() if each}


def _same(first: RunSummary, second: RunSummary) -> bool:
    a, b = first.spec, second.spec
    if a is None or b is None or first.board != second.board:
        return False
    return (a.architecture, a.architecture_arguments, a.recipe.name, a.init_from) == (
        b.architecture,
        b.architecture_arguments,
        b.recipe.name,
        b.init_from,
    )


def long_probabilities(readings: Sequence[Reading]) -> pd.DataFrame:
    """One row for each technique and emotion, `probability` in [0, 1]."""
    rows = [
        (reading.technique, emotion, share, reading.network)
        for reading in readings
        for emotion, share in reading.probabilities.items()
    ]
    return pd.DataFrame(rows, columns=["technique", "emotion", "probability", "network"])


def probabilities(readings: Sequence[Reading]) -> pd.DataFrame:
    """One row for each technique: the likeliest emotion, all probabilities in percent, and the network."""
    rows = [
        {
            "technique": reading.technique,
            "emotion": reading.emotion,
            **{emotion: 100 * share for emotion, share in reading.probabilities.items()},
            "network": reading.network,
        }
        for reading in readings
    ]
    return pd.DataFrame(rows)


def finding(readings: Sequence[Reading], label: str) -> str:
    """What the techniques do to the prediction, as a sentence; `label` is the face's own emotion, or ""."""
    if len(readings) == 1:
        only = readings[0]
        return f"{only.technique}: {only.emotion}, {percent(only.probabilities[only.emotion])}"
    watched = label if label in readings[0].probabilities else readings[0].emotion
    ranked = sorted(readings, key=lambda reading: reading.probabilities.get(watched, 0.0))
    low, high = ranked[0], ranked[-1]
    ends = (
        f"from {percent(low.probabilities.get(watched))} with {low.technique} "
        f"to {percent(high.probabilities.get(watched))} with {high.technique}"
    )
    others = [reading.technique for reading in readings if reading.emotion != watched]
    said = f"{len(readings) - len(others)} of {len(readings)} say {watched}"
    return f"{watched.capitalize()} goes {ends}; {said}"
