"""What can be done about a run that has no result."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from dashboard.summaries import RunSummary
from fer_core.config import RunSpec
from fer_core.paths import PROJECT_ROOT


def _interpreter() -> str:
    """This Python as one types it in the project's folder."""
    here = Path(sys.executable)
    return str(here.relative_to(PROJECT_ROOT)) if here.is_relative_to(PROJECT_ROOT) else "python"


PYTHON = _interpreter()
FIRST_TRAINING = f"{PYTHON} -m fer_core train --dataset synthetic --epochs 3"


@dataclass(frozen=True)
class Advice:
    """A sentence, and the command that it speaks of (or the empty string)."""

    sentence: str
    command: str = ""


def reason(run: RunSummary) -> str:
    """Why a run has no result yet, as it says itself."""
    return run.problem or run.status.message or {"queued": "waits to be trained"}.get(run.state, "gives no reason")


def advice(run: RunSummary) -> Advice:
    """What to do next about a run, by its state."""
    if run.state == "damaged":
        return _repair(run)
    if run.spec is None:
        return Advice("")
    train = train_command(run.spec)
    after = f"after epoch {run.status.epoch}" if run.status.epoch else "from the start"
    sentences = {
        "queued": "Start it with the command below.",
        "running": "It goes on by itself; Ctrl-C in its terminal stops it, and the same command resumes it.",
        "cancelled": f"The same command goes on {after}.",
        "failed": f"Remove the cause; the same command then goes on {after}.",
        "lost": f"Its process ended without a word; the same command goes on {after}.",
    }
    return Advice(sentences.get(run.state, ""), train if run.state in sentences else "")


def _repair(run: RunSummary) -> Advice:
    if (run.path / "predictions.npz").is_file() and run.spec is not None:
        return Advice("Its predictions are here: evaluate it again.", _command("evaluate", run))
    return Advice("Move it to the trash, or restore its files.", _command("runs delete", run))


def _command(name: str, run: RunSummary) -> str:
    return f"{PYTHON} -m fer_core {name} {shlex.quote(run.id)}"


def train_command(spec: RunSpec) -> str:
    """The command that trains exactly `spec`, or goes on with it."""
    recipe = spec.recipe
    options = {
        "--architecture": spec.architecture,
        "--preprocessing": spec.preprocessing,
        "--dataset": spec.dataset,
        "--protocol": spec.protocol,
        "--recipe": recipe.name,
        "--epochs": str(recipe.epochs),
        "--batch-size": str(recipe.batch_size),
        "--learning-rate": repr(recipe.learning_rate),
        "--precision": recipe.precision,
        "--seed": str(spec.seed),
    }
    return " ".join(
        [f"{PYTHON} -m fer_core train", *(f"{name} {shlex.quote(value)}" for name, value in options.items())]
    )
