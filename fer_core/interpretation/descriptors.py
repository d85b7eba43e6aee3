"""What the hand-crafted descriptors see in a face: LPQ's codes and their histogram, PHOG's pyramid of directions."""

from dataclasses import dataclass

import numpy as np

from fer_core.architectures import DescriptorMLP
from fer_core.errors import FerError
from fer_core.features import FEATURES, Feature, edge_map, lpq_codes
from fer_core.features.lpq import Lpq
from fer_core.features.phog import Phog
from fer_core.interpretation.network import Network


@dataclass(frozen=True, eq=False)
class LpqView:
    """`codes` uint8 (H', W'), one of every pixel whose window lies within the face; `histogram` (256,), sum 1."""

    codes: np.ndarray
    histogram: np.ndarray


@dataclass(frozen=True, eq=False)
class PhogView:
    """`edges` bool (H, W), and for each level l of the pyramid float64 (2**l, 2**l, bins); all sum to 1, or 0."""

    edges: np.ndarray
    levels: tuple[np.ndarray, ...]


def lpq_view(face: np.ndarray, lpq: Lpq | None = None) -> LpqView:
    """LPQ of a gray face (H, W); raises FeatureError where it is smaller than the window."""
    chosen = lpq or Lpq()
    return LpqView(lpq_codes(face[None], chosen)[0], chosen.describe(face[None])[0])


def phog_view(face: np.ndarray, phog: Phog | None = None) -> PhogView:
    """PHOG of a gray face (H, W); raises FeatureError where it is too small for the finest level."""
    chosen = phog or Phog()
    values = chosen.describe(face[None])[0]
    sides = [2**level for level in range(chosen.levels + 1)]
    ends = np.cumsum([side * side * chosen.bins for side in sides])
    parts = np.split(values, ends[:-1])
    levels = [part.reshape(side, side, chosen.bins) for side, part in zip(sides, parts, strict=True)]
    return PhogView(edge_map(face[None])[0], tuple(levels))


def used_descriptors(network: Network) -> tuple[Feature, ...]:
    """The descriptors that a network learnt from; raises FerError for one that learns from pixels."""
    if not isinstance(network.model, DescriptorMLP):
        raise FerError(f"{network.architecture} learns from pixels; its layers are its features")
    return network.model.descriptors


def default_descriptors() -> tuple[Feature, ...]:
    """LPQ and PHOG as paper 3 takes them."""
    return tuple(FEATURES.get(name)() for name in ("lpq", "phog"))
