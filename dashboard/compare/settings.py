"""Specs and environments of several runs side by side; data frames, no Streamlit here."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.formats import fact_name, fact_text
from dashboard.labels import hash_of
from dashboard.summaries import RunSummary
from fer_core.config import to_json
from fer_core.evaluation import differences, flat, side_by_side

GROUPS = {"architecture_arguments": "architecture: ", "packages": "", "notes": ""}  # what stands for the outer key


def specs(runs: Sequence[RunSummary], names: Mapping[str, str], *, all_rows: bool) -> pd.DataFrame:
    """One row for each setting that differs (or for every one), one column for each run, by its letter."""
    return _table([flat(to_json(run.spec)) if run.spec else {} for run in runs], runs, names, all_rows)


def environments(
    runs: Sequence[RunSummary], facts: Sequence[Mapping[str, Any]], names: Mapping[str, str], *, all_rows: bool
) -> pd.DataFrame:
    """As `specs`, of the environments `facts` of the runs, with how long they trained."""
    return _table([flat(each) for each in facts], runs, names, all_rows)


def _table(
    objects: Sequence[Mapping[str, Any]], runs: Sequence[RunSummary], names: Mapping[str, str], all_rows: bool
) -> pd.DataFrame:
    found = side_by_side(objects) if all_rows else differences(objects)
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
