"""Runs for the dashboard to show, written through RunStore into whatever folder a test has."""

from typing import Any

import numpy as np

from fer_core.config import Recipe, RunSpec
from fer_core.evaluation import evaluate_run
from fer_core.labels import EMOTIONS
from fer_core.runs import Run, RunStore

PARAMETERS = {"mini_xception": 58_423, "conv_relu_ann": 2_489_095, "linear": 16_135}
SHARES = (0.13, 0.02, 0.14, 0.25, 0.17, 0.11, 0.18)  # of the emotions, as in FER2013
CONFUSED_WITH = (4, 0, 4, 6, 6, 2, 4)  # each emotion's usual mistake


def make_spec(
    architecture: str = "mini_xception", preprocessing: str = "raw", dataset: str = "synthetic", **changes: Any
) -> RunSpec:
    """A spec whose recipe is short to write down."""
    recipe = Recipe(
        name="modern", epochs=changes.pop("epochs", 20), batch_size=128, optimizer="adamw", learning_rate=2e-3
    )
    return RunSpec(
        architecture, preprocessing, dataset, changes.pop("protocol", "official"), recipe, **{"seed": 0, **changes}
    )


def make_run(
    store: RunStore, architecture: str = "mini_xception", preprocessing: str = "raw", dataset: str = "synthetic",
    *, accuracy: float = 0.62, n: int = 400, weights: bool = False, **changes: Any
) -> Run:  # fmt: skip
    """A complete finished run whose drawn predictions reach about `accuracy`."""
    spec = make_spec(architecture, preprocessing, dataset, **changes)
    run = store.create(spec)
    random = np.random.default_rng(int(accuracy * 1e6) + spec.seed)
    run.save_predictions(_predictions(random, accuracy, n))
    evaluate_run(run)
    _write_history(run, accuracy)
    run.write_json("environment.json", _environment(spec))
    if weights:
        _save_untrained_weights(run)
    run.update_status(state="finished", epoch=spec.recipe.epochs, device="cpu", eta_s=0.0)
    return run


def make_unfinished(store: RunStore, state: str, message: str = "", epoch: int = 3, **changes: Any) -> Run:
    """A run that has trained for some epochs and says that it is in `state`."""
    run = store.create(make_spec(**changes))
    _write_history(run, 0.5, epoch)
    run.append_log("started on cpu")
    run.update_status(state=state, epoch=epoch, epochs=20, eta_s=600.0, device="cpu", message=message)
    return run


def _predictions(random: np.random.Generator, accuracy: float, n: int) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for split in ("valid", "test"):
        labels = random.choice(len(EMOTIONS), n, p=SHARES)
        labels[: len(EMOTIONS)] = range(len(EMOTIONS))
        clean = random.random(n) > 0.08
        plain = _probabilities(random, labels, accuracy)
        arrays |= {
            f"{split}_ids": np.array([f"{EMOTIONS[label]}/{split}_{row}" for row, label in enumerate(labels)]),
            f"{split}_labels": labels,
            f"{split}_probabilities": plain,
            f"{split}_flip_probabilities": (plain + _probabilities(random, labels, accuracy + 0.01)) / 2,
            f"{split}_clean": clean,
        }
    return arrays


def _probabilities(random: np.random.Generator, labels: np.ndarray, accuracy: float) -> np.ndarray:
    logits = random.normal(0, 1, (len(labels), len(EMOTIONS)))
    hit = random.random(len(labels)) < accuracy
    usual = np.where(random.random(len(labels)) < 0.5, np.asarray(CONFUSED_WITH)[labels], (labels + 3) % len(EMOTIONS))
    logits[np.arange(len(labels)), np.where(hit, labels, usual)] += 4
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)


def _write_history(run: Run, accuracy: float, epochs: int | None = None) -> None:
    total = epochs or run.spec.recipe.epochs
    for epoch in range(1, total + 1):
        learnt = 1 - np.exp(-3 * epoch / run.spec.recipe.epochs)
        run.append_metrics(
            {
                "epoch": epoch,
                "train_loss": 1.9 - 1.2 * learnt,
                "train_accuracy": 0.15 + (accuracy - 0.05) * learnt,
                "valid_loss": 1.9 - 0.9 * learnt + 0.02 * np.sin(epoch),
                "valid_accuracy": 0.15 + (accuracy - 0.15) * learnt + 0.005 * np.sin(epoch),
                "learning_rate": 2e-3 * (1 - epoch / (total + 1)),
                "seconds": 35.0,
                "images_per_s": 820.0,
            }
        )
        run.append_log(f"epoch {epoch}/{total}")


def _environment(spec: RunSpec) -> dict[str, Any]:
    parameters = PARAMETERS.get(spec.architecture, 100_000)
    return {
        "python": "3.11.9",
        "packages": {"torch": "2.11.0", "torchvision": "0.26.0"},
        "platform": "Linux x86_64",
        "cpu": "Some Processor",
        "cores": 2,
        "threads": 2,
        "device": "cpu",
        "device_name": "Some Processor",
        "commit": "0123abc",
        "wall_s": 35.0 * spec.recipe.epochs,
        "peak_memory_bytes": 812_000_000,
        "parameters": parameters,
        "trainable_parameters": parameters - 1472,
        "image_size": 48,
        "channels": 1,
        "best_epoch": spec.recipe.epochs - 2,
        "epochs_run": spec.recipe.epochs,
        "images_per_s": 820.0,
        "train_images": 28_709,
        "notes": {},
    }


def _save_untrained_weights(run: Run) -> None:
    import torch

    from fer_core.architectures import build

    torch.manual_seed(run.spec.seed)
    run.save_weights(build(run.spec.architecture).state_dict())
