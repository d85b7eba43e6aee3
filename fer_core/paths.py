"""Where data and runs lie unless the user says otherwise."""

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """Folder of the prepared datasets: `$FER_DATA_DIR`, else `.data/` in the project."""
    return Path(os.environ.get("FER_DATA_DIR") or PROJECT_ROOT / ".data")


def runs_dir() -> Path:
    """Folder of the runs: `$FER_RUNS_DIR`, else `runs/` in the project."""
    return Path(os.environ.get("FER_RUNS_DIR") or PROJECT_ROOT / "runs")
