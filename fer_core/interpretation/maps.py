"""What layers see: feature maps, filters, and a walk from the face to the classes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor, nn

from fer_core.errors import FerError
from fer_core.interpretation.network import Network
from fer_core.interpretation.trace import Step

Order = Literal["strongest", "network"]


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """What one layer gives for one face: `maps` float32 (F, H, W), of a dense layer (F, 1, 1).

    `strength` (F,) is each map's mean absolute value, and `silent` the share of all values that are zero or
    less, as a rectifier makes them.
    """

    layer: str
    kind: str
    maps: np.ndarray

    @property
    def strength(self) -> np.ndarray:
        """Mean absolute value of each map, (F,)."""
        strength: np.ndarray = np.abs(self.maps).mean(axis=(1, 2))
        return strength

    @property
    def silent(self) -> float:
        """Share of the values, in [0, 1], that are zero or negative."""
        return float((self.maps <= 0).mean())

    @property
    def dead(self) -> int:
        """How many maps hold nothing but one value."""
        return int((np.ptp(self.maps, axis=(1, 2)) == 0).sum()) if self.is_spatial else int((self.maps == 0).sum())

    @property
    def is_spatial(self) -> bool:
        """Whether each map has more than one pixel."""
        return self.maps.shape[1] * self.maps.shape[2] > 1

    def chosen(self, count: int, order: Order = "strongest") -> np.ndarray:
        """Places of `count` maps, or of all where there are fewer: the strongest first, or as the network has them."""
        places = np.argsort(-self.strength, kind="stable") if order == "strongest" else np.arange(len(self.maps))
        return places[:count]


def feature_maps(network: Network, inputs: Tensor, layer: str) -> FeatureMaps:
    """What `layer` gives for the one face in `inputs` (1, C, S, S); raises FerError for an unknown layer."""
    output = network.outputs(inputs, [layer])[layer]
    return FeatureMaps(layer, network.step(layer).kind, _as_maps(output))


def walk(network: Network, inputs: Tensor, most: int = 1000) -> list[FeatureMaps]:
    """What the steps of the trunk give for one face, from the first to the last, in one pass.

    Of more than `most` steps, that many are taken, evenly and with both ends. Raises FerError for an ensemble.
    """
    trunk = network.trunk
    places = np.unique(np.linspace(0, len(trunk) - 1, min(most, len(trunk))).round().astype(int))
    steps = [trunk[place] for place in places]
    outputs = network.outputs(inputs, [step.name for step in steps])
    return [FeatureMaps(step.name, step.kind, _as_maps(outputs[step.name])) for step in steps]


def _as_maps(output: Tensor) -> np.ndarray:
    first = output[0].float()
    if first.ndim == 2:  # a transformer's tokens: each feature over the places
        first = first.T[:, :, None]
    shaped = first if first.ndim == 3 else first.reshape(-1, 1, 1)
    return shaped.cpu().numpy()


@dataclass(frozen=True, eq=False)
class Filters:
    """The kernels of a convolution, float32 (F, C, H, W), each of which reads C of the layer's inputs."""

    layer: str
    weights: np.ndarray

    @property
    def strength(self) -> np.ndarray:
        """Euclidean length of each kernel, (F,)."""
        strength: np.ndarray = np.sqrt((self.weights**2).sum(axis=(1, 2, 3)))
        return strength

    def images(self, channel: int | None = None) -> np.ndarray:
        """One picture a kernel, (F, H, W): of one input channel, or the mean over all.

        Raises FerError for a channel that the kernels do not read.
        """
        if channel is None:
            mean: np.ndarray = self.weights.mean(axis=1)
            return mean
        if not 0 <= channel < self.weights.shape[1]:
            raise FerError(f"the kernels of {self.layer} read the channels 0 to {self.weights.shape[1] - 1}")
        picture: np.ndarray = self.weights[:, channel]
        return picture


def convolutions(network: Network) -> list[Step]:
    """The steps that have kernels to look at, in their order."""
    return [step for step in network.steps if isinstance(step.module, nn.Conv2d)]


def filters(network: Network, layer: str) -> Filters:
    """The kernels of a convolution; raises FerError for other layers, with the choices."""
    module = network.step(layer).module
    if not isinstance(module, nn.Conv2d):
        names = ", ".join(step.name for step in convolutions(network)[:6])
        raise FerError(
            f"{layer} is no convolution and has no kernels; choose from {names} …"
            if names
            else f"{network.architecture} has no convolution, and so no kernels to show"
        )
    return Filters(layer, module.weight.detach().float().cpu().numpy().copy())


def at_depth(network: Network, depth: float) -> Step:
    """The step of the trunk at a depth in [0, 1], 0 the first with maps and 1 the last: to compare networks.

    Raises FerError for an ensemble.
    """
    spatial = [step for step in network.trunk if step.is_spatial] or list(network.trunk)
    return spatial[round(depth * (len(spatial) - 1))]


def pixel_weights(network: Network) -> np.ndarray:
    """What a network of one dense layer multiplies each pixel with, float32 (classes, C, S, S).

    Raises FerError for networks whose first layer with weights is another, and for an ensemble.
    """
    network.check_single()
    first = next(step for step in network.steps if step.module is not None and [*step.module.parameters()])
    expected = network.channels * network.size**2
    if not isinstance(first.module, nn.Linear) or first.module.in_features != expected:
        raise FerError(f"the first layer of {network.architecture} does not weigh pixels one by one")
    shape = (-1, network.channels, network.size, network.size)
    return first.module.weight.detach().float().reshape(shape).cpu().numpy()


def batches(network: Network, count: int, values: int = 24_000_000) -> list[slice]:
    """How to go through `count` faces so that all that the network gives stays below about 100 MB."""
    size = max(1, min(128, values // max(1, network.values)))
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
