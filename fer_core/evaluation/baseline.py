"""Many runs against one: which of them really differ from a baseline, on the test images that both saw."""

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from fer_core.evaluation.comparison import holm, mcnemar
from fer_core.runs import IndexFile, Run, RunError, RunSummary

DIGEST_BYTES = 16


@dataclass(frozen=True, eq=False)
class RightAnswers:
    """Which test images a run recognised, bool (N,), in the order of their ids.

    `images` is the same for runs that were tested on the same images with the same labels; it is empty where a run
    tested an image several times, so that it has no one answer.
    """

    images: bytes
    right: np.ndarray

    @classmethod
    def of(cls, predictions: Mapping[str, np.ndarray]) -> "RightAnswers":
        """From a run's predictions (see Run.predictions)."""
        ids, labels = predictions["test_ids"].astype(str), predictions["test_labels"]
        order = np.argsort(ids, kind="stable")
        ids, labels = ids[order], labels[order]
        if (ids[1:] == ids[:-1]).any():
            return cls(b"", np.zeros(0, dtype=bool))
        text = "\n".join(f"{image} {label}" for image, label in zip(ids.tolist(), labels.tolist(), strict=True))
        digest = hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES]
        return cls(digest, predictions["test_probabilities"].argmax(1)[order] == labels)

    @classmethod
    def unpack(cls, data: bytes) -> "RightAnswers":
        """What `pack` gave; raises ValueError for anything else."""
        if not data:
            return cls(b"", np.zeros(0, dtype=bool))
        digest, count, bits = data[:DIGEST_BYTES], int.from_bytes(data[DIGEST_BYTES:][:4], "big"), data[20:]
        if len(digest) < DIGEST_BYTES or len(bits) != (count + 7) // 8:
            raise ValueError("these are no packed answers")
        return cls(digest, np.unpackbits(np.frombuffer(bits, np.uint8), count=count).astype(bool))

    def pack(self) -> bytes:
        """One bit for each image, behind the digest of all and their number."""
        if not self.images:
            return b""
        return self.images + len(self.right).to_bytes(4, "big") + np.packbits(self.right).tobytes()


@dataclass(frozen=True)
class Against:
    """A run against the baseline: how many of the `n` images it `gained` and `lost`, and what that says.

    `p_value` is McNemar's exact test; `adjusted` the same after Holm's correction for all runs that were held against
    the baseline together.
    """

    n: int
    gained: int
    lost: int
    p_value: float
    adjusted: float

    @property
    def difference(self) -> float:
        """Accuracy of the run less that of the baseline, in [-1, 1]."""
        return (self.gained - self.lost) / self.n

    @property
    def is_real(self) -> bool:
        """Whether the difference is more than chance, at 5 % over all runs that were compared together."""
        return self.adjusted < 0.05


def against(baseline: RightAnswers, others: Mapping[str, RightAnswers]) -> dict[str, Against]:
    """Each of the other runs that was tested on the baseline's images, against the baseline."""
    if not baseline.images or not len(baseline.right):
        return {}
    found = {name: _against(baseline, other) for name, other in others.items() if other.images == baseline.images}
    adjusted = holm([each.p_value for each in found.values()])
    return {name: replace(each, adjusted=p) for (name, each), p in zip(found.items(), adjusted, strict=True)}


def _against(baseline: RightAnswers, other: RightAnswers) -> Against:
    gained, lost = int((other.right & ~baseline.right).sum()), int((baseline.right & ~other.right).sum())
    p_value = mcnemar(gained, lost)
    return Against(len(baseline.right), gained, lost, p_value, p_value)


class AnswerShelf:
    """Right answers of runs, read from their predictions once for each change; a large store's index keeps them."""

    KIND = "right answers"

    def __init__(self, file: IndexFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, RightAnswers]] | None = None

    def read(self, runs: Sequence[RunSummary]) -> dict[str, RightAnswers]:
        """The answers of each run whose predictions can be read, by its id."""
        with self._lock:
            if self._known is None:
                self._known = dict(_recalled(self.file.recall(self.KIND)))
            new: dict[str, tuple[str, RightAnswers]] = {}
            for run in runs:
                stamp = repr([each for each in run.stamp if each[0] == "predictions.npz"])
                if self._known.get(run.id, ("", None))[0] != stamp:
                    with suppress(RunError):  # without its predictions a run is listed, and not tested
                        new[run.id] = (stamp, RightAnswers.of(Run(run.path).predictions()))
            self._known |= new
            if new and self.file.path.exists():
                self.file.keep(self.KIND, {name: (stamp, each.pack()) for name, (stamp, each) in new.items()})
            return {run.id: self._known[run.id][1] for run in runs if run.id in self._known}


def _recalled(kept: Mapping[str, tuple[str, bytes]]) -> Iterator[tuple[str, tuple[str, RightAnswers]]]:
    for name, (stamp, data) in kept.items():
        with suppress(ValueError):  # what another version kept is computed anew
            yield name, (stamp, RightAnswers.unpack(data))
