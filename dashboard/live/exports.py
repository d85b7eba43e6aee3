"""Runs as ONNX files that browsers load: made at their first choice, and again when a run changes.

Beside each lies its SHA-256, which is written last. A file that was cut short or altered, or whose writing was
interrupted, does not fit it, and is made anew.
"""

import fcntl
import glob
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from dashboard.live.assets import EXPORTS, put
from dashboard.summaries import RunSummary, Stamp
from fer_core.errors import FerError
from fer_core.runs import WEIGHTS, Run

DECIDING = ("spec.json", "evaluation.json", "environment.json", WEIGHTS)
MOST_KEPT = 24  # files; the one that was asked for longest ago goes first


def refusal(run: RunSummary, name: str = "") -> str:
    """Why a run, called `name` or by its id, has no ONNX form, in a sentence; the empty string where it has one."""
    from fer_core.export import ExportError, check_exportable

    called = name or run.id
    if run.spec is None or not run.can_predict:
        return f"run {called} {run.obstacle}"
    if run.is_ensemble:
        return f"run {called} is an ensemble of {len(run.members)} networks, too many for every frame in a browser"
    try:
        check_exportable(run.whole("channels") or 1, [run.spec.preprocessing], called)
    except ExportError as error:
        return str(error)
    return ""


def export_path(run: RunSummary) -> Path:
    """Where a run's file lies, or will lie; another one after each change of the run."""
    return EXPORTS / f"{run.id}-{_digest(run.stamp)}.onnx"


def is_exported(run: RunSummary) -> bool:
    """Whether a run's file is there, whole and as it was written; reading it takes some milliseconds."""
    return _is_sound(export_path(run))


def exported(run: RunSummary) -> Path:
    """A run's ONNX file, checked against PyTorch; takes 5 to 40 s where it is not there yet, or not sound any more.

    Two viewers who ask at once wait for one export. Raises FerError for a run that has no ONNX form.
    """
    path = export_path(run)
    if _is_sound(path):
        _checksum_path(path).touch()
        return path
    reason = refusal(run)
    if reason:
        raise FerError(reason)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_sound(path):
            _export(run, path)
    return path


def _export(run: RunSummary, path: Path) -> None:
    from fer_core.export import export_run

    with TemporaryDirectory(dir=path.parent, prefix=".export-") as temporary:
        (written,) = export_run(Run(run.path), Path(temporary))
        for stale in path.parent.glob(f"{glob.escape(run.id)}-*.onnx"):
            _remove(stale)
        put(_sha256(written.path).encode(), _checksum_path(written.path))
        written.path.replace(path)
        _checksum_path(written.path).replace(_checksum_path(path))
    others = sorted(path.parent.glob("*.onnx"), key=_last_use, reverse=True)
    for old in others[MOST_KEPT:]:
        _remove(old)


def _is_sound(path: Path) -> bool:
    try:
        return _sha256(path) == _checksum_path(path).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return False  # of an export that is not there, or not finished


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _last_use(path: Path) -> float:
    """When a file was asked for last: its checksum is touched then; 0 where it has none."""
    try:
        return _checksum_path(path).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _checksum_path(path).unlink(missing_ok=True)


def _digest(stamp: Stamp) -> str:
    deciding = [entry for entry in stamp if entry[0] in DECIDING]
    return hashlib.sha256(repr(deciding).encode()).hexdigest()[:8]
