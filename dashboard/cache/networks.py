"""Networks that are looked into, and what is seen in them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard.network.subject import Subject
from dashboard.pictures import seen
from fer_core.errors import FerError
from fer_core.runs import Run

if TYPE_CHECKING:
    # importing these would import torch
    from fer_core.interpretation import (
        FeatureMaps,
        Filters,
        LayerRow,
        Likeness,
        LpqView,
        Network,
        PhogView,
        Saliency,
    )

NETWORKS = 4  # kept in memory at once: as many as are compared side by side
RANDOM_NETWORKS = 2
WALKED_STEPS = 24
LOOKS = 32  # pictures of layers kept in memory


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network gets of a face, uint8 (S, S[, 3]) after preprocessing, and its calibrated probabilities."""

    face: np.ndarray
    probabilities: dict[str, float]

    @property
    def emotion(self) -> str:
        """The most probable one."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


@st.cache_data(max_entries=16, show_spinner=False)
def layers(architecture: str, channels: int, size: int, classes: int) -> "list[LayerRow]":
    """The layers of a freshly built network with its default arguments, counted on the live one."""
    from fer_core.architectures import build
    from fer_core.interpretation import layer_table

    return layer_table(build(architecture, channels=channels, size=size, classes=classes), channels, size)


@st.cache_data(max_entries=16, show_spinner=False)
def default_arguments(architecture: str) -> dict[str, Any]:
    """What an architecture takes beside the shape of its faces, with the values that it has by default."""
    from fer_core.architectures import ARCHITECTURES

    return ARCHITECTURES.get(architecture).arguments()


@st.cache_data(max_entries=1, show_spinner=False)
def architectures() -> list[str]:
    """The registered networks, by name."""
    from fer_core.architectures import ARCHITECTURES

    return ARCHITECTURES.names()


@st.cache_resource(max_entries=NETWORKS, show_spinner=False)
def network(subject: Subject) -> "Network":
    """A network to look into; shared by all viewers, who look one after the other."""
    from fer_core.interpretation import Network

    if subject.is_trained:
        return Network.from_run(Run(Path(subject.folder)), subject.member)
    return Network.untrained(subject.architecture, channels=subject.channels, size=subject.size, seed=subject.seed)


@st.cache_resource(max_entries=RANDOM_NETWORKS, show_spinner=False)
def random_network(subject: Subject) -> "Network":
    """The same network untrained: other random weights than those an untrained subject has itself."""
    return network(subject).with_random_weights(seed=subject.seed + 1)


@st.cache_data(max_entries=16, show_spinner=False)
def network_layers(subject: Subject) -> "list[LayerRow]":
    """The layers of a network as it is."""
    from fer_core.interpretation import layer_table

    looked = network(subject)
    with looked.looking() as model:
        return layer_table(model, looked.channels, looked.size)


@st.cache_data(max_entries=LOOKS, show_spinner=False)
def reading(subject: Subject, face: np.ndarray) -> Reading:
    """What a network gets of a face (H, W[, 3]), and what it says of it."""
    looked = network(subject)
    inputs = looked.inputs(face[None])
    shares = looked.probabilities(inputs)[0]
    probabilities = dict(zip(looked.emotions, map(float, shares), strict=True))
    return Reading(seen(inputs[0].numpy()), probabilities)


@st.cache_data(max_entries=LOOKS, show_spinner=False)
def feature_maps(subject: Subject, face: np.ndarray, layer: str) -> "FeatureMaps":
    """What a layer gives for a face; raises FerError for an unknown one."""
    from fer_core.interpretation import feature_maps

    looked = network(subject)
    return feature_maps(looked, looked.inputs(face[None]), layer)


@st.cache_data(max_entries=LOOKS, show_spinner=False)
def filters(subject: Subject, layer: str) -> "Filters":
    """The kernels of a convolution; raises FerError for other layers."""
    from fer_core.interpretation import filters

    return filters(network(subject), layer)


@st.cache_data(max_entries=LOOKS, show_spinner=False)
def pixel_weights(subject: Subject) -> np.ndarray:
    """What a network of one dense layer multiplies each pixel with, (classes, C, S, S); FerError for others."""
    from fer_core.interpretation import pixel_weights

    return pixel_weights(network(subject))


@st.cache_data(max_entries=8, show_spinner=False)
def walk(subject: Subject, face: np.ndarray, count: int) -> "tuple[list[FeatureMaps], int]":
    """The `count` strongest maps of the steps that all paths pass, and how many such steps there are.

    Of a dense layer all values are kept. Of more than WALKED_STEPS some are left out, evenly.
    """
    from fer_core.interpretation import FeatureMaps, walk

    looked = network(subject)
    found = [
        FeatureMaps(each.layer, each.kind, each.maps[each.chosen(count)] if each.is_spatial else each.maps)
        for each in walk(looked, looked.inputs(face[None]), WALKED_STEPS)
    ]
    return found, len(looked.trunk)


@st.cache_data(max_entries=16, show_spinner=False)
def cam_layers(subject: Subject) -> tuple[list[str], str]:
    """The layers that Grad-CAM can look at, and the one it looks at by default; FerError where there is none."""
    from fer_core.interpretation import cam_layers, default_cam_layer

    looked = network(subject)
    return [step.name for step in cam_layers(looked)], default_cam_layer(looked)


@st.cache_data(max_entries=4 * LOOKS, show_spinner=False)
def heat(subject: Subject, face: np.ndarray, emotion: str, method: str, layer: str, *, random: bool) -> "Saliency":
    """What speaks for an emotion in a face, by a method; of the network itself, or with random weights."""
    from fer_core.interpretation import saliency

    looked = random_network(subject) if random else network(subject)
    return saliency(looked, looked.inputs(face[None]), looked.emotions.index(emotion), method, layer)


def likeness(first: "Saliency", second: "Saliency") -> "Likeness":
    """How alike two pictures of heat are."""
    from fer_core.interpretation import likeness

    return likeness(first.heat, second.heat)


@st.cache_data(max_entries=LOOKS, show_spinner=False)
def descriptors(subject: Subject, face: np.ndarray) -> "tuple[LpqView, PhogView, bool]":
    """LPQ and PHOG of a face (H, W) as the network takes them, else as paper 3 does; and whether it takes them."""
    from fer_core.features.lpq import Lpq
    from fer_core.features.phog import Phog
    from fer_core.interpretation import default_descriptors, lpq_view, phog_view, used_descriptors

    try:
        used, own = used_descriptors(network(subject)), True
    except FerError:
        used, own = default_descriptors(), False
    lpq = next((each for each in used if isinstance(each, Lpq)), None)
    phog = next((each for each in used if isinstance(each, Phog)), None)
    return lpq_view(face, lpq), phog_view(face, phog), own


def face_at_depth(subject: Subject, depth: float) -> str:
    """The layer at a depth in [0, 1] of a network."""
    from fer_core.interpretation import at_depth

    return at_depth(network(subject), depth).name


@st.cache_data(max_entries=1, show_spinner=False)
def saliency_methods() -> list[tuple[str, str, str]]:
    """(name, label, what it shows) of each saliency method."""
    from fer_core.interpretation import METHODS

    return [(method.name, method.label, method.summary) for method in METHODS.values()]


@st.cache_data(max_entries=16, show_spinner=False)
def paper_views(architecture: str) -> list[Any]:
    """The views of an architecture that its paper prints."""
    from fer_core.interpretation import paper_views

    return list(paper_views(architecture))
