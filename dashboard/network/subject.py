"""Which network is looked into: that of a run, or an untrained one."""

from dataclasses import dataclass

from dashboard.summaries import RunSummary, Stamp


@dataclass(frozen=True)
class Subject:
    """A run's network (`folder` as it was at `stamp`), or an untrained `architecture` for faces of a size.

    `name` is what files are called; `seed` draws the weights of an untrained one. `member` is the place of the
    network in the run where that is an ensemble.
    """

    name: str
    architecture: str
    folder: str = ""
    stamp: Stamp = ()
    channels: int = 1
    size: int = 48
    seed: int = 0
    member: int | None = None

    @classmethod
    def of_run(cls, run: RunSummary) -> "Subject":
        """The network of a run that can predict."""
        return cls(run.id, run.spec.architecture if run.spec else "", str(run.path), run.stamp)

    @classmethod
    def of_member(cls, ensemble: RunSummary, place: int) -> "Subject":
        """The member of an ensemble at a place, out of the ensemble's weights."""
        name, architecture = f"{ensemble.id}_member_{place + 1}", ensemble.members[place]["architecture"]
        return cls(name, architecture, str(ensemble.path), ensemble.stamp, member=place)

    @classmethod
    def untrained(cls, architecture: str, channels: int, size: int, seed: int = 0) -> "Subject":
        """An architecture with the random weights that a training would start from."""
        name = f"{architecture.replace(':', '_')}_untrained"
        return cls(name, architecture, channels=channels, size=size, seed=seed)

    @property
    def is_trained(self) -> bool:
        """Whether it is a run's."""
        return bool(self.folder)
