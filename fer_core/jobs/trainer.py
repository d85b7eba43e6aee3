"""The process of one training: `python -m fer_core.jobs.trainer RUN DEVICE THREADS`; what a worker starts."""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from fer_core.jobs.queue import ENDED, JobQueue
from fer_core.runs import Run, RunStore, remove_job, stop_request
from fer_core.training import TrainingStopped, train_run


def main(arguments: Sequence[str]) -> int:
    """Train a queued run to its end; how it ended stands in its folder. The exit status is 1 after a failure."""
    path, device, threads = Path(arguments[0]), arguments[1], int(arguments[2])
    torch.set_num_threads(threads)
    # SIGTERM ends it as it is: at a machine's shutdown nobody asks to stop, and the next worker takes the run up
    return train_queued(Run(path), device)


def train_queued(run: Run, device: str) -> int:
    """Train `run` on `device`, unless it was cancelled or deleted meanwhile; 0 where it ended as it should."""
    try:
        if stop_request(run) is None:
            train_run(run.spec, RunStore(run.path.parent), device=device, make=False)
        return 0
    except TrainingStopped:
        return 0
    except Exception as error:
        if not run.path.exists():
            return 0  # nobody wants it any more
        if run.is_locked():
            raise  # somebody else trains it: its end is theirs to tell
        if run.status.state not in ENDED:
            # refused before its training began, for example for want of its dataset
            JobQueue(RunStore(run.path.parent)).settle_failed(run, str(error) or type(error).__name__)
        raise
    finally:
        if run.path.exists() and run.status.state in ENDED:
            remove_job(run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
