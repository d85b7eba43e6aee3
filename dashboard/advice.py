"""What can be done about a run that has no result."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from dashboard.summaries import RunSummary
from fer_core.papers import Published
from fer_core.paths import PROJECT_ROOT


def _interpreter() -> str:
    """This Python as one types it in the project's folder."""
    here = Path(sys.executable)
    return str(here.relative_to(PROJECT_ROOT)) if here.is_relative_to(PROJECT_ROOT) else "python"


PYTHON = _interpreter()
FIRST_TRAINING = f"{PYTHON} -m fer_core train --dataset synthetic --epochs 3"
# paper 5's best setting among others: ten epochs, without L2, six emotions
CROSS_VALIDATION = (
    f"{PYTHON} -m fer_core crossval --architecture two_block_cnn --grid filters=32,64 --grid kernel=3,5 "
    "--recipe paper --epochs 10 --hyperparameter l2=0 --without disgust"
)


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
    after = f"after epoch {run.status.epoch}" if run.status.epoch else "from the start"
    sentences = {
        "queued": "Start it.",
        "running": "It goes on by itself; Ctrl-C in its terminal stops it.",
        "cancelled": f"Resume it: it goes on {after}.",
        "failed": f"Remove the cause and resume it: it goes on {after}.",
        "lost": f"Its process ended without a word. Resume it: it goes on {after}.",
    }
    return Advice(sentences.get(run.state, ""), _command("resume", run) if run.state in sentences else "")


def _repair(run: RunSummary) -> Advice:
    if (run.path / "predictions.npz").is_file() and run.spec is not None:
        return Advice("Its predictions are here: evaluate it again.", _command("evaluate", run))
    return Advice("Move it to the trash, or restore its files.", _command("runs delete", run))


def _command(name: str, run: RunSummary) -> str:
    return f"{PYTHON} -m fer_core {name} {shlex.quote(run.id)}"


def paper_command(figure: Published) -> str:
    """The command that trains a paper's system by its own recipe and protocol."""
    options = {
        "--architecture": figure.architecture,
        "--preprocessing": figure.preprocessing,
        "--dataset": figure.dataset,
        "--protocol": figure.protocol,
        "--recipe": figure.recipe or "paper",
    }
    if figure.left_out:
        options["--without"] = ",".join(figure.left_out)
    return " ".join(
        [f"{PYTHON} -m fer_core train", *(f"{name} {shlex.quote(value)}" for name, value in options.items())]
    )
