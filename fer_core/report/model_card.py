"""A run's model card in Markdown: what it is, what it was measured on, what it is for and what not.

Source of the form: Mitchell et al., Model cards for model reporting (FAT* 2019, arXiv 1810.03993).
"""

from pathlib import Path
from typing import Any

from fer_core.architectures.ensemble import NAME as ENSEMBLE
from fer_core.config import RunSpec
from fer_core.report import sections
from fer_core.report.files import write_whole
from fer_core.report.markdown import with_interval
from fer_core.report.uses import INTENDED, OUT_OF_SCOPE, SYNTHETIC, limits_of
from fer_core.runs import Run, RunError


def model_card(run: Run) -> str:
    """The card of a finished run, out of its own files alone; neither weights nor dataset are needed.

    Raises RunError for a run that is not finished, or whose files cannot be read.
    """
    if run.state != "finished":
        raise RunError(f"run {run.id} is {run.state}; only a finished run has figures for a model card")
    spec, evaluation, environment = run.spec, run.evaluation(), run.environment()
    parts = {
        "": _summary(run.id, spec, evaluation["splits"]["test"]),
        "Data": sections.data(spec, evaluation, environment),
        "Preprocessing": sections.preprocessing(spec, environment),
        "Network": sections.network(spec, environment),
        "Training": sections.training(spec, environment),
        "Figures": sections.figures(evaluation),
        "Per emotion": sections.per_emotion(evaluation),
        "Calibration": sections.calibration(evaluation),
        "Robustness": sections.robustness(run),
        "Limits": "\n".join(f"- {text}" for text in limits_of(spec.dataset)),
        "Intended use": INTENDED,
        "Out of scope": OUT_OF_SCOPE,
        "Recomputing": _recomputing(run.id),
    }
    return "\n\n".join(f"## {title}\n\n{text}" if title else text for title, text in parts.items()) + "\n"


def write_model_card(run: Run, path: Path) -> Path:
    """Write the card to `path`, whole or not at all; raises RunError as `model_card` does, or where it cannot."""
    return write_whole(path, model_card(run), "model card")


def _summary(name: str, spec: RunSpec, test: dict[str, Any]) -> str:
    warning = [SYNTHETIC] if spec.dataset == "synthetic" else []
    accuracy = with_interval(test["accuracy"], test["accuracy_interval"])
    images = test.get("images", test["n"])
    what = "An ensemble of networks" if spec.architecture == ENSEMBLE else "A network"
    found = (
        f"{what} ({spec.architecture}) that tells {len(spec.emotions)} facial expressions apart "
        f"({', '.join(spec.emotions)}). Accuracy on {images:,} test images of {spec.dataset} under the protocol "
        f"{spec.protocol}: **{accuracy}** (95 % interval)."
    )
    return "\n\n".join([f"# Model card: {name}", *warning, found])


def _recomputing(name: str) -> str:
    return (
        "The figures, those per emotion and the calibration are recomputed from the saved predictions by\n\n"
        f"```sh\npython -m fer_core evaluate {name}\n```\n\n"
        "and this card is written again by\n\n"
        f"```sh\npython -m fer_core runs card {name}\n```"
    )
