"""Everything that changes while training."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from fer_core.augmentation import Augmentation
from fer_core.config import Recipe
from fer_core.devices import resolve_precision
from fer_core.training.averaging import WarmedUpAverage
from fer_core.training.mixing import Mixing
from fer_core.training.optimization import Progress, learning_rate, make_optimizer, on_this_device, regularized_weights
from fer_core.training.passes import TrainingSet


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
class TrainingState:
    """Everything that changes while training, and that a checkpoint must hold."""

    model: nn.Module
    recipe: Recipe
    device: torch.device
    optimizer: torch.optim.Optimizer
    average: WarmedUpAverage | None
    augmentation: Augmentation
    mixing: Mixing | None
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
        return cls(
            model=model,
            recipe=recipe,
            device=device,
            optimizer=make_optimizer(model, recipe),
            average=WarmedUpAverage(model, recipe.ema_decay) if recipe.ema_decay else None,
            augmentation=Augmentation.parse(recipe.augmentation),
            mixing=Mixing.create(recipe, device),
            precision=resolve_precision(recipe.precision, device),
            class_weights=balanced_weights(train) if recipe.class_weights == "balanced" else None,
            l2_weights=regularized_weights(model),
        )

    @property
    def evaluated_model(self) -> nn.Module:
        """The averaged model where the recipe averages, else the model itself."""
        return self.model if self.average is None else self.average.module

    @property
    def is_closing(self) -> bool:
        """Whether this epoch is one of those in which faces are mirrored at most."""
        return self.epoch >= self.recipe.epochs - self.recipe.closing_epochs

    @property
    def current_learning_rate(self) -> float:
        """What the optimiser used last."""
        return float(self.optimizer.param_groups[0]["lr"])

    def set_learning_rate(self, epoch: float) -> None:
        """Follow the recipe's schedule to a fractional epoch."""
        rate = learning_rate(self.recipe, epoch, self.progress.reductions)
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)  # in its place: a recorded update reads it there
            else:
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
        self.optimizer.load_state_dict(on_this_device(checkpoint["optimizer"], self.optimizer))
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


def cpu_copy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An independent copy of a state dict on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
