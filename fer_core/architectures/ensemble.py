"""Several trained networks as one: the weighted mean of their calibrated probabilities."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from fer_core.architectures.base import ARCHITECTURES, Architecture, rebuild
from fer_core.config import Recipe, RunSpec, from_json
from fer_core.errors import FerError
from fer_core.preprocessing import Pipeline
from fer_core.registry import UnknownNameError

FAMILY = "ensemble"
WEIGHTED = "weighted"
NAME = f"{FAMILY}:{WEIGHTED}"
SMALLEST = 1e-7  # keeps the logarithm of a mean probability finite
# What a spec must have: an ensemble is not trained, and of its recipe the name alone means something.
RECIPE = Recipe(name="ensemble", epochs=1, batch_size=256, optimizer="adam", learning_rate=1e-3)


@dataclass(frozen=True)
class Member:
    """A run in an ensemble: how its network and pipeline are built, its temperature, and its weight in the mean."""

    run: str
    architecture: str
    preprocessing: str
    temperature: float
    weight: float
    arguments: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As an ensemble's spec.json holds it, among its architecture's arguments."""
        return dataclasses.asdict(self)


def read_members(arguments: Mapping[str, Any]) -> list[Member]:
    """The members in an ensemble's arguments; raises FerError where they are none."""
    return [from_json(Member, each) for each in arguments.get("members", [])]


def pipelines_of(spec: RunSpec) -> list[str]:
    """Every pipeline that faces go through in a run: its own, and those of an ensemble's members."""
    members = read_members(spec.architecture_arguments) if spec.architecture == NAME else []
    return [spec.preprocessing, *(member.preprocessing for member in members)]


class Ensemble(nn.Module):
    """Faces (B, C, S, S) in [-1, 1] -> the logarithms (B, classes) of the members' weighted mean probabilities.

    Their softmax is that mean again. Each member preprocesses the faces with its own pipeline.
    """

    def __init__(self, members: Sequence[Member], networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(networks)
        self.pipelines = [Pipeline.parse(member.preprocessing) for member in members]
        self.temperatures = [member.temperature for member in members]
        self.weights = [member.weight for member in members]

    def forward(self, faces: Tensor) -> Tensor:
        """Every member's calibrated probabilities, weighted and added."""
        levels = ((faces.float() + 1) * 127.5).round().to(torch.uint8)
        together = zip(self.members, self.pipelines, self.temperatures, self.weights, strict=True)
        total = torch.zeros((), device=faces.device)
        for network, pipeline, temperature, weight in together:
            logits = network(pipeline(levels).to(faces.dtype))
            total = total + weight * torch.softmax(logits.float() / temperature, dim=1)
        return total.clamp(min=SMALLEST).log()


def weighted(channels: int, size: int, classes: int, members: Sequence[Mapping[str, Any]] = ()) -> nn.Module:
    """The weighted mean of several runs' calibrated probabilities; made by `fer_core ensemble` from finished runs."""
    read = read_members({"members": members})
    if not read:
        raise FerError(f"{NAME} is not trained, but made of finished runs: `python -m fer_core ensemble RUN RUN …`")
    networks = [
        rebuild(each.architecture, channels=channels, size=size, classes=classes, **each.arguments) for each in read
    ]
    return Ensemble(read, networks)


def _find(name: str) -> Architecture:
    if name != WEIGHTED:
        raise UnknownNameError(f"there is no ensemble called {name!r}; choose {NAME}")
    return Architecture(NAME, weighted, RECIPE, "Dietterich (2000), Ensemble Methods in Machine Learning", {})


ARCHITECTURES.add_family(FAMILY, _find, is_choice=False)
