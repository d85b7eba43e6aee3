"""Bimodal distribution removal in frames and charts."""

import json
from typing import Any

import pytest

from dashboard.papers import removal, removal_charts
from fer_core.errors import FerError
from fer_core.runs import Run, RunError, RunStore
from tests.dashboard.runs import make_fold_run, write_removals


@pytest.fixture
def run(store: RunStore) -> Run:
    made = make_fold_run(
        store,
        "lpq_phog_mlp",
        "sfew_lpq_phog",
        folds=2,
        protocol="random_2fold",
        epochs=500,
        bdr_start=100,
        bdr_every=10,
    )
    write_removals(made)
    return made


@pytest.fixture
def history(run: Run) -> dict[str, Any]:
    return run.removal_history()


def test_a_run_without_removals_says_so(store: RunStore) -> None:
    with pytest.raises(RunError, match="has no bdr.json"):
        make_fold_run(store).removal_history()


def test_an_unknown_fold_is_an_error_with_the_choices(history: dict[str, Any]) -> None:
    assert removal.fold_names(history) == ["1.1", "1.2"]
    with pytest.raises(FerError, match=r"no fold '7'; choose from 1.1, 1.2"):
        removal.fold_of(history, "7")


def test_the_histograms_are_the_first_epoch_and_every_round(history: dict[str, Any]) -> None:
    fold = removal.fold_of(history, "1.1")
    panels = removal.panels(fold)
    assert [panel.threshold is None for panel in panels] == [True, False, False, False, False]
    for panel, record in zip(panels[1:], fold["rounds"], strict=True):
        assert panel.threshold == record["threshold"]
        assert panel.bins["count"].sum() == record["before"]["samples"]
        assert f"{record['removed']} of {record['before']['samples']} leave" in panel.title


def test_more_rounds_than_fit_are_thinned_and_keep_the_first_and_the_last(history: dict[str, Any]) -> None:
    fold = removal.fold_of(history, "1.1")
    panels = removal.panels(fold, 3)
    assert len(panels) == 3
    assert panels[1].threshold == fold["rounds"][0]["threshold"]
    assert panels[2].threshold == fold["rounds"][-1]["threshold"]


def test_without_removal_the_histograms_go_from_the_first_epoch_to_the_last(run: Run) -> None:
    write_removals(run, rounds=0)
    fold = removal.fold_of(run.removal_history(), "1.1")
    panels = removal.panels(fold)
    assert len(panels) == removal.PANELS
    assert all(panel.threshold is None for panel in panels)
    assert removal.outcome(fold) == "No sample is removed"


def test_a_round_is_a_step_of_the_variance(history: dict[str, Any]) -> None:
    fold = removal.fold_of(history, "1.1")
    table = removal.variances({"with": fold})
    record = fold["rounds"][0]
    step = table[table["epoch"] == record["before"]["epoch"]]
    assert list(step["variance"]) == [record["before"]["variance"], record["variance"]]
    assert list(step["samples"]) == [record["before"]["samples"], record["remaining"]]
    assert list(table["epoch"]) == sorted(table["epoch"])
    assert not table.duplicated(["series", "epoch", "step"]).any()


def test_the_outcome_is_said_in_words(history: dict[str, Any]) -> None:
    fold = removal.fold_of(history, "1.1")
    left = fold["rounds"][-1]["remaining"]
    assert (
        removal.outcome(fold) == f"4 rounds of removal leave {left} of 300 training samples; training ends at epoch 130"
    )


def test_charts_show_threshold_and_stop(history: dict[str, Any]) -> None:
    fold = removal.fold_of(history, "1.1")
    panels = removal.panels(fold)
    most = removal_charts.most_of(panels)
    assert most == max(panel.bins["count"].max() for panel in panels)
    charts = [json.dumps(removal_charts.error_histogram(panel, most).to_dict()) for panel in panels]
    assert ["threshold" in chart for chart in charts] == [False, True, True, True, True]
    variances = removal.variances({"with removal": fold, "without removal": fold})
    curves = json.dumps(removal_charts.variance_curves(variances, 0.01).to_dict())
    assert "removal ends the training below" in curves
    assert "removal ends" not in json.dumps(removal_charts.variance_curves(variances, None).to_dict())


def test_small_variances_are_drawn_where_they_lie_and_zero_has_a_tick_of_its_own(history: dict[str, Any]) -> None:
    table = removal.variances({"with": removal.fold_of(history, "1.1")})
    for small in (9.5e-9, 0.0):
        table.loc[0, "variance"] = small
        spec = removal_charts.variance_curves(table, None).to_dict()
        rows = list(spec["datasets"].values())[0]
        ticks = spec["layer"][0]["encoding"]["y"]["axis"]["values"]
        drawn = [row["shown"] for row in rows]
        assert drawn[1:] == list(table["variance"])[1:]
        assert 0 < drawn[0] < min(drawn[1:])
        assert drawn[0] == small or drawn[0] == pytest.approx(min(ticks))
        assert len(ticks) <= removal_charts.MOST_TICKS + 1


def test_a_chart_of_variances_that_are_all_zero_is_drawn(history: dict[str, Any]) -> None:
    table = removal.variances({"with": removal.fold_of(history, "1.1")}).assign(variance=0.0)
    assert removal_charts.variance_curves(table, None).to_dict()
