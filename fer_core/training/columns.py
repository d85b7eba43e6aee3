"""Training on descriptors: fit their components, then an MLP on the columns, with bimodal removal if asked for."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch's own documentation uses

from fer_core.architectures import DescriptorMLP
from fer_core.config import Recipe
from fer_core.training.bdr import BimodalRemoval, ErrorDistribution, RemovalRecord
from fer_core.training.loop import FitResult, Observer, TrainingDiverged, train_epoch
from fer_core.training.passes import TrainingSet, evaluate, predict_logits
from fer_core.training.state import TrainingState
from fer_core.training.updates import Updates

REPORTS = 40  # epochs are a thousandth of those of a network of pixels: only so many have a line of metrics


@dataclass
class RemovalHistory:
    """How the training samples' errors lay over the epochs, and what was removed: `bdr.json` of one fold."""

    distributions: list[ErrorDistribution] = field(default_factory=list)
    rounds: list[RemovalRecord] = field(default_factory=list)
    stopped_at: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def as_columns(model: DescriptorMLP, recipe: Recipe, *parts: TrainingSet) -> list[TrainingSet]:
    """The parts, training part first, as columns (N, D); components and scaling are fitted on the training part."""
    train = parts[0]
    if train.faces.ndim == 2:
        columns = [part.faces for part in parts]
    else:
        described = [model.describe(part.faces) for part in parts]
        model.fit_components(described[0])
        columns = [model.project(each).to(train.faces.device) for each in described]
    if recipe.column_scaling == "standard":
        model.scale_columns(columns[0])
    return [TrainingSet(each, part.labels, part.classes) for each, part in zip(columns, parts, strict=True)]


def fit_columns(
    model: DescriptorMLP,
    train: TrainingSet,
    valid: TrainingSet,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device,
    observer: Observer,
) -> tuple[FitResult, RemovalHistory]:
    """Train the MLP on columns (see `as_columns`) and return the reported epoch that was best on `valid`.

    Raises TrainingDiverged where the loss is not finite. A fold takes seconds, so that it is not resumed.
    """
    state = TrainingState.create(model.to(device), recipe, train, device)
    removal = _removal(recipe)
    history, update = RemovalHistory(), Updates.of(state, train)
    every = max(1, recipe.epochs // REPORTS)
    if removal is not None:
        every = min(every, removal.every)  # its training may end within a few rounds
    for epoch in range(1, recipe.epochs + 1):
        loss, accuracy, _ = train_epoch(update, seed, observer)
        if removal is not None and removal.is_due(epoch):
            left, stops = _remove(state, removal, epoch, update.train, history)
            update = Updates.of(state, left)
            history.stopped_at = epoch if stops else None
        is_last = epoch == recipe.epochs or history.stopped_at is not None
        if epoch % every == 0 or is_last:
            _report(state, epoch, (loss, accuracy), update.train, valid, observer, history)
        else:
            state.epoch = epoch
        if is_last:
            break
    return FitResult(state.best_weights, state.progress, state.epoch, state.history), history


def sample_errors(state: TrainingState, train: TrainingSet) -> Tensor:
    """The cross-entropy of each training sample, (N,)."""
    return F.cross_entropy(predict_logits(state.evaluated_model, train.faces), train.labels, reduction="none").cpu()


def _removal(recipe: Recipe) -> BimodalRemoval | None:
    if not recipe.bdr_start:
        return None
    return BimodalRemoval(recipe.bdr_start, recipe.bdr_every, recipe.bdr_alpha, recipe.bdr_stop_variance)


def _remove(
    state: TrainingState, removal: BimodalRemoval, epoch: int, train: TrainingSet, history: RemovalHistory
) -> tuple[TrainingSet, bool]:
    """One round of removal: the samples that stay, and whether training ends."""
    rows = torch.arange(len(train)).numpy()
    outcome = removal.run_round(epoch, sample_errors(state, train).numpy(), rows)
    history.rounds.append(outcome.record)
    kept = torch.from_numpy(outcome.kept).to(train.labels.device)
    return TrainingSet(train.faces[kept], train.labels[kept], train.classes), outcome.stop


def _report(
    state: TrainingState,
    epoch: int,
    trained: tuple[float, float],
    train: TrainingSet,
    valid: TrainingSet,
    observer: Observer,
    history: RemovalHistory,
) -> None:
    valid_loss, valid_accuracy = evaluate(state.evaluated_model, valid)
    errors = sample_errors(state, train)
    if not torch.isfinite(errors).all() or valid_loss != valid_loss:
        raise TrainingDiverged(f"the loss is not finite in epoch {epoch}; a lower learning rate may help")
    history.distributions.append(ErrorDistribution.of(epoch, errors.numpy()))
    record = {
        "epoch": epoch,
        "train_loss": trained[0],
        "train_accuracy": trained[1],
        "valid_loss": valid_loss,
        "valid_accuracy": valid_accuracy,
        "learning_rate": state.current_learning_rate,
        "train_images": len(train),
    }
    state.finish_epoch(record)
    observer.epoch_done(record, {})
