"""tta.json: what a run gains where the probabilities of several views of each face are averaged.

Source of the ten crops: Krizhevsky, Sutskever and Hinton (2012), four corners and the centre, each with its mirror
image. Theirs are 224 of 256 pixels; faces fill their crop, so that here they are 11/12 of the side (44 of 48),
enlarged again to the side that the network knows.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fer_core.config import SCHEMA_VERSION
from fer_core.errors import FerError
from fer_core.evaluation import apply_temperature
from fer_core.inference import Predictor
from fer_core.robustness.measure import Advance, quietly
from fer_core.robustness.unseen import clean_probabilities, require_more, unseen_faces
from fer_core.runs import TTA_FILE, Run, read_tta

VIEWS = {"flip": 2, "ten_crop": 10}
CROP = 11 / 12


def views_of(faces: np.ndarray, kind: str) -> Iterator[np.ndarray]:
    """The views of `faces` (N, H, W) or (N, H, W, 3) whose answers are averaged: "flip" has two, "ten_crop" ten."""
    if kind not in VIEWS:
        raise FerError(f"unknown test-time augmentation {kind!r}; choose from {', '.join(VIEWS)}")
    if kind == "flip":
        yield from (faces, _mirrored(faces))
        return
    height, width = faces.shape[1:3]
    inner = round(CROP * height), round(CROP * width)
    down, right = height - inner[0], width - inner[1]
    for top, left in ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)):
        crop = np.ascontiguousarray(faces[:, top : top + inner[0], left : left + inner[1]])
        yield from (crop, _mirrored(crop))


def _mirrored(faces: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(faces[:, :, ::-1])


def measure_averaging(
    run: Run, kind: str, *, limit: int | None = None, device: str = "cpu", advance: Advance | None = None
) -> dict[str, Any]:
    """Measure one kind of test-time augmentation on a run's test images, write it into tta.json, and return that.

    The probabilities of the views are averaged with equal weights, before calibration, as training does for the saved
    mirror image; `clean` is the accuracy of the face alone on the same images. Kinds that were measured before on the
    same images stay. Raises FerError as `measure_corruptions` does.
    """
    if kind not in VIEWS:
        raise FerError(f"unknown test-time augmentation {kind!r}; choose from {', '.join(VIEWS)}")
    predictor = Predictor.from_run(run, device)
    unseen = unseen_faces(run, limit)
    require_more(run, TTA_FILE, unseen)
    tell, parts = advance or quietly, VIEWS[kind] + 1
    tell("clean", 0, parts)
    clean = unseen.score(clean_probabilities(predictor, unseen))
    total = np.zeros((len(unseen), len(predictor.emotions)))
    for number, view in enumerate(views_of(unseen.faces, kind), start=1):
        tell(kind, number, parts)
        total += apply_temperature(predictor.predict_faces(view), 1 / predictor.temperature)
    tell("done", parts, parts)
    facts = unseen.facts(run)
    found = {"views": VIEWS[kind], **unseen.score(total)}
    kinds = {name: value for name, value in _measured(run, facts).items() if name != kind} | {kind: found}
    report = {"schema_version": SCHEMA_VERSION, **facts, "clean": clean, "kinds": kinds}
    run.write_json(TTA_FILE, report)
    return report


def _measured(run: Run, facts: dict[str, Any]) -> dict[str, Any]:
    """The kinds that tta.json has on the same images."""
    there = read_tta(run) or {}
    return dict(there["kinds"]) if all(there.get(key) == value for key, value in facts.items()) else {}
