"""The results: a folder for each run, read and written here and nowhere else."""

from fer_core.runs.requests import (
    Job,
    StopRequest,
    read_job,
    remove_job,
    remove_stop,
    stop_request,
    write_job,
    write_stop,
)
from fer_core.runs.run import STATES, Run, RunError, RunExistsError, Status, stored_precision
from fer_core.runs.store import RunStore

__all__ = [
    "STATES",
    "Job",
    "Run",
    "RunError",
    "RunExistsError",
    "RunStore",
    "Status",
    "StopRequest",
    "read_job",
    "remove_job",
    "remove_stop",
    "stop_request",
    "stored_precision",
    "write_job",
    "write_stop",
]
