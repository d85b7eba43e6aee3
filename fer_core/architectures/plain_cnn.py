"""Shallow, deep, deeper: plain stacks of convolutions and dense layers, all of them normalised."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from torch import nn

from fer_core.architectures.base import check_dropout, check_size, register
from fer_core.architectures.convolution import Conv2d
from fer_core.architectures.dropout import Dropout
from fer_core.config import Recipe, require_range

SOURCE = "Paper 2 (fully connected, shallow, deep, deeper); after Alizadeh, Fazel (2017), arXiv 1704.06756"
# the paper names neither the optimiser nor the batch: Adam and 128, as for its fully connected net
DEEP_RECIPE = Recipe(
    name="paper",
    epochs=100,
    batch_size=128,
    optimizer="adam",
    learning_rate=1e-4,
    weight_decay=1e-7,
    precision="float32",
)
SHALLOW_RECIPE = replace(DEEP_RECIPE, epochs=120, learning_rate=1e-5)
# dropout and pooling before batch normalisation: with its running statistics deeper_cnn reached 36 % where it had 60
MODERN = {"learning_rate": 1e-3, "statistics_images": 1024}
HEAVY = "its batch normalisation averages over more updates than small data give, and each is costly"


def plain_cnn(
    channels: int,
    size: int,
    classes: int,
    convolutions: Sequence[tuple[int, int, int]],
    hidden: Sequence[int],
    dropout: float,
) -> nn.Sequential:
    """Convolutions of (filters, kernel, pooling), then `hidden` dense layers, then the classes.

    Stride 1 and same padding, so that only the pooling makes images smaller. Biases are left out where
    batch normalisation follows, which would subtract them again.
    """
    check_dropout(dropout)
    layers: list[nn.Module] = []
    inputs = channels
    for filters, kernel, pooling in convolutions:
        layers.append(Conv2d(inputs, filters, kernel, padding=kernel // 2, bias=False))
        layers.extend((nn.BatchNorm2d(filters), nn.ReLU(inplace=True), Dropout(dropout)))
        layers.extend([nn.MaxPool2d(pooling)] if pooling > 1 else [])
        inputs, size = filters, size // pooling
    return nn.Sequential(*layers, nn.Flatten(), *dense_layers(inputs * size * size, hidden, classes, dropout))


def dense_layers(inputs: int, hidden: Sequence[int], classes: int, dropout: float) -> Iterator[nn.Module]:
    """Each hidden layer with batch normalisation, ReLU and dropout, and the last one to the classes."""
    for outputs in hidden:
        yield from (nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU(inplace=True))
        yield Dropout(dropout)
        inputs = outputs
    yield nn.Linear(inputs, classes)


@register(
    "shallow_cnn",
    paper_recipe=SHALLOW_RECIPE,
    source=SOURCE,
    modern_recipe=MODERN,
)
def shallow_cnn(channels: int, size: int, classes: int, dropout: float = 0.25, first_pooling: int = 2) -> nn.Module:
    """Two convolutions (32 of 3×3, 64 of 5×5) and one hidden layer of 512.

    `first_pooling` 1 leaves out the pooling after the first convolution, as the study that the paper
    follows does. The paper does not print its dropout probability.
    """
    require_range("first_pooling", first_pooling, 1, 4)
    check_size("shallow_cnn", size, 2 * first_pooling)
    return plain_cnn(channels, size, classes, [(32, 3, first_pooling), (64, 5, 2)], [512], dropout)


@register("deep_cnn", paper_recipe=DEEP_RECIPE, source=SOURCE, modern_recipe=MODERN, heavy=HEAVY)
def deep_cnn(channels: int, size: int, classes: int, dropout: float = 0.25) -> nn.Module:
    """Four convolutions (64, 128 of 5×5, 512, 512) and hidden layers of 256 and 512."""
    check_size("deep_cnn", size, 16)
    convolutions = [(64, 3, 2), (128, 5, 2), (512, 3, 2), (512, 3, 2)]
    return plain_cnn(channels, size, classes, convolutions, [256, 512], dropout)


@register("deeper_cnn", paper_recipe=DEEP_RECIPE, source=SOURCE, modern_recipe=MODERN, heavy=HEAVY)
def deeper_cnn(channels: int, size: int, classes: int, dropout: float = 0.25) -> nn.Module:
    """Five convolutions (64, 128 of 5×5, 256, 512, 512) and hidden layers of 256 and 512."""
    check_size("deeper_cnn", size, 32)
    convolutions = [(64, 3, 2), (128, 5, 2), (256, 3, 2), (512, 3, 2), (512, 3, 2)]
    return plain_cnn(channels, size, classes, convolutions, [256, 512], dropout)
