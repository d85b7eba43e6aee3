"""From saved predictions to metrics, intervals, calibration and tests between runs."""

from fer_core.evaluation.calibration import apply_temperature, expected_calibration_error, fit_temperature
from fer_core.evaluation.comparison import Comparison, compare_predictions, compare_runs, holm, mcnemar
from fer_core.evaluation.evaluate import evaluate_predictions, evaluate_run
from fer_core.evaluation.intervals import wilson_interval
from fer_core.evaluation.metrics import classification_metrics, confusion_matrix

__all__ = [
    "Comparison",
    "apply_temperature",
    "classification_metrics",
    "compare_predictions",
    "compare_runs",
    "confusion_matrix",
    "evaluate_predictions",
    "evaluate_run",
    "expected_calibration_error",
    "fit_temperature",
    "holm",
    "mcnemar",
    "wilson_interval",
]
