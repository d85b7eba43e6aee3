"""Stored robustness of several runs as data frames and sentences; shares are percentages here, as tables show them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.compare.tables import letter
from dashboard.formats import count, percent, plural, points
from dashboard.robustness.tables import KINDS, score, steps, subject

Reports = Mapping[str, Mapping[str, Any]]  # run -> robustness.json, or tta.json
MEAN = "all corruptions"
OVERALL = ("run", "clean", "corrupted", "lost", "relative", "images", "of")
LINE_COLUMNS = ("run", "corruption", "severity", "accuracy", "kept", "low", "high", "n")


def lines(reports: Reports) -> pd.DataFrame:
    """One row for each run, corruption and severity; severity 0 is the same images untouched.

    `kept` is the accuracy as a percentage of the untouched one. Corruption `MEAN` is the mean over all of a severity;
    it has no interval: its parts are the same images.
    """
    rows = [row for name, report in reports.items() for row in _lines(name, report)]
    return pd.DataFrame(rows, columns=list(LINE_COLUMNS))


def _lines(name: str, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    clean, table = score(report["clean"]), steps(report)
    levels = table.groupby("severity", as_index=False)["accuracy"].mean().assign(n=clean["n"], corruption=MEAN)
    rows = [{"corruption": MEAN, "severity": 0, "accuracy": clean["accuracy"], "n": clean["n"]}, *_records(levels)]
    for corruption, part in table.groupby("corruption", sort=False):
        rows += [{"corruption": corruption, "severity": 0, **clean}, *_records(part)]
    reference = clean["accuracy"] or float("nan")
    return [{"run": name, "kept": 100 * row["accuracy"] / reference, **row} for row in rows]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    names = [name for name in LINE_COLUMNS if name in table]
    return [{str(key): value for key, value in row.items()} for row in table[names].to_dict("records")]


def ranking(reports: Reports) -> pd.DataFrame:
    """One row for each run, the most accurate on worse pictures first, in percent, with what it loses.

    `lost` is in points, `relative` is that loss as a percentage of the untouched accuracy (both negative where it
    loses); a column for each corruption has the mean over its severities, and `images` how many were measured.
    """
    rows: list[dict[str, Any]] = []
    for name, report in reports.items():
        clean, worse = 100 * report["clean"]["accuracy"], 100 * report["mean_corruption_accuracy"]
        means = steps(report).groupby("corruption", sort=False)["accuracy"].mean()
        figures = {"run": name, "clean": clean, "corrupted": worse, "lost": worse - clean}
        relative = {"relative": 100 * (worse - clean) / clean if clean else None}
        rows.append(figures | relative | means.to_dict() | {"images": report["images"], "of": report["of"]})
    table = pd.DataFrame(rows)
    return table.sort_values("corrupted", ascending=False, kind="stable", ignore_index=True)


def corruptions(table: pd.DataFrame) -> list[str]:
    """The corruptions that `ranking` has a column for."""
    return [name for name in table.columns if name not in OVERALL]


def title(corruption: str) -> str:
    """A corruption's name at the head of a column or a chart."""
    return "JPEG" if corruption == "jpeg" else corruption.capitalize()


def finding(table: pd.DataFrame) -> str:
    """What `ranking` finds, as a sentence."""
    best = table.iloc[0]
    if len(table) == 1:
        return (
            f"On worse pictures {best['run']} recognises {percent(best['corrupted'] / 100)} "
            f"instead of {percent(best['clean'] / 100)}"
        )
    steady = table.sort_values("relative", ascending=False, kind="stable").iloc[0]
    told = f"On worse pictures {best['run']} recognises most: {percent(best['corrupted'] / 100)}"
    if steady["run"] == best["run"]:
        return f"{told}, and keeps most of what it recognises untouched"
    return f"{told}; {letter(steady['run'])} keeps most of its own ({percent(1 + steady['relative'] / 100, 0)})"


def note(reports: Reports, *, is_same: bool) -> str:
    """On which images the runs were measured, the very same ones or not, and what that means for comparing them."""
    first = next(iter(reports.values()))
    if is_same:
        return f"{subject(first)} {plural(len(first['corruptions']), 'corruption')} in five severities each."
    told = ", ".join(f"{letter(name)} on {_subject(report)}" for name, report in reports.items())
    return f"Not measured on the same test images ({told}): small differences say nothing."


def _subject(report: Mapping[str, Any]) -> str:
    fold = f" of fold {report['fold']}" if report.get("fold") else ""
    return f"{count(report['images'])} of {count(report['of'])}{fold}"


def views(reports: Reports) -> pd.DataFrame:
    """One row for each run and way of reading a face in tta.json; `gain` in points above the face alone."""
    rows = []
    for name, report in reports.items():
        clean = report["clean"]["accuracy"]
        for kind, each in report["kinds"].items():
            figures = {"alone": 100 * clean, "accuracy": 100 * each["accuracy"]}
            gain = {"gain": 100 * (each["accuracy"] - clean), "images": report["images"], "of": report["of"]}
            rows.append({"run": name, "views": KINDS.get(kind, kind), "number": each["views"]} | figures | gain)
    return pd.DataFrame(rows, columns=["run", "views", "number", "alone", "accuracy", "gain", "images", "of"])


def views_finding(table: pd.DataFrame) -> str:
    """What `views` finds, as a sentence."""
    best = table.sort_values("gain", kind="stable").iloc[-1]
    if best["gain"] <= 0:
        return "Averaging over several views of a face helps none of these runs"
    return f"Averaging over {best['views']} helps {letter(best['run'])} most: {points(best['gain'] / 100)} points"


def commands(python: str, ids: Sequence[str], option: str) -> str:
    """The command that measures each run, one a line."""
    return "\n".join(f"{python} -m fer_core evaluate {name} {option}" for name in ids)
