"""Labels that predictions contradict."""

import numpy as np
import pytest

from fer_core.errors import FerError
from fer_core.evaluation import label_errors, out_of_sample


def predictions(
    ids: list[str], labels: list[int], probabilities: list[list[float]], clean: list[bool] | None = None
) -> dict[str, np.ndarray]:
    """What one run says; the first image is its validation, the others its test."""
    arrays: dict[str, np.ndarray] = {}
    for split, part in (("valid", slice(0, 1)), ("test", slice(1, None))):
        arrays[f"{split}_ids"] = np.array(ids[part], str)
        arrays[f"{split}_labels"] = np.array(labels[part], np.int64)
        arrays[f"{split}_probabilities"] = np.array(probabilities, np.float16)[part]
        if clean is not None:
            arrays[f"{split}_clean"] = np.array(clean, bool)[part]
    return arrays


def test_a_label_is_doubted_where_another_class_reaches_its_threshold() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    of_first = np.array([0.9, 0.8, 0.1, 0.2, 0.1, 0.55])  # thresholds: 0.6 for class 0, 0.717 for class 1
    found = label_errors(labels, np.stack([of_first, 1 - of_first], axis=1))
    np.testing.assert_allclose(found.thresholds, [0.6, (0.8 + 0.9 + 0.45) / 3])
    # the last image is more probably class 0, but not surely
    assert (found.rows.tolist(), found.suggested.tolist()) == ([2], [1])
    np.testing.assert_allclose(found.margin, [0.1 - 0.9])


def test_the_planted_errors_are_found_and_come_first() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 7, 700)
    logits = random.normal(0, 1, (700, 7))
    logits[np.arange(700), truth] += 5
    weights = np.exp(logits)
    labels = truth.copy()
    labels[:30] = (truth[:30] + random.integers(1, 7, 30)) % 7
    found = label_errors(labels, weights / weights.sum(axis=1, keepdims=True))
    best = found.rows[:25]
    assert set(best.tolist()) <= set(range(30))
    assert (found.suggested[:25] == truth[best]).all()
    assert (np.diff(found.margin) >= 0).all()
    assert (found.margin <= 0).all()


def test_a_class_without_images_is_never_surely_one() -> None:
    found = label_errors(np.array([0, 0, 1]), np.array([[0.1, 0.1, 0.8], [0.9, 0.1, 0.0], [0.1, 0.9, 0.0]]))
    assert np.isinf(found.thresholds[2])
    assert found.rows.tolist() == []


def test_errors_are_filtered_and_sorted_together() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    of_first = np.array([0.9, 0.05, 0.1, 0.2, 0.1, 0.95])
    found = label_errors(labels, np.stack([of_first, 1 - of_first], axis=1))
    assert found.rows.tolist() == [1, 5, 2]
    assert found.where(found.suggested == 1).rows.tolist() == [1, 2]
    turned = found.ordered(-found.margin)
    assert (turned.rows.tolist(), turned.suggested.tolist()) == ([2, 1, 5], [1, 1, 0])


def test_runs_are_averaged_on_the_images_that_each_has_seen() -> None:
    first = predictions(["a", "b", "c"], [0, 1, 0], [[1, 0], [0.5, 0.5], [0.25, 0.75]])
    second = predictions(["b", "d"], [1, 1], [[0, 1], [0, 1]])
    seen = out_of_sample({"first": first, "second": second})
    assert seen.ids.tolist() == ["a", "b", "c", "d"]
    assert (seen.labels.tolist(), seen.runs.tolist()) == ([0, 1, 0, 1], [1, 2, 1, 1])
    np.testing.assert_allclose(seen.probabilities, [[1, 0], [0.25, 0.75], [0.25, 0.75], [0, 1]])
    assert seen.left_out == 0


def test_a_run_that_tested_an_image_in_several_folds_counts_once() -> None:
    folds = predictions(["a", "b", "b"], [0, 1, 1], [[1, 0], [0, 1], [0.5, 0.5]])
    other = predictions(["b"], [1], [[1, 0]])
    seen = out_of_sample({"folds": folds, "other": other})
    np.testing.assert_allclose(seen.probabilities[1], [(0.25 + 1) / 2, 0.75 / 2])
    assert seen.runs.tolist() == [1, 2]


def test_images_that_a_run_has_learnt_a_copy_of_are_left_out() -> None:
    arrays = predictions(["a", "b", "c"], [0, 1, 0], [[1, 0], [0, 1], [1, 0]], clean=[True, False, True])
    assert out_of_sample({"run": arrays}).ids.tolist() == ["a", "c"]
    assert out_of_sample({"run": arrays}).left_out == 1
    other = predictions(["b"], [1], [[0, 1]])
    assert out_of_sample({"run": arrays, "other": other}).left_out == 0


def test_runs_that_do_not_fit_are_refused() -> None:
    one = predictions(["a"], [0], [[1, 0]])
    with pytest.raises(FerError, match="different labels"):
        out_of_sample({"one": one, "other": predictions(["a"], [1], [[1, 0]])})
    with pytest.raises(FerError, match="different numbers of classes"):
        out_of_sample({"one": one, "other": predictions(["b"], [1], [[1, 0, 0]])})
    with pytest.raises(FerError, match="no run was given"):
        out_of_sample({})
