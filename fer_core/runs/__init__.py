"""The results: a folder for each run, read and written here and nowhere else."""

from fer_core.runs.run import STATES, Run, RunError, RunExistsError, Status, stored_precision
from fer_core.runs.store import RunStore

__all__ = ["STATES", "Run", "RunError", "RunExistsError", "RunStore", "Status", "stored_precision"]
