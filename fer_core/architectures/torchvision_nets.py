"""torchvision's networks with a new last layer: paper 3's ResNets, and any other as `torchvision:<name>`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from fer_core.architectures.base import ARCHITECTURES, Architecture, NamedRecipe, register
from fer_core.architectures.pretrained import IMAGENET, NONE, NORMALIZATIONS, load_backbone, pretrained_weights
from fer_core.config import Recipe, require_choice, require_range
from fer_core.errors import FerError
from fer_core.registry import UnknownNameError

FAMILY = "torchvision"
FROZEN = ("none", "backbone")
PAPER_RECIPE = Recipe(
    name="paper",
    epochs=150,
    batch_size=8,
    optimizer="adam",
    learning_rate=1e-3,
    schedule="steps",
    milestones=(100, 120),
    augmentation="flip",
    precision="float32",
)
# paper 3's two ways to use ImageNet's weights
TRANSFER = {"weights": IMAGENET, "input_size": 224}
TRANSFER_RECIPES = {
    "frozen": NamedRecipe(replace(PAPER_RECIPE, name="frozen"), {**TRANSFER, "frozen": "backbone"}),
    "fine_tuned": NamedRecipe(replace(PAPER_RECIPE, name="fine_tuned"), {**TRANSFER, "frozen": "none"}),
}
SOURCE = "Paper 3 (ResNet transfer on SFEW); He, Zhang, Ren, Sun (2015), arXiv 1512.03385; torchvision"
HEAVY = "its batch normalisation averages over more updates than small data give, and each is costly"
RESNETS = ("resnet18", "resnet50", "resnet101")
MODERN_RECIPE = {"batch_size": 64, "learning_rate": 5e-4}
# what single networks need to give logits alone, and to be told the size of their images
GOOGLES = ("googlenet", "inception_v3")
GOOGLES_ARGUMENTS = {"aux_logits": False, "init_weights": True, "transform_input": True}
SIZE_ARGUMENTS = {"vit_": "image_size", "maxvit_": "input_size"}


class TransferNet(nn.Module):
    """A torchvision network for faces in [-1, 1] of one or three channels: (B, C, S, S) -> logits (B, classes).

    Gray faces are repeated to three channels, enlarged to `input_size` unless that is 0, and normalised with
    `mean` and `deviation`, which belong to the state dict as they belong to the weights.
    With `frozen` "backbone" the last layer alone is trained, and the layers below stay in evaluation mode, so
    that batch normalisation keeps ImageNet's statistics.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, classes: int, *, normalization: str, frozen: str, input_size: int) -> None:
        super().__init__()
        mean, deviation = NORMALIZATIONS[normalization]
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))
        self.frozen, self.input_size = frozen, input_size
        self.network = network
        self.last_layer = replace_last_layer(network, classes)
        if frozen == "backbone":
            network.requires_grad_(False)
            network.get_submodule(self.last_layer).requires_grad_(True)

    def train(self, mode: bool = True) -> "TransferNet":
        """Training mode for what is trained: all of it, or the last layer and the dropout before it."""
        super().train(mode)
        if self.frozen == "backbone":
            self.network.eval()
            self.network.get_submodule(self.last_layer.split(".")[0]).train(mode)
        return self

    def forward(self, faces: Tensor) -> Tensor:
        """Logits (B, classes) of faces (B, 1 or 3, S, S) in [-1, 1]."""
        return self.network(self.normalized(faces))

    def normalized(self, faces: Tensor) -> Tensor:
        """What the network was trained on: (B, 3, S, S), enlarged and with its mean and deviation."""
        if self.input_size and faces.shape[-1] != self.input_size:
            size = (self.input_size, self.input_size)
            faces = nn.functional.interpolate(faces, size, mode="bilinear", align_corners=False, antialias=True)
        colour = faces.expand(-1, 3, -1, -1)
        return (colour * 0.5 + (0.5 - self.mean.view(-1, 1, 1))) / self.deviation.view(-1, 1, 1)


def replace_last_layer(network: nn.Module, classes: int) -> str:
    """Put a fresh layer of `classes` outputs in the place of the last one, and return its name."""
    name = last_layer_name(network)
    last = network.get_submodule(name)
    parent, _, child = name.rpartition(".")
    if isinstance(last, nn.Conv2d):  # SqueezeNet's classifier
        new: nn.Module = nn.Conv2d(last.in_channels, classes, 1)
    else:
        new = nn.Linear(int(last.in_features), classes, bias=last.bias is not None)  # type: ignore[arg-type]
    setattr(network.get_submodule(parent), child, new)
    return name


def last_layer_name(network: nn.Module) -> str:
    """The name of the layer that gives ImageNet's classes."""
    return [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]


@dataclass(frozen=True)
class Backbone:
    """A network for ImageNet: how to make it for images of a size, and to read the weights called "imagenet" or FILE.

    `normalization` is the one of NORMALIZATIONS that ImageNet's weights were trained with.
    """

    name: str
    make: Callable[[int], nn.Module]
    read: Callable[[str], Mapping[str, Tensor]]
    normalization: str = IMAGENET


def transfer_net(
    name: str, channels: int, size: int, classes: int, frozen: str = "none", weights: str = "none", input_size: int = 0
) -> nn.Module:
    """Torchvision's network `name` with a new last layer for the classes.

    `weights` is "none", "imagenet" (downloaded once) or a state dict file of torchvision's network (.safetensors,
    .pth); `frozen` is "none" (fine-tune everything) or "backbone" (train the last layer alone); faces are
    enlarged to `input_size` pixels, or taken as they come where it is 0.
    """
    backbone = Backbone(name, partial(make_network, name), partial(pretrained_weights, name))
    return transfer(backbone, channels, size, classes, frozen=frozen, weights=weights, input_size=input_size)


def transfer(
    backbone: Backbone, channels: int, size: int, classes: int, *, frozen: str, weights: str, input_size: int
) -> TransferNet:
    """`backbone` with a new last layer for the classes; the arguments are those of `transfer_net`.

    Raises FerError for arguments that it cannot take and for weights that cannot be had.
    """
    require_choice("frozen", frozen, FROZEN)
    require_range("input_size", input_size, 0, 1024)
    if channels not in (1, 3):
        raise FerError(f"{backbone.name} takes gray or RGB faces, got {channels} channels")
    state = backbone.read(weights) if weights != NONE else None
    network = backbone.make(input_size or size)
    if state is not None:
        load_backbone(network, state, last_layer_name(network), weights)
    normalization = "symmetric" if weights == NONE else backbone.normalization
    return TransferNet(network, classes, normalization=normalization, frozen=frozen, input_size=input_size)


def make_network(name: str, size: int) -> nn.Module:
    """Torchvision's network, freshly initialised for 1000 classes; raises FerError for sizes that it cannot take."""
    from torchvision import models  # type: ignore[import-untyped]

    arguments: dict[str, Any] = dict(GOOGLES_ARGUMENTS) if name in GOOGLES else {}
    for prefix, argument in SIZE_ARGUMENTS.items():
        if name.startswith(prefix):
            arguments[argument] = (size, size) if argument == "input_size" else size
    try:
        network = models.get_model(name, weights=None, **arguments)
        if not name.startswith("resnet"):  # which take every size
            with torch.no_grad():
                network.eval()(torch.zeros(1, 3, size, size))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise FerError(f"{name} cannot take {size}×{size} pixels; try input_size=224 ({error})") from error
    return network.train()


def find_network(name: str) -> Architecture:
    """The architecture `torchvision:<name>`; raises UnknownNameError with close matches for a name it lacks."""
    from torchvision import models

    names = models.list_models(module=models)
    if name not in names:
        close = get_close_matches(name, names, n=5, cutoff=0.4) or ["resnet18", "efficientnet_b0", "convnext_tiny"]
        raise UnknownNameError(f"torchvision has no network {name!r} for images; choose for example {', '.join(close)}")
    builder = partial(transfer_net, name)
    builder.__doc__ = f"torchvision's {name} with a new last layer."
    return Architecture(
        f"{FAMILY}:{name}", builder, PAPER_RECIPE, "torchvision", MODERN_RECIPE, HEAVY, TRANSFER_RECIPES
    )


ARCHITECTURES.add_family(FAMILY, find_network)


for _name in RESNETS:
    _builder = partial(transfer_net, _name)
    _builder.__doc__ = (
        f"Residual net of {_name.removeprefix('resnet')} layers, from random or ImageNet weights, fine-tuned or frozen."
    )
    register(
        _name,
        paper_recipe=PAPER_RECIPE,
        source=SOURCE,
        modern_recipe=MODERN_RECIPE,
        heavy=HEAVY,
        recipes=TRANSFER_RECIPES,
    )(_builder)
