"""Bimodal distribution removal on made-up errors, with the rows to expect worked out by hand."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.config import to_json
from fer_core.errors import FerError
from fer_core.training import get_recipe
from fer_core.training.bdr import BimodalRemoval, ErrorDistribution

# Six samples learnt, four not: mean 2; candidates 3, 4, 5, 8 with mean 5 and deviation sqrt(14 / 4).
ERRORS = np.array([0, 3, 0, 0, 8, 0, 4, 0, 0, 5], np.float64)
ROWS = np.arange(100, 110)


def removal(alpha: float = 1.0, stop_variance: float = 0.01) -> BimodalRemoval:
    return BimodalRemoval(start=10, every=5, alpha=alpha, stop_variance=stop_variance)


@pytest.mark.parametrize(
    ("alpha", "removed"),
    [(1.0, [104]), (0.5, [104]), (0.0, [104])],
)
def test_rows_above_the_candidates_mean_plus_alpha_deviations_leave(alpha: float, removed: list[int]) -> None:
    outcome = removal(alpha).run_round(10, ERRORS, ROWS)
    assert outcome.removed.tolist() == removed
    assert outcome.kept.tolist() == [row for row in range(100, 110) if row not in removed]


def test_alpha_decides_about_a_row_between_mean_and_threshold() -> None:
    # mean 3.4; candidates 4, 6, 7, 7 + 10: mean 6.8, deviation sqrt((7.84 + .64 + .04 + .04 + 10.24) / 5) = 1.939
    errors = np.array([0, 0, 0, 0, 0, 4, 6, 7, 7, 10], np.float64)
    assert removal(0.0).run_round(10, errors, ROWS).removed.tolist() == [107, 108, 109]
    assert removal(0.1).run_round(10, errors, ROWS).removed.tolist() == [107, 108, 109]  # 6.994
    assert removal(0.2).run_round(10, errors, ROWS).removed.tolist() == [109]  # 7.188
    assert removal(1.0).run_round(10, errors, ROWS).removed.tolist() == [109]  # 8.739


def test_the_record_holds_what_the_charts_show() -> None:
    record = removal().run_round(10, ERRORS, ROWS).record
    assert record.before.mean == 2
    assert record.before.variance == pytest.approx(7.4)  # 114 / 10 - 2**2
    assert (record.before.epoch, record.before.samples) == (10, 10)
    assert (record.candidates, record.candidate_mean) == (4, 5)
    assert record.candidate_deviation == pytest.approx(3.5**0.5)
    assert record.threshold == pytest.approx(5 + 3.5**0.5)
    assert (record.removed, record.remaining) == (1, 9)
    assert record.variance == pytest.approx(50 / 9 - (12 / 9) ** 2)
    assert json.loads(json.dumps(to_json(record)))["before"]["counts"] == list(record.before.counts)


def test_training_ends_once_the_remaining_errors_vary_too_little() -> None:
    # mean 0.16; candidates 0.2, 0.2, 0.2, 1 with mean 0.4 and deviation 0.346
    errors = np.array([0, 0, 0, 0, 0, 0, 0.2, 0.2, 0.2, 1])
    outcome = removal().run_round(10, errors, ROWS)
    assert outcome.removed.tolist() == [109]
    assert outcome.record.before.variance == pytest.approx(0.0864)
    assert outcome.record.variance == pytest.approx(0.12 / 9 - (0.6 / 9) ** 2)  # 0.0089
    assert outcome.stop
    assert not removal(stop_variance=0.008).run_round(10, errors, ROWS).stop
    assert not removal().run_round(10, ERRORS, ROWS).stop


def test_a_variance_equal_to_the_limit_does_not_end_training() -> None:
    errors = np.array([0.0, 0.5])  # the one candidate does not exceed its own mean
    outcome = removal(stop_variance=0.0625).run_round(10, errors, ROWS[:2])
    assert outcome.record.variance == 0.0625
    assert not outcome.stop


@pytest.mark.parametrize("errors", [[0.1] * 10, [0.7], [1 / 3] * 7, [0.0] * 3])
def test_equal_errors_lose_no_row_and_have_no_threshold(errors: list[float]) -> None:
    outcome = removal(alpha=0.0).run_round(10, np.array(errors), ROWS[: len(errors)])
    assert outcome.removed.size == 0
    assert outcome.kept.tolist() == ROWS[: len(errors)].tolist()
    assert (outcome.record.candidates, outcome.record.threshold) == (0, None)
    assert outcome.stop


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_equal_candidates_stay(alpha: float) -> None:
    errors = np.array([0.0] * 5 + [0.1] * 3)
    outcome = removal(alpha).run_round(10, errors, ROWS[:8])
    assert outcome.record.candidates == 3
    assert outcome.removed.size == 0


@pytest.mark.parametrize("seed", range(5))
def test_rounds_never_empty_the_training_set_nor_bring_a_row_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, errors = np.arange(200), rng.gamma(0.3, 2, 200)
    for epoch in range(10, 300, 5):
        outcome = removal(alpha=0.0, stop_variance=0.0).run_round(epoch, errors[rows], rows)
        assert set(outcome.kept) | set(outcome.removed) == set(rows)
        assert not set(outcome.kept) & set(outcome.removed)
        rows = outcome.kept
    assert rows.size


def test_a_round_changes_neither_errors_nor_rows() -> None:
    errors, rows = ERRORS.copy(), ROWS.copy()
    removal().run_round(10, errors, rows)
    assert np.array_equal(errors, ERRORS)
    assert np.array_equal(rows, ROWS)


def test_rounds_are_due_from_the_start_on_at_every_interval() -> None:
    due = [epoch for epoch in range(1, 30) if removal().is_due(epoch)]
    assert due == [10, 15, 20, 25]


def test_paper_3s_two_choices_are_recipes() -> None:
    for name, start, every in (("unnormalised_bdr", 2000, 50), ("normalised_bdr", 50, 10)):
        recipe = get_recipe(name, "lpq_phog_mlp")
        assert (recipe.bdr_start, recipe.bdr_every, recipe.bdr_alpha, recipe.bdr_stop_variance) == (
            start,
            every,
            1,
            0.01,
        )
        assert get_recipe(name.removesuffix("_bdr"), "lpq_phog_mlp").bdr_start == 0


def test_the_histogram_counts_every_sample_between_zero_and_the_greatest_error() -> None:
    seen = ErrorDistribution.of(7, ERRORS)
    assert seen.edges == (0, 8)
    assert sum(seen.counts) == 10
    assert (seen.counts[0], seen.counts[15], seen.counts[-1]) == (6, 1, 1)  # 0.2 wide: 3 falls into the sixteenth


def test_float32_errors_are_measured_in_double_precision() -> None:
    errors = np.full(1000, 1e4, np.float32)
    errors[0] += 1
    assert ErrorDistribution.of(1, errors).variance == pytest.approx(0.999e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_errors_that_are_not_finite_end_in_one_sentence(bad: float) -> None:
    errors: NDArray[np.float64] = np.array([0.0, bad, 1.0])
    with pytest.raises(FerError, match="1 of 3 training samples is not finite; lower the"):
        removal().run_round(10, errors, ROWS[:3])


def test_errors_and_rows_of_different_lengths_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="3 errors for 10 rows"):
        removal().run_round(10, ERRORS[:3], ROWS)
    with pytest.raises(ValueError, match="one value per training sample"):
        removal().run_round(10, ERRORS[:0], ROWS[:0])


@pytest.mark.parametrize(("name", "value"), [("start", 0), ("every", 0), ("alpha", 1.5), ("stop_variance", -1)])
def test_impossible_settings_are_refused_with_the_range(name: str, value: float) -> None:
    settings = {"start": 10, "every": 5, "alpha": 1.0, "stop_variance": 0.01, name: value}
    with pytest.raises(FerError, match=f"{name} must be between"):
        BimodalRemoval(**settings)  # type: ignore[arg-type]
