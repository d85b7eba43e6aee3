"""fit(): the training loop, read from top to bottom as a timeline."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch's own documentation uses
from torch.optim.swa_utils import AveragedModel

from fer_core.augmentation import Augmentation
from fer_core.config import Recipe
from fer_core.devices import (
    generator_state,
    resolve_precision,
    seed_generator,
    set_generator_state,
    synchronize,
)
from fer_core.preprocessing import scale_to_symmetric
from fer_core.training.optimization import Progress, learning_rate, make_optimizer, regularized_weights

EVALUATION_BATCH = 256


class TrainingDiverged(RuntimeError):  # noqa: N818 - it is what happened
    """The loss became NaN or infinite."""


class TrainingStopped(KeyboardInterrupt):
    """An observer interrupted the training after a batch; says who wanted it. It can go on from its checkpoint."""


@dataclass(frozen=True)
class TrainingSet:
    """Preprocessed faces (N, C, H, W) uint8, or columns (N, D) float32, and labels (N,) int64, on the device."""

    faces: Tensor
    labels: Tensor
    classes: int

    def __len__(self) -> int:
        return len(self.labels)


class Observer(Protocol):
    """Who watches a training."""

    def batch_done(self, epoch: int, done: int, total: int, images_per_s: float) -> None:
        """After every batch: images seen in this epoch, and how fast. TrainingStopped ends the training here."""

    def interrupted(self, checkpoint: dict[str, Any]) -> None:
        """After a stop within an epoch: everything needed to go on with its next batch."""

    def epoch_done(self, record: dict[str, Any], checkpoint: dict[str, Any]) -> None:
        """After every epoch: its line of metrics, and everything needed to resume after it."""


@dataclass
class EpochPart:
    """How far an epoch is: images seen, sums over them, seconds, and where the random numbers are."""

    seen: int = 0
    loss_sum: float = 0.0
    correct: float = 0.0
    seconds: float = 0.0
    noise: Tensor | None = None
    dropout: Tensor | None = None


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
    while state.epoch < recipe.epochs and not state.progress.should_stop(recipe):
        try:
            train_loss, train_accuracy, seconds = train_epoch(state, train, seed, observer)
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


def train_epoch(
    state: "TrainingState", train: TrainingSet, seed: int, observer: Observer
) -> tuple[float, float, float]:
    """One pass over the training set, or the rest of one; the mean loss, the accuracy while training, and seconds."""
    device, part = state.device, state.part
    epoch_seed = seed * 1_000_003 + state.epoch  # everything random follows from the seed and the epoch: see resume
    seed_generator(epoch_seed, device)
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(epoch_seed)).to(device)
    noise = torch.Generator(device).manual_seed(epoch_seed)
    if part.noise is not None and part.dropout is not None:
        noise.set_state(part.noise)
        set_generator_state(part.dropout, device)
    totals = torch.tensor([part.loss_sum, part.correct], device=device, dtype=torch.float64)
    began, seen = time.perf_counter() - part.seconds, part.seen
    state.model.train()
    for batch in order[seen:].split(state.recipe.batch_size):
        if len(batch) <= 1 < len(train):
            continue  # batch normalisation has no variance over one image; of an epoch's end no image is left
        state.set_learning_rate(state.epoch + seen / len(train))
        loss, correct = train_step(state, train.faces[batch], train.labels[batch], noise)
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


def train_step(state: "TrainingState", faces: Tensor, labels: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
    """One update on faces (B, C, H, W) uint8; returns the mean loss and the number of hits."""
    recipe = state.recipe
    inputs = faces
    if faces.ndim > 2:
        inputs = state.augmentation(scale_to_symmetric(faces), noise).contiguous(memory_format=torch.channels_last)
    with torch.autocast(state.device.type, state.precision, enabled=state.precision != torch.float32):
        logits = state.model(inputs)
    logits = logits.float()
    loss = F.cross_entropy(logits, labels, state.class_weights, label_smoothing=recipe.label_smoothing)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if recipe.l2:
        for weight in state.l2_weights:  # the gradient of l2 · Σw², without building its graph
            weight.grad.add_(weight.detach(), alpha=2 * recipe.l2)  # type: ignore[union-attr]
    if recipe.gradient_clip:
        nn.utils.clip_grad_norm_(state.model.parameters(), recipe.gradient_clip)
    state.optimizer.step()
    if state.average is not None:
        state.average.update_parameters(state.model)
    return loss.detach(), (logits.argmax(1) == labels).sum()


@torch.no_grad()
def measure_statistics(model: nn.Module, train: TrainingSet, images: int) -> None:
    """Batch normalisation's mean and variance over `images` evenly drawn training images, without dropout.

    After dropout and max pooling a layer's inputs are larger in training than in prediction, so that the running
    statistics of the layer behind them fit training alone (Li et al. 2019, arXiv 1801.05134); averaged weights
    have none of their own (Izmailov et al. 2018). Zero images leave the running ones.
    """
    layers = [each for each in model.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]
    if not images or not layers:
        return
    model.eval()
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.train()
        layer.reset_running_stats()
        layer.momentum = None  # every batch counts the same
    step = max(1, len(train) // images)
    for batch in train.faces[::step][:images].split(EVALUATION_BATCH):
        if len(batch) > 1:
            model(network_inputs(batch))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.eval()
        layer.momentum = momentum


def network_inputs(faces: Tensor) -> Tensor:
    """What a network takes: faces uint8 (B, C, H, W) in [-1, 1], pixels last; columns (B, D) as they are."""
    if faces.ndim == 2:
        return faces
    return scale_to_symmetric(faces).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def evaluate(model: nn.Module, data: TrainingSet) -> tuple[float, float]:
    """Mean cross-entropy and accuracy of `model` on `data`."""
    if not len(data):
        return math.nan, math.nan
    logits = predict_logits(model, data.faces)
    return (
        F.cross_entropy(logits, data.labels).item(),
        (logits.argmax(1) == data.labels).float().mean().item(),
    )


@torch.inference_mode()
def predict_logits(model: nn.Module, faces: Tensor) -> Tensor:
    """Logits (N, classes) float32 of faces (N, C, H, W) uint8, in full precision."""
    model.eval()
    return torch.cat([model(network_inputs(batch)).float() for batch in faces.split(EVALUATION_BATCH)])


@dataclass
class TrainingState:
    """Everything that changes while training, and that a checkpoint must hold."""

    model: nn.Module
    recipe: Recipe
    device: torch.device
    optimizer: torch.optim.Optimizer
    average: AveragedModel | None
    augmentation: Augmentation
    precision: torch.dtype
    class_weights: Tensor | None
    l2_weights: list[nn.Parameter]
    progress: Progress = field(default_factory=Progress)
    epoch: int = 0
    part: EpochPart = field(default_factory=EpochPart)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def create(cls, model: nn.Module, recipe: Recipe, train: TrainingSet, device: torch.device) -> "TrainingState":
        """The state before the first epoch."""
        average = None
        if recipe.ema_decay:
            average = AveragedModel(model, multi_avg_fn=warmed_up_average(recipe.ema_decay), use_buffers=True)
        return cls(
            model=model,
            recipe=recipe,
            device=device,
            optimizer=make_optimizer(model, recipe),
            average=average,
            augmentation=Augmentation.parse(recipe.augmentation),
            precision=resolve_precision(recipe.precision, device),
            class_weights=balanced_weights(train) if recipe.class_weights == "balanced" else None,
            l2_weights=regularized_weights(model),
        )

    @property
    def evaluated_model(self) -> nn.Module:
        """The averaged model where the recipe averages, else the model itself."""
        return self.model if self.average is None else self.average.module

    @property
    def current_learning_rate(self) -> float:
        """What the optimiser used last."""
        return float(self.optimizer.param_groups[0]["lr"])

    def set_learning_rate(self, epoch: float) -> None:
        """Follow the recipe's schedule to a fractional epoch."""
        rate = learning_rate(self.recipe, epoch, self.progress.reductions)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def finish_epoch(self, record: dict[str, Any]) -> None:
        """Count the epoch, and keep its weights if it is the best so far."""
        self.epoch += 1
        self.part = EpochPart()
        self.history.append(record)
        self.progress = self.progress.after(self.epoch, record["valid_accuracy"], record["valid_loss"], self.recipe)
        if self.progress.best_epoch == self.epoch:
            self.best_weights = cpu_copy(self.evaluated_model.state_dict())

    def checkpoint(self) -> dict[str, Any]:
        """Everything needed to go on exactly; tensors and plain types only."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "epoch": self.epoch,
            "part": vars(self.part),
            "best_weights": self.best_weights,
            "history": self.history,
        }

    def restore(self, checkpoint: Mapping[str, Any]) -> None:
        """Take up where `checkpoint` left off."""
        self.model.load_state_dict(checkpoint["model"])
        if self.average is not None:
            self.average.load_state_dict(checkpoint["average"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.progress = Progress(**checkpoint["progress"])
        self.epoch = checkpoint["epoch"]
        self.part = EpochPart(**checkpoint.get("part", {}))
        self.best_weights = dict(checkpoint["best_weights"])
        self.history = list(checkpoint["history"])


def balanced_weights(train: TrainingSet) -> Tensor:
    """Weights n / (classes · count) per class, as scikit-learn's `balanced`; absent classes weigh 0."""
    counts = torch.bincount(train.labels, minlength=train.classes).float()
    present = counts > 0
    weights = len(train) / (present.sum() * counts.clamp(min=1))
    return torch.where(present, weights, torch.zeros_like(weights))


def warmed_up_average(decay: float) -> Callable[..., None]:
    """Exponential moving average whose decay grows as (1 + t) / (10 + t) up to `decay`.

    Without the growth, batch normalisation's initial variance of 1 outweighs the real ones for epochs.
    """

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], count: int | Tensor) -> None:
        weight = 1 - min(decay, (1 + int(count)) / (10 + int(count)))
        for mean, value in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, weight)
            else:
                mean.copy_(value)

    return update


def cpu_copy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An independent copy of a state dict on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
