"""Specs and environments of several runs side by side; data frames, no Streamlit here."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.formats import fact_name, fact_text
from dashboard.labels import hash_of
from dashboard.summaries import RunSummary
from dashboard.tables import machine
from fer_core.evaluation import asked_for, differences, flat, side_by_side

GROUPS = {"architecture_arguments": "architecture: ", "packages": "", "notes": ""}  # what stands for the outer key


def specs(runs: Sequence[RunSummary], names: Mapping[str, str], *, all_rows: bool) -> pd.DataFrame:
    """One row for each setting that differs (or for every one), one column for each run, by its letter.

    An ensemble was not trained: of it the members stand there, and no recipe.
    """
    return _table(asked_for([run.spec for run in runs], everything=all_rows), runs, names)


def environments(
    runs: Sequence[RunSummary], facts: Sequence[Mapping[str, Any]], names: Mapping[str, str], *, all_rows: bool
) -> pd.DataFrame:
    """As `specs`, of the environments `facts` of the runs, with how long they trained."""
    flattened = [flat(machine(run, each)) for run, each in zip(runs, facts, strict=True)]
    return _table(side_by_side(flattened) if all_rows else differences(flattened), runs, names)


def _table(found: Mapping[str, Sequence[Any]], runs: Sequence[RunSummary], names: Mapping[str, str]) -> pd.DataFrame:
    rows = [[_name(key), *(_text(key, value) for value in values)] for key, values in found.items()]
    return pd.DataFrame(rows, columns=["setting", *(names[run.id][0] for run in runs)])


def _name(key: str) -> str:
    """`recipe.label_smoothing` as `label smoothing`, `architecture_arguments.width` as `architecture: width`."""
    group, _, rest = key.partition(".")
    return GROUPS[group] + fact_name(rest) if rest and group in GROUPS else fact_name(key)


def _text(key: str, value: Any) -> str:
    return fact_text(key, [_item(each) for each in value] if isinstance(value, list | tuple) else value)


def _item(value: Any) -> str:
    """A part of a list; a member of an ensemble as `0.82 × se_resnet · raw · e2d6f39a`: weight, network, hash."""
    if not isinstance(value, Mapping):
        return str(value)
    parts = [value.get("architecture"), value.get("preprocessing"), hash_of(str(value.get("run", "")))]
    name = " · ".join(str(part) for part in parts if part)
    weight = value.get("weight")
    return f"{weight:.2g} × {name}" if isinstance(weight, int | float) else name
