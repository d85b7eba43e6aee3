"""Hand-crafted descriptors of gray faces, and the columns a classifier takes from them.

A new descriptor is one new file here with one class under `@feature("name")`.
"""

from fer_core.features.base import FEATURES, Feature, FeatureDescription, describe_features, feature, parse_features
from fer_core.features.columns import PrincipalComponents, Standardiser, reduce_descriptors
from fer_core.features.lpq import lpq_codes
from fer_core.features.phog import edge_map
from fer_core.registry import import_submodules

__all__ = [
    "FEATURES",
    "Feature",
    "FeatureDescription",
    "PrincipalComponents",
    "Standardiser",
    "describe_features",
    "edge_map",
    "feature",
    "lpq_codes",
    "parse_features",
    "reduce_descriptors",
]

import_submodules(__name__, list(__path__))
