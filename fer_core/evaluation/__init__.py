"""From saved predictions to metrics, intervals, calibration and tests between runs."""

from fer_core.evaluation.answers import Answers, answers_of, shared_answers
from fer_core.evaluation.calibration import apply_temperature, expected_calibration_error, fit_temperature
from fer_core.evaluation.class_changes import ClassChange, ClassMetric, class_changes
from fer_core.evaluation.comparison import (
    Comparison,
    compare_all,
    compare_answers,
    compare_predictions,
    compare_runs,
    holm,
    mcnemar,
)
from fer_core.evaluation.difference import asked_for, differences, flat, side_by_side
from fer_core.evaluation.disagreement import (
    Picked,
    Together,
    agreement_shares,
    alone_right,
    consensus,
    contradicted,
    hardest,
    in_cell,
    kappas,
    together,
)
from fer_core.evaluation.evaluate import evaluate_predictions, evaluate_run
from fer_core.evaluation.intervals import wilson_interval
from fer_core.evaluation.label_errors import LabelErrors, OutOfSample, label_errors, out_of_sample
from fer_core.evaluation.metrics import classification_metrics, confusion_matrix
from fer_core.evaluation.reliability import Reliability, reliability
from fer_core.evaluation.settings import differing

__all__ = [
    "Answers",
    "ClassChange",
    "ClassMetric",
    "Comparison",
    "LabelErrors",
    "OutOfSample",
    "Picked",
    "Reliability",
    "Together",
    "agreement_shares",
    "alone_right",
    "answers_of",
    "apply_temperature",
    "asked_for",
    "class_changes",
    "classification_metrics",
    "compare_all",
    "compare_answers",
    "compare_predictions",
    "compare_runs",
    "confusion_matrix",
    "consensus",
    "contradicted",
    "differences",
    "differing",
    "evaluate_predictions",
    "evaluate_run",
    "expected_calibration_error",
    "fit_temperature",
    "flat",
    "hardest",
    "holm",
    "in_cell",
    "kappas",
    "label_errors",
    "mcnemar",
    "reliability",
    "out_of_sample",
    "shared_answers",
    "side_by_side",
    "together",
    "wilson_interval",
]
