"""Learning curves of several runs: which metric, over what, how smooth; data frames, no Streamlit here."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dashboard.formats import percent
from dashboard.tables import curves

LONGEST = 600  # points of a line: more are not seen, and a browser draws them slowly


class Metric(NamedTuple):
    """A column of `tables.curves`: how it is called and written, and whether more of it is better."""

    column: str
    number: str
    is_share: bool
    more_is_better: bool


METRICS = {
    "Validation accuracy": Metric("valid_accuracy", ".2%", True, True),
    "Training accuracy": Metric("train_accuracy", ".2%", True, True),
    "Validation loss": Metric("valid_loss", ".4f", False, False),
    "Training loss": Metric("train_loss", ".4f", False, False),
    "Learning rate": Metric("learning_rate", ".3e", False, False),
}


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """The exponential moving average of values (N,), `weight` in [0, 1) of it what came before; NaN is skipped.

    Without the pull of its start at zero, as TensorBoard does it (Kingma and Ba, Adam, 2015, section 3).
    """
    average, weights, smooth = 0.0, 0.0, np.full(len(values), np.nan)
    for place, value in enumerate(values):
        if not np.isnan(value):
            average = weight * average + (1 - weight) * value
            weights = weight * weights + (1 - weight)
        if weights:
            smooth[place] = average / weights
    return smooth


def run_curve(metrics: Sequence[Mapping[str, Any]], metric: str, weight: float) -> pd.DataFrame:
    """`epoch`, `seconds` since the first one began, `value` and its `smooth`; of folds the mean of each epoch.

    `seconds` are NaN where a run has not written how long its epochs took.
    """
    lines = curves(metrics)
    column = METRICS[metric].column
    by_epoch = lines.astype({column: float, "seconds": float}).groupby("epoch", as_index=False)
    table = by_epoch.agg(seconds=("seconds", "mean"), value=(column, "mean")).sort_values("epoch")
    table = table.assign(seconds=table["seconds"].cumsum(skipna=False)).dropna(subset=["value"])
    return table.assign(smooth=smoothed(table["value"].to_numpy(), weight))


def joined(curves_of: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Curves of several runs, one `run` each, with the raw points of a line thinned to LONGEST."""
    frames = [_thinned(frame).assign(run=name) for name, frame in curves_of.items() if len(frame)]
    columns = ["epoch", "seconds", "value", "smooth", "run"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    places = np.unique(np.linspace(0, len(frame) - 1, min(LONGEST, len(frame))).round().astype(int))
    return frame.iloc[places]


def summary(curves_of: Mapping[str, pd.DataFrame], metric: str) -> pd.DataFrame:
    """One row for each run: its best value and where, its last one, and how long it took."""
    look = METRICS[metric]
    rows = []
    for name, frame in curves_of.items():
        if frame.empty:
            continue
        best = frame.sort_values("value", ascending=not look.more_is_better, kind="stable").iloc[0]
        last = frame.iloc[-1]
        factor = 100 if look.is_share else 1
        rows.append(
            {
                "run": name,
                "best": factor * best["value"],
                "at": int(best["epoch"]),
                "last": factor * last["value"],
                "epochs": int(last["epoch"]),
                "minutes": last["seconds"] / 60,
            }
        )
    return pd.DataFrame(rows, columns=["run", "best", "at", "last", "epochs", "minutes"])


def finding(table: pd.DataFrame, metric: str, *, is_ranked: bool) -> str:
    """Whose curve reaches the best value, as a sentence; runs that were not tested alike are not ranked."""
    look = METRICS[metric]
    if table.empty or look.column == "learning_rate" or not is_ranked:
        return f"{metric} over the training"
    best = table.sort_values("best", ascending=not look.more_is_better, kind="stable").iloc[0]
    value = percent(best["best"] / 100) if look.is_share else f"{best['best']:.3f}"
    return f"{best['run']} reaches the best {metric.lower()}: {value} at epoch {best['at']}"
