"""Two blocks of one convolution each and a dense layer: the net that paper 5 cross-validates."""

from collections.abc import Iterator

from torch import nn

from fer_core.architectures.base import check_dropout, check_size, register
from fer_core.architectures.dropout import Dropout
from fer_core.config import Recipe, require_range

# the learning rate is Keras' default for Adam: the paper names none
PAPER_RECIPE = Recipe(
    name="paper",
    epochs=75,
    batch_size=32,
    optimizer="adam",
    learning_rate=1e-3,
    l2=0.01,
    class_weights="balanced",
    precision="float32",
)


def block(inputs: int, filters: int, kernel: int, dropout: float) -> Iterator[nn.Module]:
    """Valid convolution, ReLU, batch normalisation, pooling, dropout: (B, C, H, W) -> (B, F, ⌊(H−k+1)/2⌋, …)."""
    yield from (nn.Conv2d(inputs, filters, kernel), nn.ReLU(inplace=True), nn.BatchNorm2d(filters))
    yield from (nn.MaxPool2d(2), Dropout(dropout))


@register(
    "two_block_cnn",
    paper_recipe=PAPER_RECIPE,
    source="Paper 5 (two-block CNN with cross-validation)",
    # of its features some are rare: among 1,024 images they may be silent, and then weigh hundreds of times too much
    modern_recipe={"learning_rate": 1e-3, "statistics_images": 4096},
)
def two_block_cnn(
    channels: int, size: int, classes: int, filters: int = 64, kernel: int = 3, dense: int = 128, dropout: float = 0.25
) -> nn.Module:
    """Two convolutions (`filters`, then twice as many) and one dense layer, each with ReLU before its normalisation.

    The paper feeds raw 0–255 values and six classes without disgust. Here faces come in [-1, 1], as for
    every network: the same up to scale and offset, which the first normalisation all but cancels.
    """
    require_range("filters", filters, 1, 4096)
    require_range("kernel", kernel, 1, 15)
    require_range("dense", dense, 1, 65_536)
    check_dropout(dropout)
    check_size("two_block_cnn", size, 3 * kernel + 1)
    for _ in range(2):
        size = (size - kernel + 1) // 2
    return nn.Sequential(
        *block(channels, filters, kernel, dropout),
        *block(filters, 2 * filters, kernel, dropout),
        nn.Flatten(),
        nn.Linear(2 * filters * size * size, dense),
        nn.ReLU(inplace=True),
        nn.BatchNorm1d(dense),
        Dropout(dropout),
        nn.Linear(dense, classes),
    )
