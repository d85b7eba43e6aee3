"""What carries out the queue: on this machine, or on a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fer_core.runs import Job, Run


@dataclass(frozen=True)
class Ended:
    """A training that its executor saw end: of which run, and what is known when it did not end by itself."""

    run_id: str
    reason: str = ""


class Executor(Protocol):
    """Starts trainings and sees them end; what a training reached stands in its run's folder."""

    def start(self, run: Run, job: Job, live: Sequence[Run]) -> bool:
        """Begin to train `run` if there is room, beside the runs that anyone trains now (`live`).

        Raises FerError where the job can never be carried out here, for example on a device that is not there.
        """

    def poll(self) -> list[Ended]:
        """The trainings that ended since the last call."""

    def held(self) -> frozenset[str]:
        """Ids of the runs that were started here and have not ended."""

    def describe(self) -> dict[str, Any]:
        """Kind and slots, for people: plain JSON types."""

    def close(self) -> None:
        """Let go; trainings on this machine go on by themselves."""
