"""Paper 3's hand-crafted way: LPQ and PHOG descriptors, their first principal components, and an MLP."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from fer_core.architectures.base import DESCRIPTORS, NamedRecipe, check_size, register
from fer_core.config import Recipe, require_range
from fer_core.features import Feature, PrincipalComponents, Standardiser, parse_features

PAPER_RECIPE = Recipe(
    name="paper",
    epochs=2000,
    batch_size=1024,  # more than there are: every update sees all training samples
    optimizer="adam",
    learning_rate=1e-2,
    precision="float32",
)
NORMALISED = replace(PAPER_RECIPE, column_scaling="standard")
RECIPES = {
    "unnormalised": PAPER_RECIPE,
    # removal begins where the plain training ends, and needs epochs of its own
    "unnormalised_bdr": replace(PAPER_RECIPE, epochs=4000, bdr_start=2000, bdr_every=50),
    "normalised": NORMALISED,
    "normalised_bdr": replace(NORMALISED, bdr_start=50, bdr_every=10),
}
GRAY = torch.tensor([0.299, 0.587, 0.114])  # OpenCV's weights of red, green and blue


class DescriptorMLP(nn.Module):
    """Faces in [-1, 1] (B, 1 or 3, S, S), or ready columns (B, D), to logits (B, classes).

    The principal components of each descriptor and the scaling of the columns are fitted on training
    faces (`fit_components`, `scale_columns`), kept as buffers, and never learnt by gradients.
    """

    column_mean: Tensor
    column_deviation: Tensor

    def __init__(self, descriptors: Sequence[Feature], components: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.descriptors, self.components = tuple(descriptors), components
        for number, descriptor in enumerate(descriptors):
            self.register_buffer(f"mean_{number}", torch.zeros(descriptor.length))
            # until they are fitted: the descriptor's first values
            self.register_buffer(f"directions_{number}", torch.eye(components, descriptor.length))
        columns = components * len(descriptors)
        self.register_buffer("column_mean", torch.zeros(columns))
        self.register_buffer("column_deviation", torch.ones(columns))
        self.mlp = nn.Sequential(nn.Linear(columns, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    @property
    def width(self) -> int:
        """How many columns the MLP takes."""
        return len(self.column_mean)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of faces (B, C, S, S), or of columns (B, D) as `columns` gives them."""
        columns = inputs if inputs.ndim == 2 else self.columns(inputs)
        return self.mlp((columns - self.column_mean) / self.column_deviation)

    def columns(self, faces: Tensor) -> Tensor:
        """The components of every descriptor side by side, float32 (B, D), of faces in [-1, 1]."""
        return self.project(self.describe(((faces + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))).to(faces.device)

    def describe(self, faces: Tensor) -> list[np.ndarray]:
        """Each descriptor float64 (N, its length) of faces uint8 (N, 1 or 3, H, W)."""
        pixels = faces.cpu().float()
        gray = pixels[:, 0] if pixels.shape[1] == 1 else torch.einsum("nchw,c->nhw", pixels, GRAY)
        return [descriptor.describe(gray.numpy()) for descriptor in self.descriptors]

    def project(self, described: Sequence[np.ndarray]) -> Tensor:
        """Descriptors on the fitted directions: float32 (N, D) on the CPU."""
        fits = [(self.get_buffer(f"mean_{n}").cpu(), self.get_buffer(f"directions_{n}").cpu()) for n in self._numbers]
        parts = [
            (torch.from_numpy(each) - mean.double()) @ directions.double().T
            for each, (mean, directions) in zip(described, fits, strict=True)
        ]
        return torch.cat(parts, dim=1).float()

    def fit_components(self, described: Sequence[np.ndarray]) -> None:
        """Find the directions of each descriptor on training faces; raises FeatureError where they are too few."""
        for number, training in enumerate(described):
            fit = PrincipalComponents.fit(training, self.components)
            self.get_buffer(f"mean_{number}").copy_(torch.from_numpy(fit.mean))
            self.get_buffer(f"directions_{number}").copy_(torch.from_numpy(fit.directions))

    def scale_columns(self, training: Tensor) -> None:
        """Standardise each column by its mean and deviation over training rows (N, D)."""
        fit = Standardiser.fit(training.double().cpu().numpy())
        self.column_mean.copy_(torch.from_numpy(fit.mean))
        self.column_deviation.copy_(torch.from_numpy(fit.deviation))

    @property
    def _numbers(self) -> range:
        return range(len(self.descriptors))


@register(
    "lpq_phog_mlp",
    paper_recipe=PAPER_RECIPE,
    source="Paper 3 (LPQ + PHOG with an MLP on SFEW)",
    modern_recipe={
        "epochs": 300,
        "batch_size": 64,
        "augmentation": "",
        "ema_decay": 0.99,
        "precision": "float32",
        "column_scaling": "standard",
    },
    recipes={name: NamedRecipe(replace(recipe, name=name), {}) for name, recipe in RECIPES.items()},
    learns_from=DESCRIPTORS,
)
def lpq_phog_mlp(
    channels: int, size: int, classes: int, hidden: int = 200, components: int = 5, descriptors: str = "lpq+phog"
) -> nn.Module:
    """Descriptors of the face, the first `components` principal ones of each, and one hidden layer.

    `descriptors` is a chain such as `lpq(window=9)+phog`. Colour faces are made gray.
    """
    require_range("hidden", hidden, 1, 65_536)
    require_range("components", components, 1, 256)
    features = parse_features(descriptors)
    check_size("lpq_phog_mlp", size, max(feature.least_side for feature in features))
    return DescriptorMLP(features, components, hidden, classes)
