"""fit(): the visible training loop, its recipes, and runs that resume exactly."""

from fer_core.training.loop import FitResult, TrainingDiverged, TrainingSet, fit
from fer_core.training.recipes import RECIPES, get_recipe
from fer_core.training.train import train_run

__all__ = [
    "RECIPES",
    "FitResult",
    "TrainingDiverged",
    "TrainingSet",
    "fit",
    "get_recipe",
    "train_run",
]
