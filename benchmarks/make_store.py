"""A folder of many drawn runs, to measure and to try how the dashboard copes with them.

    python -m benchmarks.make_store FOLDER [--runs 1000] [--seed 0]

Every run has the files of a real one, written through RunStore. Their predictions are drawn (each image is as hard
for one run as for the next), and evaluated as those of a training are; runs of one kind share the file, by a link.
The datasets are called `drawn_…`: nothing here is a result.
"""

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.config import Recipe, RunSpec
from fer_core.errors import FerError
from fer_core.evaluation import evaluate_run
from fer_core.labels import EMOTIONS
from fer_core.runs import Run, RunStore

IMAGES = 3589  # of each split, as in FER2013
KINDS = 40  # different files of predictions for each board
PARAMETERS = {
    **{"linear": 16_135, "mini_xception": 58_423, "two_block_cnn": 311_000, "se_resnet": 557_353},
    **{"resnet18": 11_173_000, "conv_relu_ann": 2_489_095, "six_conv_cnn": 1_200_000, "deep_cnn": 4_500_000},
    **{"shallow_cnn": 180_000, "efficientnet_lite0": 3_380_000},
}
PIPELINES = ("raw", "gcn", "hist_eq", "gcn+hist_eq", "clahe", "median", "salt_pepper", "gcn(lam=10)+hist_eq")
BOARDS = (("drawn_faces", "official"), ("drawn_faces", "random_80_20"), ("synthetic", "official"))
SHARES = (0.13, 0.02, 0.14, 0.25, 0.17, 0.11, 0.18)  # of the emotions, as in FER2013
OTHER_STATES = {0: "failed", 1: "cancelled", 2: "running", 3: "queued", 4: "damaged"}  # by the number modulo 100


@dataclass(frozen=True)
class Kind:
    """A finished run whose files others take over, and the accuracy that its history rises to."""

    run: Run
    accuracy: float


def specs(count: int, seed: int = 0) -> Iterator[RunSpec]:
    """`count` different specs: every architecture and pipeline on every board, over and over with the next seed."""
    for number in range(count):
        place, architecture = divmod(number, len(PARAMETERS))
        place, pipeline = divmod(place, len(PIPELINES))
        repetition, board = divmod(place, len(BOARDS))
        recipe = Recipe(("modern", "paper")[repetition // 5 % 2], 20 + repetition // 10, 128, "adamw", 2e-3)
        yield RunSpec(
            list(PARAMETERS)[architecture], PIPELINES[pipeline], *BOARDS[board], recipe, seed + repetition % 5
        )


def draw_predictions(skill: float, seed: int) -> dict[str, np.ndarray]:
    """Arrays of predictions.npz: who has more `skill` recognises more of images that are the same for all."""
    faces, random = np.random.default_rng(0), np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    for split in ("valid", "test"):
        labels = faces.choice(len(EMOTIONS), IMAGES, p=SHARES)
        labels[: len(EMOTIONS)] = range(len(EMOTIONS))
        hard, usual, clean = faces.normal(0, 1.5, IMAGES), faces.integers(1, 7, IMAGES), faces.random(IMAGES) > 0.08
        right = random.random(IMAGES) < 1 / (1 + np.exp(hard - skill))
        logits = random.normal(0, 1, (IMAGES, len(EMOTIONS)))
        logits[np.arange(IMAGES), np.where(right, labels, (labels + usual) % len(EMOTIONS))] += 4
        weights = np.exp(logits)
        arrays |= {
            f"{split}_ids": np.array([f"{split}_{row}" for row in range(IMAGES)]),
            f"{split}_labels": labels,
            f"{split}_probabilities": weights / weights.sum(axis=1, keepdims=True),
            f"{split}_clean": clean,
        }
    return arrays


def draw_kinds(store: RunStore, seed: int) -> list[Kind]:
    """A finished run of each skill, evaluated from its drawn predictions."""
    kinds = []
    for number in range(KINDS):
        recipe = Recipe("modern", 1, 128, "adamw", 1e-9 * (number + 1))
        run = store.create(RunSpec("kind", "raw", "drawn_faces", "official", recipe, number))
        run.save_predictions(draw_predictions(-0.4 + 1.6 * number / KINDS, seed + number))
        evaluate_run(run)
        kinds.append(Kind(run, run.evaluation()["splits"]["test"]["accuracy"]))
    return kinds


def write_run(store: RunStore, spec: RunSpec, kind: Kind, state: str) -> None:
    """One run with the files of its state; `damaged` has an evaluation that was cut off."""
    run = store.create(spec)
    epochs = spec.recipe.epochs
    done = epochs if state in ("finished", "damaged") else 0 if state == "queued" else epochs // 2
    run.rewrite_metrics([_epoch(epoch, epochs, kind.accuracy) for epoch in range(1, done + 1)])
    run.append_log("drawn, not trained")
    if state in ("finished", "damaged"):
        os.link(kind.run.path / "predictions.npz", run.path / "predictions.npz")
        shutil.copyfile(kind.run.path / "evaluation.json", run.path / "evaluation.json")
        run.write_json("environment.json", _environment(spec))
    if state == "damaged":
        (run.path / "evaluation.json").write_text('{"splits": ')
    stored = "finished" if state == "damaged" else state
    run.update_status(state=stored, epoch=done, device="cpu", message="the loss is not finite" * (state == "failed"))


def _epoch(epoch: int, epochs: int, accuracy: float) -> dict[str, Any]:
    learnt = 1 - float(np.exp(-3 * epoch / epochs))
    losses = {"train_loss": 1.9 - 1.2 * learnt, "valid_loss": 1.9 - 0.9 * learnt}
    shares = {"train_accuracy": 0.15 + accuracy * learnt, "valid_accuracy": 0.15 + (accuracy - 0.15) * learnt}
    return {"epoch": epoch, **losses, **shares, "learning_rate": 2e-3, "seconds": 35.0, "images_per_s": 820.0}


def _environment(spec: RunSpec) -> dict[str, Any]:
    parameters = PARAMETERS[spec.architecture]
    seconds = spec.recipe.epochs * (5 + parameters**0.5 / 20)
    facts = {"device": "cpu", "device_name": "Some Processor", "python": "3.11.9", "cores": 2, "threads": 2}
    figures = {"parameters": parameters, "trainable_parameters": parameters, "image_size": 48, "channels": 1}
    trained = {"wall_s": seconds, "epochs_run": spec.recipe.epochs, "best_epoch": spec.recipe.epochs - 2}
    return {**facts, **figures, **trained, "train_images": 28_709, "images_per_s": 820.0, "notes": {}}


def fill(folder: Path, count: int, seed: int = 0) -> RunStore:
    """Write `count` runs into a folder that is new or empty; raises FerError where it holds anything else."""
    store = RunStore(folder)
    if folder.exists() and any(folder.iterdir()):
        raise FerError(f"{folder} is not empty; name a folder that is new")
    folder.mkdir(parents=True, exist_ok=True)
    kinds_folder = folder / ".kinds"
    kinds = draw_kinds(RunStore(kinds_folder), seed)
    random = np.random.default_rng(seed)
    for number, spec in enumerate(specs(count, seed)):
        write_run(store, spec, _kind_of(spec, kinds, random), OTHER_STATES.get(number % 100, "finished"))
    shutil.rmtree(kinds_folder)  # the links keep the predictions
    return store


def _kind_of(spec: RunSpec, kinds: Sequence[Kind], random: np.random.Generator) -> Kind:
    """Larger networks are better, up to a point; pipelines differ a little, and so do seeds."""
    size = np.log10(PARAMETERS[spec.architecture])
    level = 0.8 - 0.12 * (size - 6.2) ** 2 - 0.02 * PIPELINES.index(spec.preprocessing) + random.normal(0, 0.03)
    return kinds[int(np.clip(level * KINDS, 0, KINDS - 1))]


def main() -> None:
    """Make the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a new folder for the runs")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        store = fill(arguments.folder, arguments.runs, arguments.seed)
    except FerError as error:
        raise SystemExit(f"error: {error}") from None
    print(f"{arguments.runs:,} runs in {store.root}")


if __name__ == "__main__":
    main()
