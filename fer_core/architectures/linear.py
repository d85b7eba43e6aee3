"""One fully connected layer: the baseline that everything else must beat."""

from torch import nn

from fer_core.architectures.base import register
from fer_core.config import Recipe

PAPER_RECIPE = Recipe(
    name="paper", epochs=30, batch_size=128, optimizer="adam", learning_rate=1e-3, precision="float32"
)


@register(
    "linear",
    paper_recipe=PAPER_RECIPE,
    source="Paper 2 (fully connected, one layer)",
    modern_recipe={"learning_rate": 1e-3, "weight_decay": 0.05, "augmentation": "flip", "ema_decay": 0.0},
)
def linear(channels: int, size: int, classes: int) -> nn.Module:
    """Pixels straight to classes: 16,135 parameters at 48×48 gray."""
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, classes))
