"""Four convolutions with ReLU as feature extractor, and a two-layer network as classifier."""

import torch
from torch import nn

from fer_core.architectures.base import register
from fer_core.architectures.dropout import Dropout
from fer_core.config import Recipe
from fer_core.errors import FerError

PAPER_RECIPE = Recipe(
    name="paper",
    epochs=100,
    batch_size=32,
    optimizer="adam",
    learning_rate=1e-4,
    augmentation="flip+rotate(10)+zoom(0.1)",
    precision="float32",
)


def feature_layers(channels: int) -> nn.Sequential:
    """The convolutional part; only the first convolution keeps the size."""
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        Dropout(0.1),
        nn.Conv2d(64, 128, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        Dropout(0.1),
        nn.Conv2d(128, 256, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        Dropout(0.2),
        nn.Flatten(),
    )


@register(
    "conv_relu_ann",
    paper_recipe=PAPER_RECIPE,
    source="Paper 4 (Conv.ReLU features + ANN classifier)",
    modern_recipe={"learning_rate": 1e-3, "weight_decay": 0.05},
)
def conv_relu_ann(channels: int, size: int, classes: int) -> nn.Module:
    """Plain convolutions and two dense layers: 2,489,095 parameters at 48×48 gray."""
    if size < 22:
        raise FerError(f"conv_relu_ann needs faces of at least 22×22 pixels, got {size}×{size}")
    features = feature_layers(channels)
    with torch.no_grad():
        flat = features.eval()(torch.zeros(1, channels, size, size)).shape[1]
    classifier = nn.Sequential(nn.Linear(flat, 512), nn.ReLU(inplace=True), Dropout(0.2), nn.Linear(512, classes))
    return nn.Sequential(features.train(), classifier)
