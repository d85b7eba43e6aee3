"""One run: a folder, and the only code that knows its files.

Every file is replaced atomically and outlives a power cut, whether a run is alive is derived
from a file lock, and a half-written, foreign or damaged folder is listed with its reason.
"""

import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core import locks
from fer_core.config import RunSpec, from_json
from fer_core.errors import FerError
from fer_core.predictions import PREDICTION_KEYS, UNREADABLE, of_fold, pack_predictions, unpack_predictions
from fer_core.runs.brief import brief, metrics_line, pretty
from fer_core.runs.checkpoints import CHECKPOINT, pack_checkpoint, read_checkpoint, refusal
from fer_core.runs.files import replace_file
from fer_core.runs.weights import WEIGHTS, absence, pack_weights, read_weights, weights_files

if TYPE_CHECKING:
    # torch is imported where weights are read or written: a list of runs need not wait seconds for it
    from torch import Tensor

STORED_STATES = ("queued", "running", "finished", "failed", "cancelled")
STATES = (*STORED_STATES, "lost", "damaged")


class RunError(FerError):
    """A run that does not exist, exists already, or cannot be read."""


class RunExistsError(RunError):
    """Another launch of the same spec made the run first."""


@dataclass(frozen=True)
class Status:
    """What a run says about itself; `RunStore` derives whether that is still true."""

    state: str = "queued"
    epoch: int = 0
    epochs: int = 0
    eta_s: float | None = None
    device: str = ""
    message: str = ""
    updated: str = ""


class Run:
    """One run folder, read lazily."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    @cached_property
    def spec(self) -> RunSpec:
        """What was asked for; raises RunError if spec.json is missing or unreadable."""
        return self._read_config("spec.json", RunSpec)

    @property
    def status(self) -> Status:
        """What status.json says now."""
        return self._read_config("status.json", Status)

    def checked(self) -> tuple[RunSpec, Status, dict[str, Any]]:
        """Spec, status and, once finished, evaluation; raises RunError where the folder cannot be used as a run."""
        spec, status = self.spec, self.status
        if status.state not in STORED_STATES:
            raise RunError(f"status.json has the unknown state {status.state!r}")
        evaluated = self.evaluation() if status.state == "finished" else {}
        if status.state == "finished" and not _has_test_accuracy(evaluated):
            raise RunError("evaluation.json has no test accuracy")
        if not spec.architecture:
            raise RunError("spec.json names no architecture")
        return spec, status, evaluated

    @property
    def problem(self) -> str:
        """Why the folder cannot be used as a run, or the empty string."""
        try:
            self.checked()
        except RunError as error:
            return str(error)
        return ""

    @property
    def state(self) -> str:
        """One of STATES; `lost` is a run that says it is running while nobody holds its lock."""
        if self.problem:
            return "damaged"
        state = self.status.state
        return "lost" if state == "running" and not self.is_locked() else state

    def evaluation(self) -> dict[str, Any]:
        """evaluation.json; raises RunError if it is missing or unreadable."""
        return self.read_json("evaluation.json")

    def environment(self) -> dict[str, Any]:
        """environment.json: versions, commit, device, wall time, peak memory."""
        return self.read_json("environment.json")

    def metrics(self) -> list[dict[str, Any]]:
        """One dict per epoch; a half-written last line is left out."""
        try:
            lines = (self.path / "metrics.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        epochs = []
        for line in lines:
            try:
                epochs.append(json.loads(line))
            except json.JSONDecodeError:
                break  # the line being written while we read, or the cut of a kill -9
        return epochs

    def log(self) -> str:
        """log.txt as text, empty before the first line."""
        path = self.path / "log.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def predictions(self) -> dict[str, np.ndarray]:
        """Arrays of predictions.npz: ids (str), labels (int64), probabilities (N, classes) float16."""
        path = self.path / "predictions.npz"
        try:
            arrays = unpack_predictions(path)
        except FileNotFoundError:
            raise RunError(f"run {self.id} is {self.state} and has no predictions") from None
        except UNREADABLE as error:
            raise RunError(f"{self.id}/predictions.npz cannot be read: {error}") from None
        missing = [key for key in PREDICTION_KEYS if key not in arrays]
        if missing:
            raise RunError(f"{self.id}/predictions.npz lacks {', '.join(missing)}")
        return arrays

    @property
    def weights_fold(self) -> str:
        """The fold whose network the weights are; "" where the run has a single one."""
        return str(self.environment().get("weights_fold", ""))

    def network_predictions(self) -> dict[str, np.ndarray]:
        """`predictions` by the network whose weights are kept alone: the images of other folds are not new to it."""
        return of_fold(self.predictions(), self.weights_fold)

    def removal_history(self) -> dict[str, Any]:
        """bdr.json: the training samples' errors over the epochs, and what bimodal removal did; see training/bdr.py."""
        return self.read_json("bdr.json")

    def has_weights(self) -> bool:
        """Whether the trained weights are here; large ones are not shipped."""
        return bool(self._weights_files())

    def weights(self) -> "dict[str, Tensor]":
        """The weights of the best epoch in float32; raises RunError where there are none."""
        files = self._weights_files()
        if not files:
            raise RunError(f"run {self.id} {absence(self.spec.architecture_arguments, self.state)}")
        named: dict[str, Tensor] = {}
        for prefix, path in files.items():
            try:
                named |= {prefix + name: tensor for name, tensor in read_weights(path).items()}
            except Exception as error:  # safetensors raises its own, unrelated classes
                raise RunError(f"{path.parent.name}/{path.name} cannot be read: {error}") from error
        return named

    def _weights_files(self) -> dict[str, Path]:
        try:
            return weights_files(self.path, self.spec.architecture_arguments)
        except RunError:
            return {}  # what it is cannot be read: `spec` says so where it is asked for

    def checkpoint(self) -> dict[str, Any] | None:
        """What is needed to resume, or None; raises RunError where it is there and cannot be read."""
        path = self.path / CHECKPOINT
        if not path.is_file():
            return None
        try:
            return read_checkpoint(path)
        except Exception as error:  # for a damaged file torch has errors of every class
            raise RunError(f"{self.id}/{CHECKPOINT} {refusal(error)}") from error

    def is_locked(self) -> bool:
        """Whether a trainer holds the folder now."""
        return locks.is_held(self.path / ".lock")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder while training, and say who does; raises RunError if another trainer does."""
        with (self.path / ".lock").open("a+") as handle:
            if not locks.take(handle):
                raise RunError(f"run {self.id} is being trained by another process")
            handle.truncate(0)
            handle.write(json.dumps({"pid": os.getpid(), "host": platform.node()}))
            handle.flush()
            yield

    def holder(self) -> tuple[int, str] | None:
        """Process and host of the trainer that holds the folder, or that held it last; None where nobody did."""
        try:
            data = json.loads((self.path / ".lock").read_text())
            return int(data["pid"]), str(data["host"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def update_status(self, **changes: Any) -> Status:
        """Replace fields of status.json and stamp the time.

        A change of the state is on the disk on return. What merely tells how far it is comes every few seconds,
        and a power cut may bring the one before back, but never an empty file.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        status = replace(self.status, **changes, updated=now)
        self._replace("status.json", pretty(asdict(status)).encode(), settled="state" in changes)
        return status

    def append_metrics(self, epoch: Mapping[str, Any]) -> None:
        """Add one line to metrics.jsonl."""
        with (self.path / "metrics.jsonl").open("a") as handle:
            handle.write(metrics_line(epoch))

    def rewrite_metrics(self, epochs: list[dict[str, Any]]) -> None:
        """Replace metrics.jsonl, so that a resumed run repeats no epoch."""
        self._replace("metrics.jsonl", "".join(map(metrics_line, epochs)).encode())

    def append_log(self, line: str) -> None:
        """Add one line with its time to log.txt."""
        with (self.path / "log.txt").open("a") as handle:
            handle.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} {line}\n")

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Replace a JSON file of the run atomically."""
        self._replace(name, pretty(data).encode())

    def write_data(self, name: str, data: Mapping[str, Any]) -> None:
        """Replace a JSON file atomically, packed: for numbers that are drawn, and that no person reads."""
        self._replace(name, json.dumps(brief(data), allow_nan=False, separators=(",", ":")).encode())

    def save_predictions(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Replace predictions.npz."""
        self._replace("predictions.npz", pack_predictions(arrays))

    def save_weights(self, state: "Mapping[str, Tensor]") -> None:
        """Replace weights.safetensors; layers' weights in eight bits a number, vectors in full."""
        self._replace(WEIGHTS, pack_weights(state))

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Replace checkpoint.pt."""
        self._replace(CHECKPOINT, pack_checkpoint(state))

    def remove_checkpoint(self) -> None:
        """Remove what only an unfinished run needs."""
        (self.path / CHECKPOINT).unlink(missing_ok=True)

    def _replace(self, name: str, content: bytes | memoryview, *, settled: bool = True) -> None:
        replace_file(self.path / name, content, settled=settled)

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the run; raises RunError if it is missing or unreadable."""
        try:
            data = json.loads((self.path / name).read_bytes())
        except FileNotFoundError:
            raise RunError(f"run {self.id} has no {name}") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.id}/{name} cannot be read: {error}") from None
        if not isinstance(data, dict):
            raise RunError(f"{self.id}/{name} is not a JSON object")
        return data

    def _read_config(self, name: str, kind: type) -> Any:
        try:
            return from_json(kind, self.read_json(name))
        except RunError:
            raise
        except FerError as error:
            raise RunError(f"{self.id}/{name}: {error}") from None


def _has_test_accuracy(evaluation: Mapping[str, Any]) -> bool:
    try:
        return isinstance(evaluation["splits"]["test"]["accuracy"], float)
    except (KeyError, TypeError):  # foreign JSON may hold anything in their place
        return False
