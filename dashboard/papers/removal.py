"""Bimodal distribution removal (BDR) as data frames: how the training samples' errors lay, and who left.

Source: Slade and Gedeon (1993), as paper 3 applies it; the numbers are those of a run's bdr.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dashboard.formats import count
from fer_core.errors import FerError

PANELS = 6  # histograms that are seen at once


@dataclass(frozen=True)
class Panel:
    """The errors of the training samples at one epoch; `mean` and `threshold` are errors.

    `bins` has `start`, `end` and `count`. The samples above `threshold` leave; it is None where none does.
    """

    title: str
    bins: pd.DataFrame
    mean: float
    threshold: float | None


def fold_names(history: Mapping[str, Any]) -> list[str]:
    """The folds that a run tells of."""
    return [str(fold["fold"]) for fold in history.get("folds", [])]


def fold_of(history: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One fold of bdr.json; raises FerError with the choices where it is not there."""
    for fold in history.get("folds", []):
        if str(fold["fold"]) == name:
            return dict(fold)
    raise FerError(f"bdr.json has no fold {name!r}; choose from {', '.join(fold_names(history)) or 'none'}")


def panels(fold: Mapping[str, Any], number: int = PANELS) -> list[Panel]:
    """Up to `number` histograms: the first one and every round of removal, or epochs from first to last without."""
    rounds, distributions = fold["rounds"], fold["distributions"]
    if not rounds:
        return [_plain(each) for each in _spread(distributions, number)]
    begin = [_plain(each) for each in distributions[:1] if each["epoch"] < rounds[0]["before"]["epoch"]]
    return begin + [_round(each) for each in _spread(rounds, number - len(begin))]


def _spread(items: Sequence[Any], number: int) -> list[Any]:
    """At most `number` of the items, the first and the last among them, as evenly as can be."""
    if len(items) <= number:
        return list(items)
    steps = [round(position * (len(items) - 1) / (number - 1)) for position in range(number)]
    return [items[step] for step in steps]


def _plain(distribution: Mapping[str, Any]) -> Panel:
    title = f"Epoch {count(distribution['epoch'])}: {count(distribution['samples'])} samples"
    return Panel(title, _bins(distribution), distribution["mean"], None)


def _round(record: Mapping[str, Any]) -> Panel:
    before = record["before"]
    leaving = f"{count(record['removed'])} of {count(before['samples'])} leave"
    return Panel(f"Epoch {count(before['epoch'])}: {leaving}", _bins(before), before["mean"], record["threshold"])


def _bins(distribution: Mapping[str, Any]) -> pd.DataFrame:
    counts, ends = distribution["counts"], distribution["edges"]
    edges = np.linspace(ends[0], ends[-1], len(counts) + 1)  # files of before hold all of them
    return pd.DataFrame({"start": edges[:-1], "end": edges[1:], "count": counts})


def variances(folds: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The variance of the errors over the epochs of each named fold: `series`, `epoch`, `step`, `variance`, `samples`.

    A round of removal has two rows of one epoch, before and after; `step` orders the rows of a series.
    """
    rows = [(name, *point) for name, fold in folds.items() for point in _variance_points(fold)]
    table = pd.DataFrame(rows, columns=["series", "epoch", "step", "variance", "samples"])
    return table.sort_values(["series", "epoch", "step"], kind="stable", ignore_index=True)


def _variance_points(fold: Mapping[str, Any]) -> list[tuple[int, int, float, int]]:
    removed_at = {each["before"]["epoch"]: each for each in fold["rounds"]}
    points = [(each["epoch"], 0, each["variance"], each["samples"]) for each in fold["distributions"]]
    points = [point for point in points if point[0] not in removed_at]
    for epoch, each in removed_at.items():
        points += [(epoch, 0, each["before"]["variance"], each["before"]["samples"])]
        points += [(epoch, 1, each["variance"], each["remaining"])]
    return points


def outcome(fold: Mapping[str, Any]) -> str:
    """What removal did in a fold, as a sentence."""
    rounds = fold["rounds"]
    if not rounds:
        return "No sample is removed"
    before, after = rounds[0]["before"]["samples"], rounds[-1]["remaining"]
    times = "1 round" if len(rounds) == 1 else f"{len(rounds)} rounds"
    stop = f"; training ends at epoch {count(fold['stopped_at'])}" if fold.get("stopped_at") else ""
    return f"{times} of removal leave {count(after)} of {count(before)} training samples{stop}"
