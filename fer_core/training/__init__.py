"""fit(): the visible training loop, its recipes, and runs that resume exactly."""

from fer_core.training.loop import FitResult, TrainingDiverged, TrainingSet, fit
from fer_core.training.recipes import RECIPES, get_recipe, recipe_names
from fer_core.training.specs import make_spec
from fer_core.training.train import train_run

__all__ = [
    "RECIPES",
    "FitResult",
    "TrainingDiverged",
    "TrainingSet",
    "fit",
    "get_recipe",
    "make_spec",
    "recipe_names",
    "train_run",
]
