"""From a spec to a finished run folder: prepare, fit, predict, evaluate; resumable at every epoch."""

import time
import traceback
from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch's own documentation uses

from fer_core.architectures import parameter_counts
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, load_dataset
from fer_core.devices import resolve_device
from fer_core.errors import FerError
from fer_core.evaluation import evaluate_run
from fer_core.runs import Run, RunExistsError, RunStore
from fer_core.training.environment import environment, peak_memory_bytes
from fer_core.training.loop import FitResult, Observer, TrainingDiverged, fit, predict_logits
from fer_core.training.prepare import PreparedSplit, build_model, prepare_split, validate_spec
from fer_core.training.progress import RunObserver


def train_run(
    spec: RunSpec,
    store: RunStore,
    *,
    device: str = "auto",
    dataset: FaceDataset | None = None,
    watcher: Observer | None = None,
) -> Run:
    """Train and evaluate `spec`, or go on where it stopped; a finished run is returned as it is.

    `dataset` saves loading it again. Raises RunError if another process trains it now. A loss that
    is not finite ends the run as `failed`; Ctrl-C leaves it `cancelled`, and both keep their checkpoint.
    """
    target = resolve_device(device)
    dataset = dataset or load_dataset(spec.dataset)
    validate_spec(dataset, spec)
    run = claim(spec, store)
    with run.lock():
        if run.status.state == "finished":
            return run
        with recorded_end(run):
            _train(run, dataset, target, watcher)
    return run


def claim(spec: RunSpec, store: RunStore) -> Run:
    """The run of `spec`, made now unless it is there."""
    found = store.find(spec)
    if found is not None:
        return found
    try:
        return store.create(spec)
    except RunExistsError:
        return Run(store.root / spec.run_id)


@contextmanager
def recorded_end(run: Run) -> Any:
    """Write into the run how its training ended, whatever happens."""
    try:
        yield
    except KeyboardInterrupt:
        message = f"stopped by hand after epoch {run.status.epoch}; the same command goes on from there"
        run.update_status(state="cancelled", eta_s=None, message=message)
        run.append_log(message)
        raise
    except Exception as error:
        known = isinstance(error, FerError | TrainingDiverged)
        run.update_status(state="failed", eta_s=None, message=str(error) or type(error).__name__)
        run.append_log(f"failed: {error}" if known else traceback.format_exc())
        raise


def _train(run: Run, dataset: FaceDataset, device: torch.device, watcher: Observer | None) -> None:
    spec = run.spec
    checkpoint = run.checkpoint()
    earlier = checkpoint["wall_s"] if checkpoint else 0.0
    began = time.monotonic()
    run.update_status(state="running", epochs=spec.recipe.epochs, device=str(device), message="preparing the images")
    run.append_log(f"{'resumed' if checkpoint else 'started'} on {device}")
    prepared = prepare_split(dataset, spec, device)
    torch.manual_seed(spec.seed)
    model = build_model(spec, prepared.train.faces)
    counts = parameter_counts(model)
    facts = {
        **environment(device),  # before training: the code may have changed by its end
        "parameters": counts[0],
        "trainable_parameters": counts[1],
        "image_size": prepared.train.faces.shape[-1],
        "channels": prepared.train.faces.shape[1],
        "train_images": len(prepared.train),
        "notes": prepared.notes,
    }
    observer = RunObserver(run, spec.recipe.epochs, device, began - earlier, watcher)
    run.rewrite_metrics(checkpoint["history"] if checkpoint else [])
    result = fit(
        model,
        prepared.train,
        prepared.valid,
        spec.recipe,
        seed=spec.seed,
        device=device,
        observer=observer,
        checkpoint=checkpoint,
    )
    finish(run, model, prepared, result, facts, device, wall_s=time.monotonic() - began + earlier)


def finish(
    run: Run,
    model: nn.Module,
    prepared: PreparedSplit,
    result: FitResult,
    facts: Mapping[str, Any],
    device: torch.device,
    wall_s: float,
) -> None:
    """Save the best weights, predict with what was saved, evaluate, and mark the run finished."""
    run.save_weights(result.weights)
    # read back: the figures are those of the file, which holds the kernels in half precision
    model.load_state_dict(run.weights())
    run.save_predictions(predict_splits(model, prepared))
    evaluation = evaluate_run(run)
    rates = [epoch["images_per_s"] for epoch in result.history]
    run.write_json(
        "environment.json",
        {
            **facts,
            "wall_s": wall_s,
            "peak_memory_bytes": peak_memory_bytes(device),
            "best_epoch": result.progress.best_epoch,
            "epochs_run": result.epochs_run,
            "images_per_s": float(np.median(rates)),
        },
    )
    test = evaluation["splits"]["test"]
    run.append_log(f"finished after {result.epochs_run} epochs; test accuracy {test['accuracy']:.4f} (n = {test['n']})")
    run.update_status(state="finished", eta_s=0.0, message="")
    run.remove_checkpoint()


def predict_splits(model: nn.Module, prepared: PreparedSplit) -> dict[str, np.ndarray]:
    """The arrays of predictions.npz for valid and test; for test also averaged with the mirror images'."""
    arrays: dict[str, np.ndarray] = {}
    for split, data in (("valid", prepared.valid), ("test", prepared.test)):
        arrays |= {
            f"{split}_ids": prepared.ids[split],
            f"{split}_labels": data.labels.cpu().numpy(),
            f"{split}_probabilities": _probabilities(model, data.faces).numpy(),
            f"{split}_clean": prepared.clean[split],
        }
    mirrored = _probabilities(model, prepared.test.faces.flip(-1)).numpy()
    return arrays | {"test_flip_probabilities": (arrays["test_probabilities"] + mirrored) / 2}


def _probabilities(model: nn.Module, faces: Tensor) -> Tensor:
    return F.softmax(predict_logits(model, faces), dim=1).cpu()
