"""From a spec to a finished run folder: prepare, fit, predict, evaluate; resumable at every epoch."""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch's own documentation uses

from fer_core.architectures import DescriptorMLP, parameter_counts
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, Split, load_dataset
from fer_core.devices import resolve_device, resolve_precision, seed_generator
from fer_core.errors import FerError, is_full_disk
from fer_core.evaluation import evaluate_run
from fer_core.heap import freed_memory_kept
from fer_core.runs import Run, RunExistsError, RunStore, stored_precision
from fer_core.training.columns import RemovalHistory, as_columns, fit_columns
from fer_core.training.distillation import check_teacher, with_teacher
from fer_core.training.environment import environment, forget_peak_memory, peak_memory_bytes
from fer_core.training.folds import FoldResult, best_fold, named, pooled_predictions, total_notes
from fer_core.training.loop import FitResult, Observer, fit
from fer_core.training.passes import TrainingSet, predict_logits
from fer_core.training.prepare import Plan, PreparedSplit
from fer_core.training.progress import RunObserver
from fer_core.training.start import initial_model
from fer_core.training.unseen import check_unseen

SEED_STEP = 7919  # a prime between the seeds of neighbouring folds
SHOWN_REMOVALS = 2  # folds whose bimodal removal is kept: the two halves of the first repetition


def train_run(
    spec: RunSpec,
    store: RunStore,
    *,
    device: str = "auto",
    dataset: FaceDataset | None = None,
    watcher: Observer | None = None,
    asked_to_stop: Callable[[], str] = str,
    make: bool = True,
) -> Run:
    """Train and evaluate `spec`, or go on where it stopped; a finished run is returned as it is.

    A protocol of several folds trains one network each, and the run holds the predictions of all.
    `dataset` saves loading it again. `asked_to_stop` names who wants the training to stop, else nothing;
    then, or when the run's folder holds a request to stop, the run is left `cancelled` and TrainingStopped
    raised. A loss that is not finite ends it as `failed`. Both keep a checkpoint.
    Raises RunError if another process trains it now, or if it is not there and `make` is false, and FerError for a
    device that is not here, though nothing be left to train.
    """
    target = resolve_device(device)
    found = store.find(spec)
    if found is not None and found.state == "finished":
        return found
    if target.type == "cuda" and target.index is not None:
        torch.cuda.set_device(target)  # what is not told a device means this one
    plan, model = _planned(spec, store, dataset)
    run = claim(spec, store) if make else store.get(spec.run_id)
    with run.lock():
        if run.status.state == "finished":
            return run
        with recorded_end(run), freed_memory_kept(target):
            _Training(run, plan, store, target, watcher, asked_to_stop).complete(model)
    return run


def check_spec(spec: RunSpec, store: RunStore, dataset: FaceDataset | None = None) -> None:
    """Raises FerError, in one sentence, where `train_run` would refuse `spec` before it begins."""
    _planned(spec, store, dataset)


def _planned(spec: RunSpec, store: RunStore, dataset: FaceDataset | None) -> tuple[Plan, nn.Module]:
    """What `spec` means, checked, and the network that it begins with."""
    plan = Plan.make(dataset or load_dataset(spec.dataset), spec)
    check_teacher(plan, store)
    check_unseen(plan, store)
    return plan, initial_model(spec, plan.one_face(), store)


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
def recorded_end(run: Run) -> Iterator[None]:
    """Write into the run how its training ended, whatever happens."""
    try:
        yield
    except KeyboardInterrupt as stop:
        by = str(stop) or "Ctrl-C"
        message = f"stopped by {by} after epoch {run.status.epoch}; it can be resumed from there"
        run.update_status(state="cancelled", eta_s=None, message=message)
        run.append_log(message)
        raise
    except Exception as error:
        message = "the disk of the runs is full; make room and resume" if is_full_disk(error) else str(error)
        run.update_status(state="failed", eta_s=None, message=message or type(error).__name__)
        run.append_log(f"failed: {message}" if isinstance(error, FerError) else traceback.format_exc())
        raise


@dataclass(frozen=True)
class _Training:
    """One training of a run, from its checkpoint or its beginning to its end."""

    run: Run
    plan: Plan
    store: RunStore
    device: torch.device
    watcher: Observer | None
    asked_to_stop: Callable[[], str]

    def complete(self, model: nn.Module) -> None:
        """Train every fold that is not done yet, and finish the run; `model` tells its size."""
        run, splits, spec = self.run, self.plan.splits, self.plan.spec
        checkpoint = run.checkpoint() or {}
        done = [FoldResult.from_checkpoint(saved) for saved in checkpoint.get("folds", [])]
        began = time.monotonic() - checkpoint.get("wall_s", 0.0)
        forget_peak_memory(self.device)
        total = spec.recipe.epochs * len(splits)
        run.update_status(state="running", epochs=total, device=str(self.device), message="preparing the images")
        run.append_log(f"{'resumed' if checkpoint else 'started'} on {self.device}")
        facts = self._facts(model)
        run.rewrite_metrics(_lines(done, splits, checkpoint))
        for position in range(len(done), len(splits)):
            observer = RunObserver(run, self.plan, done, began, self.watcher, self.asked_to_stop)
            inner = checkpoint if position == checkpoint.get("position") else None
            done.append(self._train_fold(splits[position], position, observer, inner))
            observer.fold_done(done[-1])
        self._finish(done, facts, time.monotonic() - began)

    def _facts(self, model: nn.Module) -> dict[str, Any]:
        """What environment.json says from the beginning: the code may have changed by the training's end."""
        every, trainable = parameter_counts(model)
        faces, dataset = self.plan.one_face(), self.plan.dataset
        if dataset.is_table:
            learnt: dict[str, Any] = {"inputs": "descriptors"}
        else:  # what `auto` came to on this device
            precision = resolve_precision(self.plan.spec.recipe.precision, self.device)
            learnt = {"precision": str(precision).removeprefix("torch."), "image_size": faces.shape[-1]}
        return {
            **environment(self.device),
            "parameters": every,
            "trainable_parameters": trainable,
            **learnt,
            "channels": dataset.channels,
            **({"folds": len(self.plan.splits)} if len(self.plan.splits) > 1 else {}),
        }

    def _train_fold(
        self, split: Split, position: int, observer: RunObserver, checkpoint: dict[str, Any] | None
    ) -> FoldResult:
        spec, seed = self.plan.spec, self.plan.spec.seed + SEED_STEP * position
        prepared = self.plan.prepare(split, self.device)
        prepared = replace(prepared, train=self._taught(prepared.train, split, observer))
        seed_generator(seed, self.device)
        model = initial_model(spec, prepared.train.faces, self.store)
        result, removal = _fit(model, prepared, spec, seed, self.device, observer, checkpoint)
        # the precision of the file: so the figures are those of the weights that one can load
        model.load_state_dict(stored_precision(result.weights))
        return FoldResult(
            fold=split.fold,
            arrays=predict_splits(model, prepared),
            weights=result.weights,
            history=[{**named(split.fold), **line} for line in result.history],
            valid_accuracy=result.progress.best_accuracy,
            best_epoch=result.progress.best_epoch,
            epochs_run=result.epochs_run,
            notes=prepared.notes,
            train_images=len(prepared.train),
            removal={"fold": split.fold, **removal.to_json()} if removal else None,
        )

    def _taught(self, train: TrainingSet, split: Split, observer: RunObserver) -> TrainingSet:
        def read(count: int) -> None:
            observer.preparing(f"the teacher reads: {count}/{len(train)} images")

        taught = with_teacher(train, self.plan, split, self.store, self.device, read)
        if len(taught) < len(train):
            left_out = f"{len(train) - len(taught)} of {len(train)} training images"
            self.run.append_log(f"label cleaning left out {left_out}, whose label the teacher doubts")
        return taught

    def _finish(self, folds: Sequence[FoldResult], facts: dict[str, Any], wall_s: float) -> None:
        """Save the best weights and all predictions, evaluate, and mark the run finished."""
        run, best = self.run, best_fold(folds)
        run.save_weights(best.weights)
        run.save_predictions(pooled_predictions(folds))
        removals = [fold.removal for fold in folds if fold.removal]
        if removals:
            run.write_data("bdr.json", {"folds": removals[:SHOWN_REMOVALS]})
        test = evaluate_run(run)["splits"]["test"]
        rates = [line["images_per_s"] for fold in folds for line in fold.history if "images_per_s" in line]
        run.write_json(
            "environment.json",
            {
                **facts,
                **({"weights_fold": best.fold} if best.fold else {}),
                "train_images": best.train_images,
                "notes": total_notes(folds),
                "wall_s": wall_s,
                "peak_memory_bytes": peak_memory_bytes(self.device),
                "best_epoch": best.best_epoch,
                "epochs_run": sum(fold.epochs_run for fold in folds),
                "images_per_s": float(np.median(rates)) if rates else None,
            },
        )
        run.append_log(f"finished; test accuracy {test['accuracy']:.4f} (n = {test['n']})")
        run.update_status(state="finished", eta_s=0.0, message="")
        run.remove_checkpoint()


def _lines(done: Sequence[FoldResult], splits: Sequence[Split], checkpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The metrics of every epoch that counts: of finished folds, and of the one to go on with."""
    lines = [line for fold in done for line in fold.history]
    if "position" not in checkpoint:
        return lines
    return lines + [{**named(splits[checkpoint["position"]].fold), **line} for line in checkpoint["history"]]


def _fit(
    model: nn.Module,
    prepared: PreparedSplit,
    spec: RunSpec,
    seed: int,
    device: torch.device,
    observer: Observer,
    checkpoint: dict[str, Any] | None,
) -> tuple[FitResult, RemovalHistory | None]:
    if isinstance(model, DescriptorMLP):
        train, valid = as_columns(model, spec.recipe, prepared.train, prepared.valid)
        return fit_columns(model, train, valid, spec.recipe, seed=seed, device=device, observer=observer)
    result = fit(
        model,
        prepared.train,
        prepared.valid,
        spec.recipe,
        seed=seed,
        device=device,
        observer=observer,
        checkpoint=checkpoint,
    )
    return result, None


def predict_splits(model: nn.Module, prepared: PreparedSplit) -> dict[str, np.ndarray]:
    """The arrays of predictions.npz for valid and test; for test faces also averaged with the mirror images'."""
    arrays: dict[str, np.ndarray] = {}
    for split, data in (("valid", prepared.valid), ("test", prepared.test)):
        arrays |= {
            f"{split}_ids": prepared.ids[split],
            f"{split}_labels": data.labels.cpu().numpy(),
            f"{split}_probabilities": _probabilities(model, data.faces).numpy(),
            f"{split}_clean": prepared.clean[split],
        }
    if prepared.test.faces.ndim == 2:
        return arrays  # columns have no mirror image
    mirrored = _probabilities(model, prepared.test.faces.flip(-1)).numpy()
    return arrays | {"test_flip_probabilities": (arrays["test_probabilities"] + mirrored) / 2}


def _probabilities(model: nn.Module, faces: Tensor) -> Tensor:
    return F.softmax(predict_logits(model, faces), dim=1).cpu()
