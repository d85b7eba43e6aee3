"""Whether one run is better than another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.errors import FerError
from fer_core.evaluation import compare_predictions, compare_runs, holm, mcnemar
from fer_core.runs import RunStore
from tests.dashboard.runs import make_run


def predictions(called, labels, ids=None):
    """Predictions that call image `ids[i]` the class `called[i]`."""
    ids = [f"{place:03}" for place in range(len(labels))] if ids is None else ids
    probabilities = np.full((len(labels), 7), 0.05, np.float16)
    probabilities[np.arange(len(labels)), called] = 0.7
    return {"test_ids": np.array(ids), "test_labels": np.array(labels), "test_probabilities": probabilities}


LABELS = [0] * 12
FIRST = predictions([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1], LABELS)
SECOND = predictions([0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 2], LABELS)


def test_images_are_counted_by_who_alone_recognised_them():
    pair = compare_predictions(FIRST, SECOND)
    assert (pair.both, pair.only_first, pair.only_second, pair.neither) == (4, 5, 1, 2)
    assert pair.n == 12
    assert pair.difference == pytest.approx(4 / 12)
    assert pair.agreement == pytest.approx(5 / 12)  # the two unrecognised: one is called the same
    assert pair.p_value == pytest.approx(2 * (1 + 6) / 2**6)


def test_images_are_paired_by_their_id_and_not_by_their_place():
    turned = {name: values[::-1] for name, values in SECOND.items()}
    assert compare_predictions(FIRST, turned) == compare_predictions(FIRST, SECOND)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"), [(0, 0, 1.0), (5, 5, 1.0), (10, 0, 2 / 2**10), (12, 4, 0.076812744140625)]
)
def test_mcnemar_is_the_exact_two_sided_test(only_first, only_second, p_value):
    assert mcnemar(only_first, only_second) == pytest.approx(p_value)
    assert mcnemar(only_second, only_first) == pytest.approx(p_value)


def test_holm_is_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_lowers_no_p_value_and_keeps_their_order(p_values):
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    ranked = [a for _, a in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_the_interval_holds_the_difference_and_stays_within_bounds(first, second, both):
    n = first + second + both
    if not n:
        return
    called = [[0] * first + [1] * second + [0] * both, [1] * first + [0] * second + [0] * both]
    pair = compare_predictions(*(predictions(each, [0] * n) for each in called))
    low, high = pair.interval
    assert -1 <= low <= high <= 1
    assert low - 1e-12 <= pair.difference * n / (n + 2) <= high + 1e-12


def test_other_test_images_are_refused_with_how_many_are_common():
    other = predictions([0] * 12, LABELS, [f"{place:03}" for place in range(4, 16)])
    with pytest.raises(FerError, match=r"different images \(8 of 12 and 12 in common\)"):
        compare_predictions(FIRST, other)


def test_repeated_test_images_are_refused():
    twice = predictions([0] * 4, [0] * 4, ["a", "b", "a", "b"])
    with pytest.raises(FerError, match="several times over"):
        compare_predictions(twice, twice)


def test_several_runs_are_compared_in_pairs_and_corrected_together(tmp_path):
    store = RunStore(tmp_path)
    runs = [make_run(store, seed=seed) for seed in range(3)]
    labels = np.arange(400) % 7
    for run, wrong in zip(runs, (100, 110, 300), strict=True):
        tested = predictions(np.where(np.arange(400) < wrong, (labels + 1) % 7, labels), labels)
        run.save_predictions(run.predictions() | tested)
    pairs = compare_runs(runs)
    assert [(pair.first, pair.second) for pair in pairs] == [
        (runs[0].id, runs[1].id), (runs[0].id, runs[2].id), (runs[1].id, runs[2].id),
    ]  # fmt: skip
    assert all(pair.adjusted >= pair.p_value for pair in pairs)
    assert pairs[1].is_real
    assert pairs[1].adjusted == pytest.approx(min(1, 3 * pairs[1].p_value))
    with pytest.raises(FerError, match="at least two different runs"):
        compare_runs([runs[0], runs[0]])


def test_runs_of_other_protocols_are_not_compared_though_their_images_are_the_same(tmp_path):
    store = RunStore(tmp_path)
    first, second = (make_run(store, protocol=name, n=80) for name in ("official", "random_80_20"))
    with pytest.raises(FerError, match=r"differ in protocol \(official and random_80_20\); only runs with the same"):
        compare_runs([first, second])
