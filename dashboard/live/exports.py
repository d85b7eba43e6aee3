"""Runs as ONNX files that browsers load: made at their first choice, and again when a run changes."""

import fcntl
import glob
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from dashboard.live.assets import EXPORTS
from dashboard.summaries import RunSummary, Stamp
from fer_core.errors import FerError
from fer_core.runs import Run

DECIDING = ("spec.json", "evaluation.json", "environment.json", "weights.safetensors")
MOST_KEPT = 24  # files; the one that was asked for longest ago goes first


def refusal(run: RunSummary) -> str:
    """Why a run has no ONNX form, in a sentence; the empty string where it has one."""
    from fer_core.export import ExportError, check_exportable

    if run.spec is None or not run.can_predict:
        return f"run {run.id} {run.obstacle}"
    if run.is_ensemble:
        return f"run {run.id} is an ensemble of {len(run.members)} networks, too many for every frame in a browser"
    try:
        check_exportable(run.whole("channels") or 1, [run.spec.preprocessing], run.id)
    except ExportError as error:
        return str(error)
    return ""


def export_path(run: RunSummary) -> Path:
    """Where a run's file lies, or will lie; another one after each change of the run."""
    return EXPORTS / f"{run.id}-{_digest(run.stamp)}.onnx"


def exported(run: RunSummary) -> Path:
    """A run's ONNX file, checked against PyTorch; takes 5 to 40 s where it is not there yet.

    Two viewers who ask at once wait for one export. Raises FerError for a run that has no ONNX form.
    """
    path = export_path(run)
    if path.is_file():
        path.touch()
        return path
    reason = refusal(run)
    if reason:
        raise FerError(reason)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            _export(run, path)
    return path


def _export(run: RunSummary, path: Path) -> None:
    from fer_core.export import export_run

    with TemporaryDirectory(dir=path.parent, prefix=".export-") as temporary:
        (written,) = export_run(Run(run.path), Path(temporary))
        for stale in path.parent.glob(f"{glob.escape(run.id)}-*.onnx"):
            stale.unlink(missing_ok=True)
        written.path.replace(path)
    others = sorted(path.parent.glob("*.onnx"), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in others[MOST_KEPT:]:
        old.unlink(missing_ok=True)


def _digest(stamp: Stamp) -> str:
    deciding = [entry for entry in stamp if entry[0] in DECIDING]
    return hashlib.sha256(repr(deciding).encode()).hexdigest()[:8]
