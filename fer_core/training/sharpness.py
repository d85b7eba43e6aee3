"""Sharpness-aware minimisation: the gradient where the loss is highest nearby."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from fer_core.training.passes import batch_norms, momentum_of


@contextmanager
def highest_nearby(model: nn.Module, radius: float) -> Iterator[None]:
    """Moves the weights `radius` up along their gradients' direction, and afterwards exactly back.

    Foret, Kleiner, Mobahi, Neyshabur, Sharpness-Aware Minimization, arXiv 2010.01412. The gradients are those of the
    weights as they are; new ones are computed meanwhile, for the update. Batch normalisation's running statistics
    stay those of the weights as they are.
    """
    weights: list[Tensor] = [each for each in model.parameters() if each.grad is not None]
    gradients = [each.grad for each in weights if each.grad is not None]
    before = [each.detach().clone() for each in weights]
    _climb(weights, gradients, radius)
    try:
        with momentum_of(batch_norms(model), 0.0):
            yield
    finally:
        with torch.no_grad():
            torch._foreach_copy_(weights, before)


@torch.no_grad()
def _climb(weights: list[Tensor], gradients: list[Tensor], radius: float) -> None:
    length = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.addcmul_(gradient, radius / (length + 1e-12))
