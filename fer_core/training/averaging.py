"""The moving average of a training's weights."""

from itertools import chain

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


class WarmedUpAverage(AveragedModel):
    """Exponential moving average of weights and buffers whose decay grows as (1 + t) / (10 + t) up to `decay`.

    Without the growth, batch normalisation's initial variance of 1 outweighs the real ones for epochs. How many
    averages were made is counted on the CPU, and all tensors move in one call: a device is never waited for.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model, use_buffers=True)
        self.decay = decay

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Move the averages towards the weights and buffers of `model`; the first time, take them over."""
        made = int(self.n_averaged)
        weight = 1 - min(self.decay, (1 + made) / (10 + made)) if made else 1.0
        means = chain(self.module.parameters(), self.module.buffers())
        values = chain(model.parameters(), model.buffers())
        moved, towards = [], []
        for mean, value in zip(means, values, strict=True):
            if mean.is_floating_point():
                moved.append(mean)
                towards.append(value)
            else:
                mean.copy_(value)
        torch._foreach_lerp_(moved, towards, weight)
        self.n_averaged += 1
