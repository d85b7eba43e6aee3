"""robustness.json and tta.json as data frames; shares are percentages here, as the tables show them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.formats import count, percent, points

STEP_COLUMNS = ("corruption", "severity", "level", "accuracy", "low", "high", "loss", "n", "unit")
KINDS = {"flip": "face and mirror image", "ten_crop": "ten crops, five mirrored"}


def steps(report: Mapping[str, Any]) -> pd.DataFrame:
    """One row for each corruption and severity; `loss` is in points below the same images as they are."""
    clean = report["clean"]["accuracy"]
    rows = [
        {**score(step), "corruption": name, "severity": step["severity"], "level": step["level"], "unit": each["unit"]}
        | {"loss": 100 * (clean - step["accuracy"])}
        for name, each in report["corruptions"].items()
        for step in each["severities"]
    ]
    return pd.DataFrame(rows, columns=list(STEP_COLUMNS))


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """`steps` with a row for each corruption, the most harmful first, and a column for each severity."""
    wide = table.pivot(index="corruption", columns="severity", values="accuracy")
    wide.columns = pd.Index([f"severity {severity}" for severity in wide.columns])
    wide.insert(0, "mean", wide.mean(axis=1))
    return wide.sort_values("mean").reset_index()


def views(report: Mapping[str, Any]) -> pd.DataFrame:
    """The face alone, and each kind of averaging; `gain` in points above the face alone on the same images."""
    clean = report["clean"]["accuracy"]
    rows = [{"views": "the face alone", "number": 1, **score(report["clean"]), "gain": None}]
    rows += [
        {"views": KINDS.get(name, name), "number": each["views"], **score(each)}
        | {"gain": 100 * (each["accuracy"] - clean)}
        for name, each in report["kinds"].items()
    ]
    return pd.DataFrame(rows, columns=["views", "number", "accuracy", "low", "high", "gain", "n"])


def score(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored accuracy and the ends of its interval in percent, and of how many images it is."""
    low, high = stored["accuracy_interval"]
    return {"accuracy": 100 * stored["accuracy"], "low": 100 * low, "high": 100 * high, "n": stored["n"]}


def finding(report: Mapping[str, Any]) -> str:
    """What the chart finds, as a sentence."""
    clean, mean = report["clean"]["accuracy"], report["mean_corruption_accuracy"]
    worst = side_by_side(steps(report)).iloc[0]["corruption"]
    return f"On worse pictures {percent(mean)} instead of {percent(clean)} are recognised; {worst} harms most"


def gain(report: Mapping[str, Any]) -> str:
    """What the table of views finds, as a sentence."""
    if not report["kinds"]:
        return "No averaging over several views is measured"
    name, best = max(report["kinds"].items(), key=lambda item: item[1]["accuracy"])
    clean = report["clean"]["accuracy"]
    words = {"flip": "The face and its mirror image together", "ten_crop": "Ten crops together"}.get(name, name)
    change = points(best["accuracy"] - clean)
    return f"{words} recognise {percent(best['accuracy'])}, the face alone {percent(clean)} ({change} points)"


def subject(report: Mapping[str, Any]) -> str:
    """On which images it was measured: all test images, or how many of them."""
    images, of = report["images"], report["of"]
    whole = f"{count(of)} test images" + (f" of fold {report['fold']}" if report.get("fold") else "")
    return f"All {whole}." if images == of else f"A trial on {count(images)} of {whole}, evenly drawn."
