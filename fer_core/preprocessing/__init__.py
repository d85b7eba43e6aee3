"""Deterministic preprocessing: batched steps on uint8 images, chained by a string such as `gcn+hist_eq`.

A new step is one new file here with one class under `@step("name")`.
"""

from fer_core.preprocessing.base import STEPS, Context, Step, step
from fer_core.preprocessing.pipeline import RAW, Pipeline, Stage, StepDescription, describe_steps
from fer_core.preprocessing.scaling import scale_to_symmetric
from fer_core.registry import import_submodules

__all__ = [
    "RAW",
    "STEPS",
    "Context",
    "Pipeline",
    "Stage",
    "Step",
    "StepDescription",
    "describe_steps",
    "scale_to_symmetric",
    "step",
]

import_submodules(__name__, __path__)
