"""What a network is made of, what its layers see, and which pixels speak for a class."""

from fer_core.interpretation.average import MeanCams, mean_cams
from fer_core.interpretation.descriptors import (
    LpqView,
    PhogView,
    default_descriptors,
    lpq_view,
    phog_view,
    used_descriptors,
)
from fer_core.interpretation.embedding import Embedding, Projection, embed, penultimate, project
from fer_core.interpretation.layers import LayerRow, layer_table
from fer_core.interpretation.maps import (
    FeatureMaps,
    Filters,
    at_depth,
    convolutions,
    feature_maps,
    filters,
    pixel_weights,
    walk,
)
from fer_core.interpretation.network import Network
from fer_core.interpretation.paper_views import PaperView, paper_views
from fer_core.interpretation.saliency import (
    METHODS,
    Saliency,
    cam_layers,
    default_cam_layer,
    grad_cams,
    guided_backpropagation,
    saliency,
)
from fer_core.interpretation.sanity import Likeness, likeness, mean_likeness
from fer_core.interpretation.trace import FACE, Step, trace_steps, traced

__all__ = [
    "FACE",
    "METHODS",
    "Embedding",
    "FeatureMaps",
    "Filters",
    "LayerRow",
    "Likeness",
    "LpqView",
    "MeanCams",
    "Network",
    "PaperView",
    "PhogView",
    "Projection",
    "Saliency",
    "Step",
    "at_depth",
    "cam_layers",
    "convolutions",
    "default_cam_layer",
    "default_descriptors",
    "embed",
    "feature_maps",
    "filters",
    "grad_cams",
    "guided_backpropagation",
    "layer_table",
    "likeness",
    "lpq_view",
    "mean_cams",
    "mean_likeness",
    "paper_views",
    "penultimate",
    "phog_view",
    "pixel_weights",
    "project",
    "saliency",
    "trace_steps",
    "traced",
    "used_descriptors",
    "walk",
]
