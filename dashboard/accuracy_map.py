"""The maps of the Overview and Leaderboard pages: what stands for each pair of architecture and preprocessing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboard.formats import count, interval, percent
from dashboard.labels import network_name
from dashboard.summaries import RunSummary

CELL_COLUMNS = ("architecture", "preprocessing", "accuracy", "shown", "interval", "n", "runs", "mean", "id")


def accuracy_cells(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """Every architecture × preprocessing pair of the runs (best first) with its `chosen` run; empty pairs have no `id`.

    In the order of `map_cells`. `accuracy` is a share in [0, 1]; `shown`, `interval` and `mean` are text.
    """
    pairs: dict[tuple[str, str], list[RunSummary]] = {}
    for run in runs:
        if run.spec and run.accuracy is not None:
            pairs.setdefault((run.spec.architecture, run.spec.preprocessing), []).append(run)
    return map_cells({pair: _cell(of_pair) for pair, of_pair in pairs.items()}, CELL_COLUMNS, "accuracy")


def map_cells(
    cells: Mapping[tuple[str, str], Mapping[str, Any]],
    columns: Sequence[str],
    value: str,
    *,
    is_more_better: bool = True,
) -> pd.DataFrame:
    """A row with `columns` for every architecture × preprocessing pair: its cell, or an empty one of 0 `runs`.

    Architectures are in the order of their best `value`, `raw` is the first preprocessing and longer pipelines come
    later.
    """
    ranked = sorted(cells, key=lambda pair: cells[pair][value], reverse=is_more_better)
    order = dict.fromkeys(architecture for architecture, _ in ranked)
    pipelines = sorted({pipeline for _, pipeline in cells}, key=pipeline_order)
    rows = [
        {"architecture": architecture, "preprocessing": pipeline, "runs": 0, **cells.get((architecture, pipeline), {})}
        for architecture in order
        for pipeline in pipelines
    ]
    return pd.DataFrame(rows, columns=list(columns))


def chosen(runs: Sequence[RunSummary]) -> RunSummary:
    """Of runs, best first, the one that is best on the validation split; the first where none tells.

    The best of several on the test split would be better than what it is expected to reach on other faces.
    """
    return max(runs, key=lambda run: run.valid_accuracy or 0.0)


def pipeline_order(pipeline: str) -> tuple[bool, int, str]:
    """Sorts pipelines: `raw` first, longer ones later."""
    return (pipeline != "raw", pipeline.count("+"), pipeline)


def _cell(runs: Sequence[RunSummary]) -> dict[str, Any]:
    best = chosen(runs)
    mean = float(np.mean([run.accuracy for run in runs if run.accuracy is not None]))
    return {
        "runs": len(runs),
        "accuracy": best.accuracy,
        "shown": percent(best.accuracy),
        "interval": interval(best.interval),
        "n": best.images,
        "mean": percent(mean),
        "id": best.id,
    }


def best_pair(best: RunSummary) -> str:
    """What the map finds, as a sentence; `best` is the `chosen` run."""
    recognises = f"recognises {percent(best.accuracy)} of {count(best.images)} test faces"
    return f"Validation chooses {network_name(best, ' with ')}, which {recognises}"


def run_of_pair(cells: pd.DataFrame, architecture: str, preprocessing: str) -> str | None:
    """The id of the run that stands for a pair in the cells of a map, or None."""
    pair = cells[(cells["architecture"] == architecture) & (cells["preprocessing"] == preprocessing)]
    ids = pair["id"].dropna()
    return None if ids.empty else str(ids.iloc[0])
