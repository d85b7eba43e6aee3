"""The faces of a training on its device, and passes over them that learn nothing."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch's own documentation uses

from fer_core.preprocessing import scale_to_symmetric

EVALUATION_BATCH = 256
BatchNorm = nn.modules.batchnorm._BatchNorm


@dataclass(frozen=True)
class TrainingSet:
    """Preprocessed faces (N, C, H, W) uint8, or columns (N, D) float32, and labels (N,) int64, on the device.

    `taught`: a teacher's softened probabilities (N, classes) float32 of these faces, where there is one.
    """

    faces: Tensor
    labels: Tensor
    classes: int
    taught: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)


@torch.no_grad()
def measure_statistics(model: nn.Module, train: TrainingSet, images: int) -> None:
    """Batch normalisation's mean and variance over `images` evenly drawn training images, without dropout.

    After dropout and max pooling a layer's inputs are larger in training than in prediction, so that the running
    statistics of the layer behind them fit training alone (Li et al. 2019, arXiv 1801.05134); averaged weights
    have none of their own (Izmailov et al. 2018). Zero images leave the running ones.
    """
    if not images:
        return
    model.train()
    layers = [layer for layer in batch_norms(model) if layer.training]  # those of a frozen part keep their own
    model.eval()
    if not layers:
        return
    count = min(images, len(train))
    rows = torch.arange(count, device=train.faces.device) * len(train) // count
    batches = math.ceil(count / EVALUATION_BATCH)
    with momentum_of(layers, None):  # every batch counts the same, and so is as large
        for layer in layers:
            layer.train()
            layer.reset_running_stats()
        for batch in train.faces[rows].chunk(batches):
            if len(batch) > 1:
                model(network_inputs(batch))
    for layer in layers:
        layer.eval()


def batch_norms(model: nn.Module) -> list[BatchNorm]:
    """Every layer of batch normalisation."""
    return [each for each in model.modules() if isinstance(each, BatchNorm)]


@contextmanager
def momentum_of(layers: Sequence[BatchNorm], momentum: float | None) -> Iterator[None]:
    """Let the running statistics of `layers` move by `momentum` meanwhile: 0 not at all, None to the plain mean."""
    before = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = momentum
    try:
        yield
    finally:
        for layer, old in zip(layers, before, strict=True):
            layer.momentum = old


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
