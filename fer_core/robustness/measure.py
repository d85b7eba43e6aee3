"""robustness.json: a run's accuracy on its own test images, made worse step by step."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fer_core.config import SCHEMA_VERSION
from fer_core.inference import Predictor
from fer_core.robustness.corruptions import CORRUPTIONS, SEVERITIES, Corruption, corrupt
from fer_core.robustness.unseen import UnseenFaces, clean_probabilities, require_more, unseen_faces
from fer_core.runs import ROBUSTNESS_FILE, Run

Advance = Callable[[str, int, int], None]  # what is measured, parts done, parts in all


def measure_corruptions(
    run: Run, *, limit: int | None = None, seed: int = 0, device: str = "cpu", advance: Advance | None = None
) -> dict[str, Any]:
    """Measure every corruption in every severity on a run's test images, write robustness.json, and return it.

    `limit` images are drawn evenly; `clean` is the accuracy on the same images as they are. The file is written once
    all is measured. Raises FerError, in one sentence, where weights or dataset are missing.
    """
    predictor = Predictor.from_run(run, device)
    unseen = unseen_faces(run, limit)
    require_more(run, ROBUSTNESS_FILE, unseen)
    parts = len(CORRUPTIONS) * len(SEVERITIES) + 1
    tell = advance or quietly
    tell("clean", 0, parts)
    clean = unseen.score(clean_probabilities(predictor, unseen))
    measured: dict[str, dict[str, Any]] = {}
    for place, corruption in enumerate(CORRUPTIONS.values()):
        steps = []
        for severity in SEVERITIES:
            tell(corruption.name, 1 + place * len(SEVERITIES) + severity - 1, parts)
            steps.append(_step(predictor, unseen, corruption, severity, seed))
        measured[corruption.name] = {"unit": corruption.unit, "severities": steps}
    tell("done", parts, parts)
    accuracies = [step["accuracy"] for each in measured.values() for step in each["severities"]]
    report = {
        "schema_version": SCHEMA_VERSION,
        **unseen.facts(run),
        "seed": seed,
        "clean": clean,
        "mean_corruption_accuracy": float(np.mean(accuracies)),
        "corruptions": measured,
    }
    run.write_json(ROBUSTNESS_FILE, report)
    return report


def _step(
    predictor: Predictor, unseen: UnseenFaces, corruption: Corruption, severity: int, seed: int
) -> dict[str, Any]:
    worse = corrupt(unseen.faces, corruption.name, severity, seed)
    level = corruption.levels[severity - 1]
    return {"severity": severity, "level": level, **unseen.score(predictor.predict_faces(worse))}


def quietly(what: str, done: int, parts: int) -> None:
    """Nobody watches."""
