"""The map of the Overview page: one run for each pair of architecture and preprocessing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboard.formats import count, interval, percent
from dashboard.summaries import RunSummary

CELL_COLUMNS = ("architecture", "preprocessing", "accuracy", "shown", "interval", "n", "runs", "mean", "id")


def accuracy_cells(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """Every architecture × preprocessing pair of the runs (best first) with its `chosen` run; empty pairs have no `id`.

    Architectures are in the order of their best accuracy, `raw` is the first preprocessing and longer
    pipelines come later. `accuracy` is a share in [0, 1]; `shown`, `interval` and `mean` are text.
    """
    pairs: dict[tuple[str, str], list[RunSummary]] = {}
    for run in runs:
        if run.spec and run.accuracy is not None:
            pairs.setdefault((run.spec.architecture, run.spec.preprocessing), []).append(run)
    pipelines = sorted({pipeline for _, pipeline in pairs}, key=pipeline_order)
    rows = {
        architecture: [_cell(architecture, pipeline, pairs.get((architecture, pipeline), [])) for pipeline in pipelines]
        for architecture, _ in pairs
    }
    order = sorted(rows.values(), key=lambda cells: -max(cell.get("accuracy", 0.0) for cell in cells))
    return pd.DataFrame([cell for cells in order for cell in cells], columns=list(CELL_COLUMNS))


def chosen(runs: Sequence[RunSummary]) -> RunSummary:
    """Of runs, best first, the one that is best on the validation split; the first where none tells.

    The best of several on the test split would be better than what it is expected to reach on other faces.
    """
    return max(runs, key=lambda run: run.valid_accuracy or 0.0)


def pipeline_order(pipeline: str) -> tuple[bool, int, str]:
    """Sorts pipelines: `raw` first, longer ones later."""
    return (pipeline != "raw", pipeline.count("+"), pipeline)


def _cell(architecture: str, pipeline: str, runs: Sequence[RunSummary]) -> dict[str, Any]:
    cell: dict[str, Any] = {"architecture": architecture, "preprocessing": pipeline, "runs": len(runs)}
    if not runs:
        return cell
    best = chosen(runs)
    mean = float(np.mean([run.accuracy for run in runs if run.accuracy is not None]))
    return cell | {
        "accuracy": best.accuracy,
        "shown": percent(best.accuracy),
        "interval": interval(best.interval),
        "n": best.images,
        "mean": percent(mean),
        "id": best.id,
    }


def best_pair(best: RunSummary) -> str:
    """What the map finds, as a sentence; `best` is the `chosen` run."""
    names = f"{best.spec.architecture} with {best.spec.preprocessing}" if best.spec else best.id
    return f"Validation chooses {names}, which recognises {percent(best.accuracy)} of {count(best.images)} test faces"


def run_of_pair(cells: pd.DataFrame, architecture: str, preprocessing: str) -> str | None:
    """The id of the run that stands for a pair in the cells of a map, or None."""
    pair = cells[(cells["architecture"] == architecture) & (cells["preprocessing"] == preprocessing)]
    ids = pair["id"].dropna()
    return None if ids.empty else str(ids.iloc[0])
