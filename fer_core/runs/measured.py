"""robustness.json and tta.json: what was measured of a run with its weights, after training."""

from collections.abc import Iterable, Mapping
from typing import Any

from fer_core.runs.run import Run, RunError

ROBUSTNESS_FILE = "robustness.json"
TTA_FILE = "tta.json"


def read_robustness(run: Run) -> dict[str, Any] | None:
    """Accuracy on worse pictures, or None where it is not measured; raises RunError where the file is no such report.

    `clean` is a score, `mean_corruption_accuracy` a share, `corruptions` holds for each name its `unit` and
    `severities`, scores with `severity` and `level`; a score has `accuracy`, `accuracy_interval`, `correct` and `n`.
    """
    report = _read(run, ROBUSTNESS_FILE)
    if report is None:
        return None
    try:
        steps = [step for each in report["corruptions"].values() for step in each["severities"]]
        whole = isinstance(report["mean_corruption_accuracy"], float) and all("severity" in step for step in steps)
    except (KeyError, TypeError, AttributeError):
        whole, steps = False, []
    return _checked(run, ROBUSTNESS_FILE, report, steps, whole)


def read_tta(run: Run) -> dict[str, Any] | None:
    """Accuracy with several views of each face, or None where it is not measured; raises RunError as above.

    `clean` is a score, and so is each of `kinds`, with its number of `views`.
    """
    report = _read(run, TTA_FILE)
    if report is None:
        return None
    try:
        kinds = list(report["kinds"].values())
        whole = all(isinstance(each["views"], int) for each in kinds)
    except (KeyError, TypeError, AttributeError):
        whole, kinds = False, []
    return _checked(run, TTA_FILE, report, kinds, whole)


def _read(run: Run, name: str) -> dict[str, Any] | None:
    return run.read_json(name) if (run.path / name).is_file() else None


def _checked(run: Run, name: str, report: dict[str, Any], scores: Iterable[Any], whole: bool) -> dict[str, Any]:
    counted = isinstance(report.get("images"), int) and isinstance(report.get("of"), int)
    if whole and counted and all(map(_is_score, (report.get("clean"), *scores))):
        return report
    raise RunError(f"{run.id}/{name} is not what `evaluate` writes; delete it and measure again")


def _is_score(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    ends = value.get("accuracy_interval")
    numbers = isinstance(value.get("accuracy"), float) and isinstance(value.get("n"), int)
    return numbers and isinstance(ends, list) and len(ends) == 2
