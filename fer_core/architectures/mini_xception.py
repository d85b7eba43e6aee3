"""mini-Xception: depthwise separable residual modules without a fully connected layer."""

import torch
from torch import Tensor, nn

from fer_core.architectures.base import register
from fer_core.architectures.normalization import BatchNorm2d
from fer_core.config import Recipe

PAPER_RECIPE = Recipe(
    name="paper",
    epochs=200,
    batch_size=32,
    optimizer="adam",
    learning_rate=1e-3,
    l2=0.01,
    schedule="plateau",
    plateau_patience=12,
    plateau_factor=0.1,
    patience=50,
    augmentation="flip+rotate(10)+shift(0.1)+zoom(0.1)",
    precision="float32",
)


class SeparableConv(nn.Sequential):
    """Depthwise 3×3, then pointwise 1×1, both without bias."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
            nn.Conv2d(inputs, outputs, 1, bias=False),
        )


class ResidualModule(nn.Module):
    """Two separable convolutions and a pooling, beside a strided 1×1 shortcut: (B, C, H, W) -> (B, F, ⌈H/2⌉, ⌈W/2⌉)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            SeparableConv(inputs, outputs),
            BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            SeparableConv(outputs, outputs),
            BatchNorm2d(outputs),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=2, bias=False),
            BatchNorm2d(outputs),
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Sum of the pooled main path and the shortcut."""
        return pool_same(self.main(faces)) + self.shortcut(faces)


def pool_same(features: Tensor) -> Tensor:
    """Max-pool 3×3 with stride 2 and Keras' "same" padding, which for even sizes pads only below and right."""
    # ceil_mode lets the last window overhang, which is what padding below and right does, without a copy
    padding = (features.shape[-2] % 2, features.shape[-1] % 2)
    return nn.functional.max_pool2d(features, 3, stride=2, padding=padding, ceil_mode=True)


class MiniXception(nn.Module):
    """Stem, four residual modules, one convolution to the classes, and their mean over the image."""

    def __init__(self, channels: int, classes: int, filters: tuple[int, ...]) -> None:
        super().__init__()
        stem = filters[0]
        self.stem = nn.Sequential(
            nn.Conv2d(channels, stem, 3, bias=False),
            BatchNorm2d(stem),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, stem, 3, bias=False),
            BatchNorm2d(stem),
            nn.ReLU(inplace=True),
        )
        self.modules_ = nn.Sequential(*(ResidualModule(a, b) for a, b in zip(filters, filters[1:], strict=False)))
        self.classifier = nn.Conv2d(filters[-1], classes, 3, padding=1)

    def forward(self, faces: Tensor) -> Tensor:
        """Logits (B, classes) of faces (B, C, H, W)."""
        return torch.mean(self.classifier(self.modules_(self.stem(faces))), dim=(2, 3))


@register(
    "mini_xception",
    paper_recipe=PAPER_RECIPE,
    source="Paper 1; Arriaga, Valdenegro-Toro, Plöger (2017), arXiv 1710.07557",
    modern_recipe={
        "batch_size": 64,
        "learning_rate": 3e-3,
        "weight_decay": 0.01,
        "label_smoothing": 0.05,
        "augmentation": "flip+rotate(10)+shift(0.08)+zoom(0.1)",
        "statistics_images": 1024,
    },
)
def mini_xception(channels: int, size: int, classes: int) -> nn.Module:
    """Depthwise separable residual net with 58,423 parameters (56,951 trainable)."""
    return MiniXception(channels, classes, filters=(8, 16, 32, 64, 128))
