import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binomtest
from sklearn import metrics as sk

from fer_core.evaluation import classification_metrics, confusion_matrix, evaluate_predictions, wilson_interval
from fer_core.evaluation.calibration import apply_temperature, expected_calibration_error, fit_temperature, log_loss
from fer_core.evaluation.evaluate import inconsistency
from fer_core.evaluation.intervals import normal_quantile
from fer_core.labels import EMOTIONS


@pytest.fixture
def predictions(rng):
    labels = rng.integers(0, 7, 400)
    logits = rng.normal(size=(400, 7)) + 2 * np.eye(7)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_metrics_agree_with_scikit_learn(predictions):
    labels, probabilities = predictions
    predicted = probabilities.argmax(1)
    ours = classification_metrics(labels, probabilities, EMOTIONS)
    precision, recall, f1, support = sk.precision_recall_fscore_support(labels, predicted, zero_division=0)
    assert ours["accuracy"] == pytest.approx(sk.accuracy_score(labels, predicted))
    assert ours["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(labels, predicted))
    assert ours["macro_f1"] == pytest.approx(f1.mean())
    assert ours["log_loss"] == pytest.approx(sk.log_loss(labels, probabilities))
    assert ours["confusion_matrix"] == sk.confusion_matrix(labels, predicted).tolist()
    assert [c["precision"] for c in ours["per_class"]] == pytest.approx(precision.tolist())
    assert [c["recall"] for c in ours["per_class"]] == pytest.approx(recall.tolist())
    assert [c["support"] for c in ours["per_class"]] == support.tolist()


def test_specificity_is_the_recall_of_the_other_classes(predictions):
    labels, probabilities = predictions
    others = classification_metrics(labels, probabilities, EMOTIONS)["per_class"][3]["specificity"]
    assert others == pytest.approx(sk.recall_score(labels != 3, probabilities.argmax(1) != 3))


def test_rows_of_the_confusion_matrix_are_the_true_classes():
    assert confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 1]), 2).tolist() == [[0, 2], [0, 1]]


def test_a_class_that_is_never_predicted_has_precision_zero():
    ours = classification_metrics(np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]]), EMOTIONS[:2])
    assert ours["per_class"][1]["precision"] == 0.0


def test_probabilities_of_another_number_of_classes_are_refused(predictions):
    with pytest.raises(ValueError, match="do not fit 6 classes"):
        classification_metrics(*predictions, EMOTIONS[:6])


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (10, 10), (2317, 3589)])
def test_wilson_interval_agrees_with_scipy(correct, n):
    expected = binomtest(correct, n).proportion_ci(method="wilson")
    assert wilson_interval(correct, n) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("share", [0.025, 0.5, 0.9, 0.975, 0.9995])
def test_a_quantile_agrees_with_scipy(share):
    assert normal_quantile(share) == pytest.approx(ndtri(share), abs=2e-15)


def test_the_quantile_of_written_intervals_is_scipy_s_to_the_last_digit():
    assert normal_quantile(0.975) == ndtri(0.975)


def test_no_images_leave_everything_open():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_the_fitted_temperature_recovers_the_one_that_spoilt_the_probabilities(rng):
    labels = rng.integers(0, 7, 4000)
    logits = rng.normal(size=(4000, 7)) + 2 * np.eye(7)[labels]
    honest = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    base = fit_temperature(labels, honest)
    assert fit_temperature(labels, apply_temperature(honest, 0.5)) == pytest.approx(2 * base, rel=0.02)


def test_temperature_scaling_never_changes_the_predicted_class(predictions):
    _, probabilities = predictions
    assert (apply_temperature(probabilities, 3.0).argmax(1) == probabilities.argmax(1)).all()


def test_calibration_error_of_sure_and_right_is_zero_and_of_sure_and_wrong_is_one():
    sure = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert expected_calibration_error(np.array([0, 0]), sure) == 0.0
    assert expected_calibration_error(np.array([1, 1]), sure) == 1.0


def test_log_loss_of_an_impossible_truth_is_finite():
    assert np.isfinite(log_loss(np.array([1]), np.array([[1.0, 0.0]])))


def arrays(predictions, **more):
    labels, probabilities = predictions
    both = {f"{split}_labels": labels for split in ("valid", "test")}
    return both | {f"{split}_probabilities": probabilities for split in ("valid", "test")} | more


def test_clean_accuracy_counts_only_images_without_a_copy_in_training(predictions):
    labels, probabilities = predictions
    clean = probabilities.argmax(1) == labels  # so every clean image is a hit
    test = evaluate_predictions(arrays(predictions, test_clean=clean), EMOTIONS)["splits"]["test"]
    assert test["clean_accuracy"] == 1.0
    assert test["clean_n"] == clean.sum() < test["n"]


def test_mirror_averaged_probabilities_have_their_own_accuracy(predictions):
    labels, _ = predictions
    test = evaluate_predictions(arrays(predictions, test_flip_probabilities=np.eye(7)[labels]), EMOTIONS)["splits"][
        "test"
    ]
    assert test["flip_accuracy"] == 1.0
    assert test["accuracy"] < 1.0


def test_a_report_that_contradicts_its_matrix_is_found_out(predictions):
    evaluation = evaluate_predictions(arrays(predictions), EMOTIONS)
    assert inconsistency(evaluation) == ""
    evaluation["splits"]["test"]["accuracy"] = 0.18  # paper 4 printed such a report beside 0.65
    assert "the report 0.18" in inconsistency(evaluation)
