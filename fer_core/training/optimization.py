"""Optimisers and learning-rate schedules, as pure functions of a recipe and a point in time."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fer_core.config import Recipe

ONE_CYCLE_WARMUP = 0.25  # share of the steps on the way up, after Smith (2018)
ONE_CYCLE_START = 1 / 25

# on CUDA the first updates, and an epoch's last, are launched beside the recorded ones
warnings.filterwarnings("ignore", "This instance was constructed with capturable=True", UserWarning)


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser; weight decay spares vectors (biases, batch normalisation).

    On a CPU and on CUDA one fused kernel moves all weights. On CUDA its learning rate and steps lie on the device,
    where a recorded update finds them.
    """
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    device = next(model.parameters()).device
    fused, on_cuda = device.type in ("cpu", "cuda"), device.type == "cuda"
    rate = torch.tensor(recipe.learning_rate, device=device) if on_cuda else recipe.learning_rate
    if recipe.optimizer == "sgd":
        nesterov = recipe.momentum > 0
        return torch.optim.SGD(groups, lr=rate, momentum=recipe.momentum, nesterov=nesterov, fused=fused)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=rate, fused=fused, capturable=on_cuda)


def on_this_device(saved: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimiser's `saved` state with the options of `optimizer`, as another kind of device may have written it."""
    groups = zip(saved["param_groups"], optimizer.param_groups, strict=True)
    return {**saved, "param_groups": [{**old, **_options(new)} for old, new in groups]}


def _options(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: group[name] for name in ("lr", "fused", "capturable", "foreach") if name in group}


def regularized_weights(model: nn.Module) -> list[nn.Parameter]:
    """The kernels to which a recipe's `l2` applies: convolution and linear weights."""
    layers = (m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    weights = (layer.weight for layer in layers)
    return [weight for weight in weights if isinstance(weight, nn.Parameter) and weight.requires_grad]


def learning_rate(recipe: Recipe, epoch: float, reductions: int = 0) -> float:
    """The learning rate after `epoch` (fractional) epochs and so many reductions on a plateau."""
    peak, progress = recipe.learning_rate, epoch / recipe.epochs
    if recipe.schedule == "plateau":
        return peak * recipe.plateau_factor**reductions
    if recipe.schedule == "steps":
        return peak * recipe.plateau_factor ** sum(epoch >= milestone for milestone in recipe.milestones)
    if recipe.schedule == "one_cycle":
        return peak * _one_cycle(progress)
    if recipe.schedule == "warmup_cosine":
        warmup = min(recipe.warmup_epochs, recipe.epochs) / recipe.epochs
        if progress < warmup:
            return peak * progress / warmup
        return peak * _cosine((progress - warmup) / max(1e-9, 1 - warmup))
    return peak


def _one_cycle(progress: float) -> float:
    if progress < ONE_CYCLE_WARMUP:
        return ONE_CYCLE_START + (1 - ONE_CYCLE_START) * (1 - _cosine(progress / ONE_CYCLE_WARMUP))
    return _cosine((progress - ONE_CYCLE_WARMUP) / (1 - ONE_CYCLE_WARMUP))


def _cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


@dataclass(frozen=True)
class Progress:
    """How the validation went so far: what the best epoch, plateaus and early stopping depend on."""

    best_epoch: int = 0
    best_accuracy: float = -1.0
    best_loss_at_best: float = math.inf
    lowest_loss: float = math.inf
    epochs_without_progress: int = 0
    epochs_since_reduction: int = 0
    reductions: int = 0

    def after(self, epoch: int, accuracy: float, loss: float, recipe: Recipe) -> "Progress":
        """The progress after one more epoch; higher accuracy is better, then lower loss."""
        better = (accuracy, -loss) > (self.best_accuracy, -self.best_loss_at_best)
        improved = loss < self.lowest_loss
        waited = 0 if improved else self.epochs_since_reduction + 1
        reduce = recipe.schedule == "plateau" and not improved and waited >= recipe.plateau_patience
        return Progress(
            best_epoch=epoch if better else self.best_epoch,
            best_accuracy=accuracy if better else self.best_accuracy,
            best_loss_at_best=loss if better else self.best_loss_at_best,
            lowest_loss=min(loss, self.lowest_loss),
            epochs_without_progress=0 if improved else self.epochs_without_progress + 1,
            epochs_since_reduction=0 if reduce else waited,
            reductions=self.reductions + int(reduce),
        )

    def should_stop(self, recipe: Recipe) -> bool:
        """Whether early stopping ends the training now."""
        return bool(recipe.patience) and self.epochs_without_progress >= recipe.patience
