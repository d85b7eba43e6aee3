"""Specs and environments of several runs side by side; data frames, no Streamlit here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.formats import NONE, count, duration, megabytes
from dashboard.summaries import RunSummary
from fer_core.config import to_json
from fer_core.evaluation import differences, flat, side_by_side

NAMES = {
    "recipe.name": "recipe",
    "wall_s": "time",
    "peak_memory_bytes": "peak memory",
    "images_per_s": "images per second",
}
HOW: Mapping[str, Callable[[Any], str]] = {
    "wall_s": duration,
    "peak_memory_bytes": megabytes,
    "images_per_s": "{:,.0f}".format,
}  # how a fact of the environment is written


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
    return NAMES.get(key, key.removeprefix("recipe.").replace("_", " "))


def _text(key: str, value: Any) -> str:
    if value is None or value == "":
        return NONE
    if key in HOW and isinstance(value, int | float):
        return HOW[key](value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and abs(value) >= 10_000:
        return count(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
