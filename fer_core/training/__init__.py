"""fit(): the visible training loop, its recipes, and runs that resume exactly."""

from fer_core.training.loop import FitResult, TrainingDiverged, TrainingStopped, fit
from fer_core.training.passes import TrainingSet
from fer_core.training.recipes import RECIPES, get_recipe, recipe_arguments, recipe_names
from fer_core.training.specs import make_spec
from fer_core.training.stopping import stop_signals
from fer_core.training.train import check_spec, train_run

__all__ = [
    "RECIPES",
    "FitResult",
    "TrainingDiverged",
    "TrainingSet",
    "TrainingStopped",
    "check_spec",
    "fit",
    "get_recipe",
    "make_spec",
    "recipe_arguments",
    "recipe_names",
    "stop_signals",
    "train_run",
]
