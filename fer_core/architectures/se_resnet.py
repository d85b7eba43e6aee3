"""A small residual net with squeeze-and-excitation: much accuracy for half a million parameters."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fer_core.architectures.base import check_dropout, check_size, register
from fer_core.architectures.dropout import Dropout
from fer_core.architectures.normalization import BatchNorm2d
from fer_core.config import Recipe, require_range

# the recipe that this net was developed with; it stems from no paper
RECIPE = Recipe(
    name="paper",
    epochs=60,
    batch_size=128,
    optimizer="adamw",
    learning_rate=4e-3,
    weight_decay=0.05,
    schedule="one_cycle",
    label_smoothing=0.1,
    ema_decay=0.998,
    augmentation="flip+rotate(12)+shift(0.12)+zoom(0.15)+brightness(0.2)+contrast(0.2)+cutout(14)",
)
MODERN = {"epochs": 30, "learning_rate": 4e-3, "augmentation": RECIPE.augmentation}
CHANNELS, DEPTHS = (24, 32, 64, 104), (1, 2, 2, 2)
REDUCTION = 4


class SqueezeExcitation(nn.Module):
    """Weighs channels by what their means say; Hu, Shen, Sun (2018). (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // REDUCTION
        self.gate = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """The maps, each multiplied by its gate in (0, 1)."""
        return maps * self.gate(maps.mean((2, 3)))[:, :, None, None]


class Block(nn.Module):
    """Two 3×3 convolutions with a gate, added to a shortcut: (B, C, H, W) -> (B, F, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, inputs: int, filters: int, stride: int, skipped: float = 0.0) -> None:
        """`skipped` is the probability with which an image goes through the shortcut alone while training."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, filters, 3, stride, 1, bias=False),
            BatchNorm2d(filters),
            nn.ReLU(inplace=True),
            nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
            BatchNorm2d(filters),
            SqueezeExcitation(filters),
            *_stochastic_depth(skipped),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or inputs != filters:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), BatchNorm2d(filters))

    def forward(self, maps: Tensor) -> Tensor:
        """Body plus shortcut, rectified."""
        return torch.relu(self.body(maps) + self.shortcut(maps))


@register(
    "se_resnet",
    paper_recipe=RECIPE,
    source="After He et al. (2015), arXiv 1512.03385, and Hu et al. (2018), arXiv 1709.01507; sized for 48×48 faces",
    modern_recipe=MODERN,
)
def se_resnet(
    channels: int,
    size: int,
    classes: int,
    width: float = 1.0,
    dropout: float = 0.2,
    stochastic_depth: float = 0.0,
) -> nn.Module:
    """Residual stages of 24, 32, 64 and 104 filters with squeeze-and-excitation; any size of face.

    `width` multiplies the filters. The stem keeps the full size; each later stage halves it. `stochastic_depth` is
    the probability with which the last block is skipped while training, earlier ones in proportion to their depth
    (Huang et al. 2016, arXiv 1603.09382).
    """
    require_range("width", width, 0.25, 8)
    require_range("stochastic_depth", stochastic_depth, 0, 0.9)
    check_dropout(dropout)
    check_size("se_resnet", size, 8)
    filters = [_multiple_of_8(width * each) for each in CHANNELS]
    return nn.Sequential(
        nn.Conv2d(channels, filters[0], 3, padding=1, bias=False),
        BatchNorm2d(filters[0]),
        nn.ReLU(inplace=True),
        *_stages(filters, DEPTHS, stochastic_depth),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        Dropout(dropout),
        nn.Linear(filters[-1], classes),
    )


def _stochastic_depth(skipped: float) -> list[nn.Module]:
    """The layer of torchvision, whose import takes a second; none where it would do nothing."""
    if not skipped:
        return []
    from torchvision.ops import StochasticDepth  # type: ignore[import-untyped]

    return [StochasticDepth(skipped, "row")]


def _stages(filters: Sequence[int], depths: Sequence[int], last_skipped: float) -> list[nn.Module]:
    blocks: list[nn.Module] = []
    inputs = filters[0]
    for stage, (outputs, depth) in enumerate(zip(filters, depths, strict=True)):
        for position in range(depth):
            skipped = last_skipped * (len(blocks) + 1) / sum(depths)
            blocks.append(Block(inputs, outputs, stride=2 if stage and not position else 1, skipped=skipped))
            inputs = outputs
    return blocks


def _multiple_of_8(filters: float) -> int:
    """The matrix units of processors and accelerators take channels in eights."""
    return max(8, round(filters / 8) * 8)
