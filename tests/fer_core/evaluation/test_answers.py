"""What several runs say of the same images, and where they disagree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from fer_core.errors import FerError
from fer_core.evaluation import (
    Answers,
    agreement_shares,
    alone_right,
    answers_of,
    class_changes,
    compare_all,
    compare_runs,
    consensus,
    contradicted,
    expected_calibration_error,
    hardest,
    in_cell,
    kappas,
    mcnemar,
    reliability,
    shared_answers,
    together,
)
from fer_core.runs import RunStore
from tests.dashboard.tested_runs import make_tested

EMOTIONS = ("angry", "happy", "sad")


def predictions(called, labels, ids=None, sure=0.8):
    """Predictions of three classes; `sure` may be one probability for each image."""
    sure = np.broadcast_to(np.asarray(sure, float), len(labels))
    probabilities = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    probabilities[np.arange(len(labels)), called] = sure
    ids = [f"{place:03}" for place in range(len(labels))] if ids is None else ids
    return {"test_ids": np.array(ids), "test_labels": np.array(labels), "test_probabilities": probabilities}


LABELS = [0, 0, 1, 1, 2, 2]
A = predictions([0, 0, 1, 0, 2, 1], LABELS, sure=[0.9, 0.6, 0.7, 0.8, 0.5, 0.9])
B = predictions([0, 1, 1, 0, 0, 1], LABELS, sure=[0.9, 0.9, 0.7, 0.6, 0.9, 0.8])
C = predictions([0, 1, 0, 1, 1, 1], LABELS, sure=[0.9, 0.5, 0.7, 0.6, 0.9, 0.7])


@pytest.fixture
def answers() -> Answers:
    return shared_answers({"a": A, "b": B, "c": C}, EMOTIONS)


def test_answers_stand_side_by_side_by_image_and_not_by_place():
    turned = {name: values[::-1] for name, values in B.items()}
    found = shared_answers({"a": A, "b": turned}, EMOTIONS)
    assert found.called.tolist() == [[0, 0, 1, 0, 2, 1], [0, 1, 1, 0, 0, 1]]
    assert found.right.tolist() == [[True, True, True, False, True, False], [True, False, True, False, False, False]]
    assert found.of_label[0].tolist() == pytest.approx([0.9, 0.6, 0.7, 0.1, 0.5, 0.05])
    assert not found.is_partial


def test_only_the_images_that_all_were_tested_on_are_shared():
    other = predictions([1, 1, 2], [1, 0, 2], ids=["002", "000", "new"])
    found = shared_answers({"a": A, "b": other}, EMOTIONS)
    assert found.ids.tolist() == ["000", "002"]
    assert found.called.tolist() == [[0, 1], [1, 1]]
    assert (found.tested, found.is_partial) == ((6, 3), True)


def test_later_repetitions_of_folds_are_predictions_that_are_not_shared():
    twice = {name: np.concatenate([values, values]) for name, values in A.items()}
    found = shared_answers({"a": twice, "b": B}, EMOTIONS)
    assert (len(found), found.tested, found.is_partial) == (6, (12, 6), True)


def test_runs_without_a_common_image_are_refused_with_a_sentence():
    other = predictions([1], [1], ids=["elsewhere"])
    with pytest.raises(FerError, match="different images, none of which all have seen"):
        shared_answers({"a": A, "b": other}, EMOTIONS)


def test_runs_that_know_other_labels_of_the_same_image_are_refused():
    with pytest.raises(FerError, match="run b was tested with other labels"):
        shared_answers({"a": A, "b": predictions([0] * 6, [0, 0, 1, 1, 2, 1])}, EMOTIONS)


def test_a_run_of_other_classes_is_refused():
    with pytest.raises(FerError, match="run a tells 3 classes apart and not 2"):
        answers_of("a", A, EMOTIONS[:2])


def test_of_an_image_that_is_tested_several_times_the_first_prediction_is_shared():
    twice = {name: np.concatenate([A[name], B[name]]) for name in A}
    found = shared_answers({"a": twice, "b": B}, EMOTIONS)
    assert len(found) == 6
    assert found.called[0].tolist() == [0, 0, 1, 0, 2, 1]
    assert len(answers_of("a", twice, EMOTIONS)) == 12


def test_arrays_that_are_shared_between_viewers_cannot_be_written(answers):
    with pytest.raises(ValueError, match="read-only"):
        answers.probabilities[0] = 0


def test_a_run_that_is_not_there_is_named(answers):
    with pytest.raises(FerError, match="run z is not among a, b, c"):
        answers.place("z")


def test_some_of_the_runs_are_the_same_images(answers):
    assert answers.only(["c", "a"]).called.tolist() == [answers.called[2].tolist(), answers.called[0].tolist()]


def test_who_alone_is_right_is_sorted_by_how_much_more_it_gives_the_label(answers):
    picked = alone_right(answers, "a", "b")
    assert picked.rows.tolist() == [1, 4]  # 0.6 − 0.05 and 0.5 − 0.05
    assert picked.margin.tolist() == pytest.approx([0.55, 0.45])
    assert alone_right(answers, "b", "a").rows.tolist() == []


def test_the_hardest_images_are_those_that_no_run_recognises(answers):
    picked = hardest(answers)
    assert picked.rows.tolist() == [5]
    assert picked.margin[0] == pytest.approx(np.mean([0.9 - 0.05, 0.8 - 0.1, 0.7 - 0.15]))


def test_a_label_is_contradicted_where_more_than_half_say_the_same_other_class(answers):
    picked = contradicted(answers)
    # image 1: b and c say 1; image 3: a and b say 0; image 5: all say 1; image 4: b and c differ
    assert sorted(picked.rows.tolist()) == [1, 3, 5]
    assert picked.rows[0] == 5
    assert list(picked.margin) == sorted(picked.margin, reverse=True)
    said, votes = consensus(answers)
    assert (said[5], votes[5]) == (1, 3)


def test_half_of_the_runs_contradict_no_label():
    found = shared_answers({"a": A, "b": B}, EMOTIONS)
    assert 1 not in contradicted(found).rows


def test_a_cell_holds_the_images_that_the_confusion_matrix_counts(answers):
    cells = [[len(in_cell(answers, "a", true, called)) for called in range(3)] for true in range(3)]
    assert cells == [[2, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert in_cell(answers, "a", 0, None).rows.tolist() == [0, 1]  # a row; the surest first
    assert sorted(in_cell(answers, "a", None, 1).rows.tolist()) == [2, 5]
    assert in_cell(answers, "a", 2, 1).margin[0] == pytest.approx(0.9 - 0.05)
    assert in_cell(answers, "a", 0, 0).margin[0] == pytest.approx(0.9 - 0.05)


def test_a_filter_keeps_the_order(answers):
    kept = contradicted(answers).where(answers.labels == 1)
    assert kept.rows.tolist() == [3]


def test_together_the_runs_are_right_as_often_as_counted(answers):
    found = together(answers)
    assert (found.all_right, found.any_right, found.none_right) == pytest.approx((1 / 6, 5 / 6, 1 / 6))


def test_agreement_is_counted_and_kappa_is_scikit_learns(answers):
    assert agreement_shares(answers)[0, 1] == pytest.approx(4 / 6)
    for one in range(3):
        for two in range(3):
            expected = cohen_kappa_score(answers.called[one], answers.called[two])
            assert kappas(answers)[one, two] == pytest.approx(expected)


def test_kappa_of_two_constants_that_agree_is_one():
    same = predictions([0, 0], [0, 1])
    assert kappas(shared_answers({"a": same, "b": same}, EMOTIONS)).tolist() == [[1, 1], [1, 1]]


def test_the_pairs_of_answers_are_those_of_the_runs(tmp_path):
    store = RunStore(tmp_path)
    runs = [make_tested(store, preprocessing=name, accuracy=share) for name, share in (("raw", 0.5), ("gcn", 0.6))]
    found = shared_answers({run.id: run.predictions() for run in runs}, runs[0].spec.emotions)
    assert compare_all(found) == compare_runs(runs)


def test_a_class_changes_by_its_own_paired_images(answers):
    changes = class_changes(answers, "b", "recall")
    assert [(each.run, each.emotion) for each in changes][:3] == [("a", "angry"), ("a", "happy"), ("a", "sad")]
    first = changes[0]
    assert (first.value, first.baseline, first.support, first.difference) == (1.0, 0.5, 2, 0.5)
    assert first.p_value == mcnemar(1, 0) == 1.0
    assert not first.is_real
    assert all(each.adjusted >= each.p_value for each in changes)


def test_precision_changes_without_a_test_and_f1_too(answers):
    for metric in ("precision", "f1"):
        assert all(each.p_value is None and not each.is_real for each in class_changes(answers, "a", metric))


def test_a_class_without_an_image_has_no_test():
    found = shared_answers({"a": predictions([0, 1], [0, 1]), "b": predictions([1, 1], [0, 1])}, EMOTIONS)
    (sad,) = [each for each in class_changes(found, "b", "recall") if each.emotion == "sad"]
    assert (sad.support, sad.p_value, sad.is_real) == (0, None, False)


@given(st.integers(1, 200), st.integers(0, 2**31 - 1))
def test_the_reliability_diagram_has_the_calibration_error_of_the_report(n, seed):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(7), n)
    labels = random.integers(0, 7, n)
    found = reliability(labels, probabilities)
    assert found.error == pytest.approx(expected_calibration_error(labels, probabilities))
    assert found.counts.sum() == n
    assert np.isnan(found.accuracy[found.counts == 0]).all()
