"""Where data and runs lie unless the user says otherwise, and folders that are named to be written into."""

import os
import tempfile
from pathlib import Path

from fer_core.errors import FerError, is_full_disk

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """Folder of the prepared datasets: `$FER_DATA_DIR`, else `.data/` in the project."""
    return Path(os.environ.get("FER_DATA_DIR") or PROJECT_ROOT / ".data")


def runs_dir() -> Path:
    """Folder of the runs: `$FER_RUNS_DIR`, else `runs/` in the project."""
    return Path(os.environ.get("FER_RUNS_DIR") or PROJECT_ROOT / "runs")


def check_folder(folder: Path) -> None:
    """Raise FerError unless files can be written into `folder`, or it can be made; leaves nothing behind."""
    above = folder
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    if not os.path.isdir(above):
        what = "" if above == folder else f"folder '{folder}' cannot be made: "
        raise FerError(f"{what}'{above}' is no folder; name a folder, which is made where there is none")
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".", dir=above))
    except OSError as error:
        raise _unwritable(folder, error) from None


def make_folder(folder: Path) -> None:
    """Make `folder` where there is none; raises FerError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> Exception:
    if is_full_disk(error):
        return error
    return FerError(f"nothing can be written into folder '{folder}': {error.strerror or error}; name another folder")
