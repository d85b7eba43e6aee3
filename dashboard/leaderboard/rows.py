"""Ranked runs as rows: one for each run, or one for each variant with the mean and deviation over its seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from dashboard.accuracy_map import chosen, map_cells
from dashboard.formats import NONE, SPACE, interval, plural
from dashboard.labels import network_name, preprocessing_of, run_address, setting
from dashboard.leaderboard.metrics import METRICS, Metric
from dashboard.summaries import RunSummary
from fer_core.evaluation.baseline import Against

FACTS = ("recipe", "setting", "seed", "seeds", "epochs", "device", "interval", "tags", "note")
REAL, NOT_TOLD, NOT_TESTED, IS_BASELINE = ("better", "worse"), "not told apart", "not tested", "baseline"
CELLS = ("architecture", "preprocessing", "value", "shown", "exact", "seeds", "variants", "runs", "id")
POINTS = ("id", "name", "architecture", "preprocessing", "quality", "effort", "quality_text", "effort_text", "front")


@dataclass(frozen=True)
class Group:
    """The runs of one variant, which differ in their seed alone; or a single run."""

    runs: tuple[RunSummary, ...]

    def values(self, metric: Metric) -> list[float]:
        """The figures of those runs that have one."""
        return [value for run in self.runs if (value := metric.value(run)) is not None]

    def mean(self, metric: Metric) -> float | None:
        """Mean over the seeds; None where no run has the figure."""
        values = self.values(metric)
        return fmean(values) if values else None

    def deviation(self, metric: Metric) -> float | None:
        """Deviation between the seeds; None where there is one."""
        values = self.values(metric)
        return stdev(values) if len(values) > 1 else None

    def nearest(self, metric: Metric) -> RunSummary:
        """The run to look at: the one nearest to the mean."""
        mean = self.mean(metric) or 0.0
        return min(self.runs, key=lambda run: abs((metric.value(run) or 0.0) - mean))

    def text(self, metric: Metric) -> str:
        """`65.9`, or `65.9 ± 0.3` where there are several seeds."""
        deviation = self.deviation(metric)
        spread = "" if deviation is None else f"{SPACE}±{SPACE}{metric.text(deviation)}"
        return metric.text(self.mean(metric)) + spread


def variants(runs: Sequence[RunSummary]) -> list[Group]:
    """Runs by variant, in the order in which each first appears."""
    found: dict[str, list[RunSummary]] = {}
    for run in runs:
        found.setdefault(run.variant, []).append(run)
    return [Group(tuple(each)) for each in found.values()]


def singles(runs: Sequence[RunSummary]) -> list[Group]:
    """Each run by itself."""
    return [Group((run,)) for run in runs]


def in_order(groups: Sequence[Group], metric: Metric, *, is_best_first: bool = True) -> list[Group]:
    """Groups by the mean of a metric, the best first; those without it are at the end, whatever the direction."""
    descending = metric.is_more_better == is_best_first

    def key(group: Group) -> tuple[bool, float]:
        mean = group.mean(metric)
        return (mean is None, 0.0 if mean is None else -mean if descending else mean)

    return sorted(groups, key=key)


def table(
    groups: Sequence[Group],
    keys: Sequence[str],
    first: str,
    baseline: RunSummary | None = None,
    marks: Mapping[str, Against] | None = None,
) -> pd.DataFrame:
    """One row for each group: a link, its names, each metric of `keys` and, against a baseline, its difference.

    `first` is the metric that decides which of a group's runs the link leads to. Numbers are as `Metric.value` gives
    them; `<key>_difference` is that of the group's mean and the baseline's figure.
    """
    rows = [_row(group, keys, METRICS[first], baseline, marks) for group in groups]
    names = ["id", "run", "architecture", "preprocessing", *_columns(keys, baseline, marks), *FACTS]
    return pd.DataFrame(rows, columns=names)


def _columns(keys: Sequence[str], baseline: RunSummary | None, marks: Mapping[str, Against] | None) -> list[str]:
    found = []
    for key in keys:
        found += [key, f"{key}_deviation"]
        if baseline is not None:
            found.append(f"{key}_difference")
        if key == "accuracy" and marks is not None:
            found += ["verdict", "p"]
    return found


def _row(
    group: Group,
    keys: Sequence[str],
    first: Metric,
    baseline: RunSummary | None,
    marks: Mapping[str, Against] | None,
) -> dict[str, Any]:
    run = group.nearest(first)
    row = _facts(run, group) | {"id": run.id, "run": run_address(run.id)}
    for key in keys:
        metric = METRICS[key]
        mean, reference = group.mean(metric), metric.value(baseline) if baseline else None
        row |= {key: mean, f"{key}_deviation": group.deviation(metric)}
        is_itself = baseline is not None and group.runs == (baseline,)
        row[f"{key}_difference"] = None if mean is None or reference is None or is_itself else mean - reference
    if marks is not None and baseline is not None:
        mark = marks.get(run.id)
        row |= {"verdict": verdict(run, baseline, mark), "p": mark.adjusted if mark else None}
    return row


def _facts(run: RunSummary, group: Group) -> dict[str, Any]:
    spec = run.spec
    return {
        "architecture": spec.architecture if spec else "",
        "preprocessing": preprocessing_of(run),
        "recipe": spec.recipe.name if spec else "",
        "setting": setting(spec) if spec else "",
        "seed": spec.seed if spec and len(group.runs) == 1 and not run.is_ensemble else None,
        "seeds": len(group.runs),
        "epochs": None if run.is_ensemble else round(fmean(each.epochs for each in group.runs)),
        "device": run.device,
        "interval": interval(run.interval) if len(group.runs) == 1 else NONE,
        "tags": list(run.notes.tags),
        "note": run.notes.note,
    }


def verdict(run: RunSummary, baseline: RunSummary, mark: Against | None) -> str:
    """What the paired test says of a run against the baseline, in a word."""
    if run.id == baseline.id:
        return IS_BASELINE
    if mark is None:
        return NOT_TESTED
    return REAL[mark.difference < 0] if mark.is_real else NOT_TOLD


def cells(runs: Sequence[RunSummary], metric: Metric) -> pd.DataFrame:
    """Every architecture × preprocessing pair with the mean of the variant that validation chooses, as `map_cells`.

    A pair's variant is the one with the `chosen` run, among those that have the figure; empty pairs have no `id`.
    `shown` fits into a cell, `exact` has the deviation over the seeds.
    """
    pairs: dict[tuple[str, str], list[Group]] = {}
    for group in variants(runs):
        spec = group.runs[0].spec
        if spec and group.values(metric):
            pairs.setdefault((spec.architecture, spec.preprocessing), []).append(group)
    filled = {pair: _cell(groups, metric) for pair, groups in pairs.items()}
    return map_cells(filled, CELLS, "value", is_more_better=metric.is_more_better)


def _cell(groups: Sequence[Group], metric: Metric) -> dict[str, Any]:
    name = chosen([run for group in groups for run in group.runs]).variant
    best = next(group for group in groups if group.runs[0].variant == name)
    return {
        "value": best.mean(metric),
        "shown": metric.short(best.mean(metric)),
        "exact": f"{best.text(metric)} {metric.unit}".strip(),
        "seeds": len(best.runs),
        "variants": len(groups),
        "runs": sum(len(group.runs) for group in groups),
        "id": best.nearest(metric).id,
    }


def points(groups: Sequence[Group], quality: Metric, effort: Metric) -> pd.DataFrame:
    """Each group that has both figures, and whether it is on the Pareto `front`; see `front`."""
    rows = []
    for group in groups:
        run, good, spent = group.nearest(quality), group.mean(quality), group.mean(effort)
        if run.spec is None or good is None or spent is None or spent <= 0:
            continue
        names = {"architecture": run.spec.architecture, "preprocessing": run.spec.preprocessing}
        texts = {
            "quality_text": f"{group.text(quality)} {quality.unit}".strip(),
            "effort_text": f"{effort.text(spent)} {effort.unit}".strip(),
        }
        seeds = f", {plural(len(group.runs), 'seed')}" if len(group.runs) > 1 else ""
        name = f"{network_name(run)}{seeds}"
        rows.append({"id": run.id, "name": name, "quality": good, "effort": spent} | names | texts)
    found = pd.DataFrame(rows, columns=list(POINTS[:-1]))
    return found.assign(front=front(found["effort"], found["quality"] * (1 if quality.is_more_better else -1)))


def front(efforts: "pd.Series[float]", qualities: "pd.Series[float]") -> list[bool]:
    """Which points no other beats: none is as good with less effort, or better with as little."""
    order = sorted(range(len(efforts)), key=lambda row: (efforts.iloc[row], -qualities.iloc[row]))
    is_front, best = [False] * len(efforts), float("-inf")
    for row in order:
        if qualities.iloc[row] > best:
            is_front[row], best = True, qualities.iloc[row]
    return is_front
