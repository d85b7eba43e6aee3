"""Six 3×3 convolutions in three blocks, after the early layers of VGG."""

from collections.abc import Iterator

from torch import nn

from fer_core.architectures.base import check_dropout, check_size, register
from fer_core.architectures.dropout import Dropout
from fer_core.config import Recipe, require_range

PAPER_RECIPE = Recipe(
    name="paper",
    epochs=50,
    batch_size=8,
    optimizer="adam",
    learning_rate=1e-3,
    augmentation="flip",
    precision="float32",
)
FILTERS = (32, 64, 128)


def block(inputs: int, filters: int, dropout: float) -> Iterator[nn.Module]:
    """Convolution twice, then pooling and dropout: (B, C, H, W) -> (B, F, ⌊H/2⌋, ⌊W/2⌋)."""
    for channels in (inputs, filters):
        # no bias: batch normalisation would subtract it again
        yield from (nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters))
        yield nn.ReLU(inplace=True)
    yield from (nn.MaxPool2d(2), Dropout(dropout))


@register(
    "six_conv_cnn",
    paper_recipe=PAPER_RECIPE,
    source="Paper 3 (self-designed CNN on SFEW)",
    modern_recipe={"batch_size": 32, "learning_rate": 1e-3},
)
def six_conv_cnn(channels: int, size: int, classes: int, hidden: int = 256, dropout: float = 0.25) -> nn.Module:
    """Three blocks of two convolutions (32, 64, 128 filters) and two dense layers; the paper's faces are 160×160 RGB.

    Its normalisation with mean and deviation 0.5 is the [-1, 1] of every pipeline. The paper prints
    neither the `hidden` units between its dense layers nor its `dropout` probability.
    """
    require_range("hidden", hidden, 1, 65_536)
    check_dropout(dropout)
    check_size("six_conv_cnn", size, 8)
    inputs = (channels, *FILTERS[:-1])
    blocks = [
        layer for before, filters in zip(inputs, FILTERS, strict=True) for layer in block(before, filters, dropout)
    ]
    side = size // 2 ** len(FILTERS)
    return nn.Sequential(
        *blocks,
        nn.Flatten(),
        nn.Linear(FILTERS[-1] * side * side, hidden),
        nn.ReLU(inplace=True),
        Dropout(dropout),
        nn.Linear(hidden, classes),
    )
