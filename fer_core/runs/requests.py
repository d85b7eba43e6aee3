"""What people ask of a run while it waits or trains: to be trained by a worker, and to stop.

Both are files of the run's folder, so that they outlive whoever wrote them. `job.json` is there
from the launch to the end of the training; `stop.json` until somebody asks for the run again.
"""

from dataclasses import asdict, dataclass
from typing import Any

from fer_core.config import from_json
from fer_core.errors import FerError
from fer_core.runs.run import Run

JOB = "job.json"
STOP = "stop.json"


@dataclass(frozen=True)
class Job:
    """A launch: the place in the queue (lower is sooner), the device wanted, who asked and when.

    `attempts` counts the starts that ended without a further epoch than `attempted_epoch`.
    """

    order: float
    device: str = "auto"
    by: str = ""
    asked: str = ""
    attempts: int = 0
    attempted_epoch: int = -1


@dataclass(frozen=True)
class StopRequest:
    """Who asked that a run be stopped, and when."""

    by: str = ""
    asked: str = ""


def read_job(run: Run) -> Job | None:
    """The launch that waits for a worker or is being trained by one; None where there is none that can be read."""
    return _read(run, JOB, Job)


def write_job(run: Run, job: Job) -> None:
    """Replace job.json."""
    run.write_json(JOB, asdict(job))


def remove_job(run: Run) -> None:
    """The run no longer waits for a worker."""
    (run.path / JOB).unlink(missing_ok=True)


def stop_request(run: Run) -> StopRequest | None:
    """Who asked the run to stop, or None; one look at the folder where nobody did."""
    if not (run.path / STOP).exists():
        return None
    return _read(run, STOP, StopRequest) or StopRequest()  # a damaged request is one all the same


def write_stop(run: Run, request: StopRequest) -> None:
    """Ask the run's trainer to stop after the batch that it computes."""
    run.write_json(STOP, asdict(request))


def remove_stop(run: Run) -> None:
    """Take back a request to stop."""
    (run.path / STOP).unlink(missing_ok=True)


def _read(run: Run, name: str, kind: type) -> Any:
    if not (run.path / name).exists():
        return None
    try:
        return from_json(kind, run.read_json(name))
    except FerError:
        return None
