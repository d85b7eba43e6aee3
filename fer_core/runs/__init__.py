"""The results: a folder for each run, read and written here and nowhere else."""

from fer_core.runs.index import RunIndex
from fer_core.runs.index_file import IndexFile
from fer_core.runs.lineage import Lineage, lineage, stored_lineage, with_totals
from fer_core.runs.measured import ROBUSTNESS_FILE, TTA_FILE, read_robustness, read_tta
from fer_core.runs.notes import Notes, change_notes, read_notes, tags_of
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
from fer_core.runs.run import STATES, Run, RunError, RunExistsError, Status
from fer_core.runs.store import RunStore, Trashed
from fer_core.runs.summary import Board, RunSummary
from fer_core.runs.weights import WEIGHTS, stored_precision

__all__ = [
    "ROBUSTNESS_FILE",
    "STATES",
    "TTA_FILE",
    "WEIGHTS",
    "Board",
    "IndexFile",
    "Job",
    "Lineage",
    "Notes",
    "Run",
    "RunError",
    "RunExistsError",
    "RunIndex",
    "RunStore",
    "RunSummary",
    "Status",
    "StopRequest",
    "Trashed",
    "change_notes",
    "lineage",
    "read_job",
    "read_notes",
    "read_robustness",
    "read_tta",
    "remove_job",
    "remove_stop",
    "stop_request",
    "stored_lineage",
    "stored_precision",
    "tags_of",
    "with_totals",
    "write_job",
    "write_stop",
]
