"""What a run was made from, as data frames: an ensemble's members, and every training before it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.formats import duration, plural
from dashboard.labels import board_label, preprocessing_of, run_address
from dashboard.tables import minutes, percentage
from fer_core.runs import Lineage


def members(of_ensemble: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """What an ensemble averages, by falling weight (a share); the temperature divides each network's logits."""
    rows = sorted(of_ensemble, key=lambda member: -member["weight"])
    keys = ("weight", "architecture", "preprocessing", "temperature")
    return pd.DataFrame([{**{key: row[key] for key in keys}, "run": run_address(row["run"])} for row in rows])


def lineage(found: Lineage) -> pd.DataFrame:
    """The runs that one was made from and itself, numbered; accuracies in %."""
    rows = [
        {
            "place": found.places[run.id],
            "architecture": run.spec.architecture if run.spec else "",
            "preprocessing": preprocessing_of(run),
            "origin": found.origin(run),
            "epochs": None if run.is_ensemble else run.epochs,
            "minutes": minutes(run.training_s),
            "valid": percentage(run.valid_accuracy),
            "accuracy": percentage(run.accuracy),
            "board": board_label(run.board),
            "run": run_address(run.id),
        }
        for run in found.runs
    ]
    return pd.DataFrame(rows)


def lineage_title(found: Lineage) -> str:
    """`5 trainings, 5 h 38 min in all`; ensembles are no trainings."""
    trainings = plural(sum(not run.is_ensemble for run in found.runs) + len(found.missing), "training")
    if found.missing:
        return f"{trainings}, of which {len(found.missing)} cannot be found any more"
    return f"{trainings}, {duration(found.seconds)} in all" if found.seconds is not None else trainings
