"""fit(): the training loop, read from top to bottom as a timeline."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from fer_core.config import Recipe
from fer_core.devices import (
    generator_state,
    seed_generator,
    set_generator_state,
    synchronize,
)
from fer_core.errors import FerError
from fer_core.training.optimization import Progress
from fer_core.training.passes import TrainingSet, evaluate, measure_statistics
from fer_core.training.state import EpochPart, TrainingState
from fer_core.training.updates import Updates


class TrainingDiverged(FerError):  # noqa: N818 - it is what happened
    """The loss became NaN or infinite."""


class TrainingStopped(KeyboardInterrupt):
    """An observer interrupted the training after a batch; says who wanted it. It can go on from its checkpoint."""


class Observer(Protocol):
    """Who watches a training."""

    def batch_done(self, epoch: int, done: int, total: int, images_per_s: float) -> None:
        """After every batch: images seen in this epoch, and how fast. TrainingStopped ends the training here."""

    def interrupted(self, checkpoint: dict[str, Any]) -> None:
        """After a stop within an epoch: everything needed to go on with its next batch."""

    def epoch_done(self, record: dict[str, Any], checkpoint: dict[str, Any]) -> None:
        """After every epoch: its line of metrics, and everything needed to resume after it."""


@dataclass
class FitResult:
    """The weights of the best epoch, on the CPU, and how the training went."""

    weights: dict[str, Tensor]
    progress: Progress
    epochs_run: int
    history: list[dict[str, Any]] = field(default_factory=list)


def fit(
    model: nn.Module,
    train: TrainingSet,
    valid: TrainingSet,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device,
    observer: Observer,
    checkpoint: Mapping[str, Any] | None = None,
) -> FitResult:
    """Train `model` and return the epoch that was best on `valid`.

    With the `checkpoint` of an interrupted training the result equals the uninterrupted one.
    Raises TrainingDiverged as soon as an epoch's loss is not finite, and TrainingStopped where the observer does.
    """
    model.to(device).to(memory_format=torch.channels_last)
    state = TrainingState.create(model, recipe, train, device)
    if checkpoint:
        state.restore(checkpoint)
    update = Updates.of(state, train)
    while state.epoch < recipe.epochs and not state.progress.should_stop(recipe):
        try:
            train_loss, train_accuracy, seconds = train_epoch(update, seed, observer)
        except TrainingStopped:
            observer.interrupted(state.checkpoint())
            raise
        measure_statistics(state.evaluated_model, train, recipe.statistics_images)
        valid_loss, valid_accuracy = evaluate(state.evaluated_model, valid)
        if not math.isfinite(train_loss + valid_loss):
            raise TrainingDiverged(
                f"the loss became {train_loss} in epoch {state.epoch + 1}; a lower learning rate than "
                f"{recipe.learning_rate:g} or a gradient_clip may help"
            )
        record = {
            "epoch": state.epoch + 1,
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "valid_loss": valid_loss,
            "valid_accuracy": valid_accuracy,
            "learning_rate": state.current_learning_rate,
            "seconds": seconds,
            "images_per_s": len(train) / seconds,
        }
        state.finish_epoch(record)
        observer.epoch_done(record, state.checkpoint())
    return FitResult(state.best_weights, state.progress, state.epoch, state.history)


def train_epoch(update: Updates, seed: int, observer: Observer) -> tuple[float, float, float]:
    """One pass over the training set, or the rest of one; the mean loss, the accuracy while training, and seconds."""
    state, train, noise = update.state, update.train, update.noise
    device, part = state.device, state.part
    epoch_seed = seed * 1_000_003 + state.epoch  # everything random follows from the seed and the epoch: see resume
    seed_generator(epoch_seed, device)
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(epoch_seed)).to(device)
    noise.manual_seed(epoch_seed)
    if part.noise is not None and part.dropout is not None and len(part.noise) == len(noise.get_state()):
        # of another length it is that of another kind of device, on which the epoch began
        noise.set_state(part.noise)
        set_generator_state(part.dropout, device)
    totals = torch.tensor([part.loss_sum, part.correct], device=device, dtype=torch.float64)
    began, seen = time.perf_counter() - part.seconds, part.seen
    state.model.train()
    # the last batch's: after a stop at an epoch's end no other is left that would set it
    before = max(0, seen - 1) // state.recipe.batch_size * state.recipe.batch_size
    state.set_learning_rate(state.epoch + before / len(train))
    for batch in order[seen:].split(state.recipe.batch_size):
        if len(batch) <= 1 < len(train):
            continue  # batch normalisation has no variance over one image; of an epoch's end no image is left
        state.set_learning_rate(state.epoch + seen / len(train))
        loss, correct = update(batch)
        totals += torch.stack((loss * len(batch), correct))
        seen += len(batch)
        seconds = time.perf_counter() - began
        try:
            observer.batch_done(state.epoch + 1, seen, len(train), seen / seconds)
        except TrainingStopped:
            loss_sum, correct_sum = totals.tolist()
            places = {"noise": noise.get_state(), "dropout": generator_state(device)}
            state.part = EpochPart(seen, loss_sum, correct_sum, seconds, **places)
            raise
    synchronize(device)
    loss_sum, correct_sum = totals.tolist()
    return loss_sum / max(1, seen), correct_sum / max(1, seen), time.perf_counter() - began
