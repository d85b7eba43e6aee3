"""Runs for the dashboard to show, written through RunStore into whatever folder a test has."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from fer_core.config import Recipe, RunSpec
from fer_core.evaluation import evaluate_run
from fer_core.labels import EMOTIONS
from fer_core.runs import Run, RunStore
from fer_core.training.bdr import BimodalRemoval, ErrorDistribution

PARAMETERS = {"mini_xception": 58_423, "conv_relu_ann": 2_489_095, "linear": 16_135}
SHARES = (0.13, 0.02, 0.14, 0.25, 0.17, 0.11, 0.18)  # of the emotions, as in FER2013
CONFUSED_WITH = (4, 0, 4, 6, 6, 2, 4)  # each emotion's usual mistake


def make_spec(
    architecture: str = "mini_xception", preprocessing: str = "raw", dataset: str = "synthetic", **changes: Any
) -> RunSpec:
    """A spec whose recipe is short to write down."""
    names = {each.name for each in fields(Recipe)} - {"name"}
    values = {"epochs": 20, "batch_size": 128, "optimizer": "adamw", "learning_rate": 2e-3}
    values |= {name: changes.pop(name) for name in list(changes) if name in names}
    recipe = Recipe(name=changes.pop("recipe", "modern"), **values)
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
    run.save_predictions(_predictions(random, accuracy, n, spec.emotions))
    evaluate_run(run)
    _write_history(run, accuracy)
    run.write_json("environment.json", _environment(spec))
    if weights:
        _save_untrained_weights(run)
    run.update_status(state="finished", epoch=spec.recipe.epochs, device="cpu", eta_s=0.0)
    return run


def make_fold_run(
    store: RunStore, architecture: str = "two_block_cnn", dataset: str = "fer2013", *, accuracy: float = 0.52,
    n: int = 400, folds: int = 5, repetitions: int = 1, protocol: str = "kfold5", **changes: Any
) -> Run:  # fmt: skip
    """A finished run of several folds, each of about `n` / `folds` test images; repetitions predict them again."""
    spec = make_spec(architecture, dataset=dataset, protocol=protocol, **changes)
    run = store.create(spec)
    random = np.random.default_rng(int(accuracy * 1e6) + spec.seed)
    names = [
        f"{repetition}.{fold}" if repetitions > 1 else str(fold)
        for repetition in range(1, repetitions + 1)
        for fold in range(1, folds + 1)
    ]
    parts = [_fold_predictions(random, accuracy, n // folds, name, spec.emotions) for name in names]
    run.save_predictions({key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
    evaluate_run(run)
    for name in names:
        _write_history(run, accuracy, fold=name)
    epochs = spec.recipe.epochs * len(names)
    facts = {"folds": len(names), "weights_fold": names[0], "epochs_run": epochs}
    run.write_json("environment.json", _environment(spec) | facts)
    run.update_status(state="finished", epoch=epochs, epochs=epochs, device="cpu", eta_s=0.0)
    return run


def _fold_predictions(
    random: np.random.Generator, accuracy: float, n: int, fold: str, emotions: Sequence[str]
) -> dict[str, np.ndarray]:
    arrays = _predictions(random, accuracy + random.normal(0, 0.02), n, emotions)
    repeated = fold.rpartition(".")[2]  # a repetition tests the same images again
    for split in ("valid", "test"):
        arrays[f"{split}_ids"] = np.array([f"{split}_{repeated}_{row}" for row in range(n)])
        arrays[f"{split}_folds"] = np.full(n, fold)
    return arrays


def write_removals(run: Run, *, rounds: int = 4, samples: int = 300, folds: Sequence[str] = ("1.1", "1.2")) -> None:
    """bdr.json of a drawn training whose errors fall towards 0; `rounds` of removal, or none."""
    recipe = run.spec.recipe
    start, every = recipe.bdr_start or recipe.epochs, recipe.bdr_every
    told = [_removals_of(fold, number, start, every, rounds, samples) for number, fold in enumerate(folds)]
    run.write_json("bdr.json", {"folds": told})


def _removals_of(fold: str, seed: int, start: int, every: int, rounds: int, samples: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    errors = random.gamma(2.0, 0.5, samples)
    distributions, records = [], []
    for epoch in np.linspace(start / 10, start - 1, 10).astype(int):
        kept = random.random(samples) < 0.8
        distributions.append(ErrorDistribution.of(int(epoch), errors * np.where(kept, 1 - epoch / (start * 1.05), 1)))
    errors = errors * np.where(random.random(samples) < 0.8, 0.05, 1)
    removal = BimodalRemoval(start, every)
    for number in range(rounds):
        outcome = removal.run_round(start + number * every, errors, np.arange(len(errors)))
        records.append(outcome.record)
        errors = errors[outcome.kept] * 0.7
        distributions.append(ErrorDistribution.of(start + number * every, errors))
    stopped_at = start + (rounds - 1) * every if rounds else None
    return {
        "fold": fold,
        "distributions": [asdict(each) for each in distributions],
        "rounds": [asdict(each) for each in records],
        "stopped_at": stopped_at,
    }


def make_unfinished(store: RunStore, state: str, message: str = "", epoch: int = 3, **changes: Any) -> Run:
    """A run that has trained for some epochs and says that it is in `state`."""
    run = store.create(make_spec(**changes))
    _write_history(run, 0.5, epoch)
    run.append_log("started on cpu")
    run.update_status(state=state, epoch=epoch, epochs=20, eta_s=600.0, device="cpu", message=message)
    return run


def _predictions(
    random: np.random.Generator, accuracy: float, n: int, emotions: Sequence[str] = EMOTIONS
) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    shares = np.array([SHARES[EMOTIONS.index(emotion)] for emotion in emotions])
    for split in ("valid", "test"):
        labels = random.choice(len(emotions), n, p=shares / shares.sum())
        labels[: len(emotions)] = range(len(emotions))
        clean = random.random(n) > 0.08
        plain = _probabilities(random, labels, accuracy, len(emotions))
        arrays |= {
            f"{split}_ids": np.array([f"{emotions[label]}/{split}_{row}" for row, label in enumerate(labels)]),
            f"{split}_labels": labels,
            f"{split}_probabilities": plain,
            f"{split}_flip_probabilities": (plain + _probabilities(random, labels, accuracy + 0.01, len(emotions))) / 2,
            f"{split}_clean": clean,
        }
    return arrays


def _probabilities(random: np.random.Generator, labels: np.ndarray, accuracy: float, classes: int) -> np.ndarray:
    logits = random.normal(0, 1, (len(labels), classes))
    hit = random.random(len(labels)) < accuracy
    often = np.asarray(CONFUSED_WITH)[labels] % classes
    usual = np.where(random.random(len(labels)) < 0.5, often, (labels + 3) % classes)
    logits[np.arange(len(labels)), np.where(hit, labels, usual)] += 4
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)


def _write_history(run: Run, accuracy: float, epochs: int | None = None, fold: str = "") -> None:
    total = epochs or run.spec.recipe.epochs
    phase = sum(map(ord, fold))  # folds differ a little
    for epoch in range(1, total + 1):
        learnt = 1 - np.exp(-3 * epoch / run.spec.recipe.epochs)
        run.append_metrics(
            {
                **({"fold": fold} if fold else {}),
                "epoch": epoch,
                "train_loss": 1.9 - 1.2 * learnt,
                "train_accuracy": 0.15 + (accuracy - 0.05) * learnt,
                "valid_loss": 1.9 - 0.9 * learnt + 0.02 * np.sin(epoch + phase),
                "valid_accuracy": 0.15 + (accuracy - 0.15) * learnt + 0.005 * np.sin(epoch + phase),
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
    run.save_weights(build(run.spec.architecture, **run.spec.architecture_arguments).state_dict())
