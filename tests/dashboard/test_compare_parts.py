"""The parts of the Compare page: which runs, what they are called, curves, settings and tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.compare import calibration, charts, columns, curves, matrices, settings, tables
from dashboard.compare.selection import (
    FIRST_CHOICE,
    first_choice,
    link_names,
    linked_runs,
    names,
    select,
    why_apart,
)
from dashboard.formats import p_text
from dashboard.labels import board_label
from dashboard.summaries import RunSummary, summarize
from fer_core.evaluation import Answers, compare_all, shared_answers
from fer_core.paths import PROJECT_ROOT
from fer_core.runs import Run, RunStore, change_notes
from tests.dashboard.tested_runs import make_tested


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    store = RunStore(tmp_path)
    return [make_tested(store, preprocessing=name, accuracy=share) for name, share in (("raw", 0.4), ("gcn", 0.8))]


def summaries(runs: list[Run]) -> list[RunSummary]:
    return [summarize(run, ()) for run in runs]


def answers(runs: list[Run]) -> Answers:
    return shared_answers({run.id: run.predictions() for run in runs}, runs[0].spec.emotions)


def test_runs_are_called_by_a_letter_and_what_differs(runs: list[Run]) -> None:
    assert list(names(summaries(runs)).values()) == ["A · raw", "B · gcn"]
    assert list(names(summaries(runs[:1])).values()) == ["A · mini_xception · raw"]


def test_runs_are_called_by_no_more_than_tells_them_apart(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    different = [make_tested(store, architecture=name, n=40, seed=seed) for seed, name in enumerate(("linear", "mlp"))]
    assert list(names(summaries(different)).values()) == ["A · linear", "B · mlp"]
    alike = [*different, make_tested(store, architecture="linear", n=40, seed=7)]
    assert list(names(summaries(alike)).values()) == ["A · linear · seed 0", "B · mlp · seed 1", "C · linear · seed 7"]


def test_an_ensemble_is_not_called_by_a_pipeline_that_is_its_members_own(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    members = {"members": [{"run": "a", "weight": 1.0}]}
    runs = [make_tested(store, architecture="ensemble:weighted", n=40, architecture_arguments=members)]
    runs += [make_tested(store, preprocessing=name, n=40) for name in ("raw", "gcn")]
    assert list(names(summaries(runs)).values())[0] == "A · ensemble:weighted"
    assert list(names(summaries(runs[:1])).values()) == ["A · ensemble:weighted"]


def test_a_setting_is_named_of_runs_alone_that_are_alike_without_it() -> None:
    shipped = ("e2d6f39a", "07bf177a", "6c4c29b6")  # the last is the only mini_xception, whatever it was made from
    found = summaries([RunStore(PROJECT_ROOT / "runs").get(name) for name in shipped])
    assert list(names(found).values()) == ["A · se_resnet · width 0.9", "B · se_resnet", "C · mini_xception"]


def test_runs_of_other_test_images_are_called_by_them_too(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    found = summaries(
        [make_tested(store, n=40), make_tested(store, architecture="linear", n=40, protocol="train_vs_rest")]
    )
    assert len({run.board for run in found}) == 2
    assert all(board_label(run.board) in name for run, name in zip(found, names(found).values(), strict=True))


def test_runs_that_differ_in_nothing_shown_are_called_by_their_hash(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    found = summaries([make_tested(store, n=40, epochs=epochs) for epochs in (3, 4)])
    assert [name.split(" · ")[1] for name in names(found).values()] == [run.id.rsplit("__", 1)[1] for run in found]


def test_a_link_names_runs_by_their_hash_and_finds_them_again(runs: list[Run]) -> None:
    every = summaries(runs)
    text = link_names(every, every)
    assert text == ",".join(run.id.rsplit("__", 1)[1] for run in every)
    found, vain = linked_runs(f"{text},gone,{text}", every)
    assert ([run.id for run in found], vain) == ([run.id for run in every], ["gone"])


def test_first_the_best_of_each_architecture_is_compared(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    kinds = ("linear", "linear", "mini_xception", "conv_relu_ann", "linear", "linear")
    found = summaries([make_tested(store, architecture=kind, seed=seed, n=40) for seed, kind in enumerate(kinds)])
    chosen = [run.spec.architecture for run in first_choice(found) if run.spec]
    assert chosen == ["linear", "mini_xception", "conv_relu_ann", "linear"]
    assert len(chosen) == FIRST_CHOICE


def test_an_archived_run_is_compared_at_first_only_where_there_is_no_other(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    runs = [make_tested(store, seed=seed, n=40) for seed in range(3)]
    change_notes(runs[0], archived=True)
    assert [run.id for run in first_choice(summaries(runs))] == [run.id for run in runs[1:]]
    for run in runs:
        change_notes(run, archived=True)
    assert len(first_choice(summaries(runs))) == 3


def test_runs_on_one_board_need_no_excuse_and_another_baseline_turns_the_groups(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    found = summaries([make_tested(store, dataset=name, seed=seed) for seed, name in enumerate(("a", "a", "b"))])
    assert why_apart(select(found[:2])) == ""
    assert [run.id for run in select(found).paired] == [run.id for run in found[:2]]
    turned = select(found, found[2].id)
    assert [run.id for run in turned.paired] == [found[2].id]
    assert why_apart(turned).startswith("Not ranked with C (b · official): A was tested on a · official; B was")


def test_smoothing_is_an_average_that_begins_with_the_first_value_and_skips_gaps() -> None:
    assert curves.smoothed(np.array([1.0, 3.0, np.nan, 3.0]), 0.0).tolist() == [1, 3, 3, 3]
    smooth = curves.smoothed(np.array([2.0, 4.0]), 0.5)
    assert smooth.tolist() == pytest.approx([2.0, (0.5 * 2 * 0.5 + 0.5 * 4) / 0.75])
    assert curves.smoothed(np.full(50, 7.0), 0.9) == pytest.approx(np.full(50, 7.0))


def test_a_curve_of_folds_is_their_mean_and_its_seconds_add_up() -> None:
    lines = [
        {"fold": fold, "epoch": epoch, "valid_accuracy": value, "seconds": 10.0}
        for fold, value in (("1", 0.4), ("2", 0.6))
        for epoch in (1, 2)
    ]
    curve = curves.run_curve(lines, "Validation accuracy", 0.0)
    assert curve["value"].tolist() == pytest.approx([0.5, 0.5])
    assert curve["seconds"].tolist() == [10, 20]


def test_a_run_that_wrote_no_seconds_has_none() -> None:
    curve = curves.run_curve([{"epoch": 1, "valid_loss": 1.0}, {"epoch": 2, "valid_loss": 0.5}], "Validation loss", 0.0)
    assert curve["seconds"].isna().all()
    table = curves.summary({"A": curve}, "Validation loss")
    assert (table["best"].iloc[0], table["at"].iloc[0]) == (0.5, 2)
    assert curves.run_curve([], "Validation loss", 0.5).empty


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    long = curves.run_curve(
        [{"epoch": epoch, "valid_loss": 1 / epoch} for epoch in range(1, 5001)], "Validation loss", 0
    )
    drawn = curves.joined({"A": long})
    assert len(drawn) == curves.LONGEST
    assert (drawn["epoch"].min(), drawn["epoch"].max()) == (1, 5000)


def test_curves_of_other_images_are_not_ranked() -> None:
    table = pd.DataFrame({"run": ["A"], "best": [50.0], "at": [3]})
    assert curves.finding(table, "Validation accuracy", is_ranked=False) == "Validation accuracy over the training"
    assert "A reaches the best" in curves.finding(table, "Validation accuracy", is_ranked=True)


def test_settings_that_differ_have_a_column_for_each_letter(runs: list[Run]) -> None:
    found = summaries(runs)
    table = settings.specs(found, names(found), all_rows=False)
    assert table.to_dict("records") == [{"setting": "preprocessing", "A": "raw", "B": "gcn"}]
    facts = [{"wall_s": 700.0, "images_per_s": 812.4}, {"wall_s": 60.0, "notes": None}]
    machines = settings.environments(found, facts, names(found), all_rows=False).set_index("setting")
    assert machines.loc["time"].tolist() == ["11\N{NO-BREAK SPACE}min 40\N{NO-BREAK SPACE}s", "1\N{NO-BREAK SPACE}min"]
    assert machines.loc["images per second"].tolist() == ["812", "–"]


def test_keys_of_settings_are_told_apart_and_members_are_no_dictionaries(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    member = {"run": "linear__raw__x-official__s0__01234567", "architecture": "linear", "preprocessing": "raw"}
    arguments = ({"members": [member | {"weight": 0.8194, "arguments": {}}]}, {"width": 0.9}, {"width": 1.5})
    found = summaries([make_tested(store, n=40, architecture_arguments=each) for each in arguments])
    table = settings.specs(found, names(found), all_rows=False).set_index("setting")
    assert table["A"].to_dict() == {
        "architecture: members": "0.82 × linear · raw · 01234567",
        "architecture: width": "–",
    }
    whole = settings.specs(found, names(found), all_rows=True).set_index("setting")
    assert whole.loc["optimizer", "A"] == "–", "an ensemble was not trained"
    assert whole.loc["optimizer", "B"] == "adamw"
    found = found[:2]
    facts = [{"members_wall_s": 18032.4, "notes": {"face_crop: no face": 9117}}, {"packages": {"torch": "2"}}]
    machines = settings.environments(found, facts, names(found), all_rows=False).set_index("setting")["A"].to_dict()
    assert machines["time of the members"].replace("\N{NO-BREAK SPACE}", " ") == "5 h"
    assert machines["face crop: no face"] == "9,117"
    widths = {name: each["width"] for name, each in columns.settings(table.reset_index(), ["A · x", "B · y"]).items()}
    assert widths["setting"] > widths["B"], "as wide as its texts"


def test_an_ensemble_took_the_time_of_its_members_and_none_of_its_own(tmp_path: Path) -> None:
    members = {"members": [{"run": "a", "weight": 1.0}]}
    found = summaries([make_tested(RunStore(tmp_path), n=40, architecture_arguments=each) for each in (members, {})])
    facts = [{"wall_s": 0.9, "epochs_run": 0, "members_wall_s": 60.0}, {"wall_s": 60.0, "epochs_run": 20}]
    table = settings.environments(found, facts, names(found), all_rows=False).set_index("setting")["A"].to_dict()
    assert table == {"time": "–", "epochs run": "–", "time of the members": "1\N{NO-BREAK SPACE}min"}


def test_pairs_are_told_from_both_sides(runs: list[Run]) -> None:
    found = answers(runs)
    pairs = compare_all(found)
    rows = tables.pair_rows(pairs, names(summaries(runs))).set_index(["run", "column"])
    assert rows.loc[("B · gcn", "A"), "difference"] == -rows.loc[("A · raw", "B"), "difference"] > 0
    assert rows.loc[("B · gcn", "A"), "only_run"] == rows.loc[("A · raw", "B"), "only_other"]
    assert np.isnan(rows.loc[("A · raw", "A"), "difference"])
    (row,) = tables.pair_table(pairs, names(summaries(runs))).to_dict("records")
    assert (row["better"], row["worse"], row["real"]) == ("B · gcn", "A · raw", "yes")


def test_the_interval_of_a_turned_pair_is_its_mirror_image(runs: list[Run]) -> None:
    (pair,) = compare_all(answers(runs))
    low, high = pair.interval
    assert tables.turned(pair).interval == pytest.approx((-high, -low))


@pytest.mark.parametrize(("p_value", "text"), [(0.0312, "0.031"), (0.0004, "<\N{NO-BREAK SPACE}0.001"), (None, "–")])
def test_p_values_are_written_with_three_decimals(p_value: float | None, text: str) -> None:
    assert p_text(p_value) == text


def test_the_difference_of_two_matrices_is_zero_in_sum_and_in_itself(runs: list[Run]) -> None:
    found = answers(runs)
    base, other = found.runs
    assert tables.difference_cells(found, other, base, "count")["difference"].sum() == 0
    assert not tables.difference_cells(found, base, base, "row")["difference"].any()
    assert set(tables.difference_cells(found, base, base, "row")["difference_text"]) == {"0"}


def test_calibration_is_measured_before_and_after_the_temperature(runs: list[Run]) -> None:
    found, called = answers(runs), names(summaries(runs))
    table = calibration.calibration_table(found, called, dict.fromkeys(found.runs, 1.0))
    # in %; only calibrated rows are made to sum to 1, kept ones almost do: some come to lie in the next of 15 bins
    assert table["ece"].tolist() == pytest.approx(table["calibrated_ece"].tolist(), abs=1)
    rows = calibration.reliability_rows(found, called, {})
    assert rows.groupby("run")["n"].sum().tolist() == [len(found)] * 2
    assert ((rows["low"] <= rows["accuracy"]) & (rows["accuracy"] <= rows["high"])).all()


def test_a_frame_changes_a_value_of_the_spec_and_nothing_else(runs: list[Run]) -> None:
    found = answers(runs)
    cells = tables.matrix_cells(tables.matrix_of(found, found.runs[0]), found.emotions)
    spec = matrices.confusion_heatmap(cells, "row").to_dict()
    framed = matrices.framed(spec, {"true": "sad"})
    values = {param["name"]: param.get("value") for param in framed["params"]}
    assert (values["chosen_true"], values["chosen_predicted"]) == ("sad", "")
    assert {**framed, "params": 0} == {**spec, "params": 0}
    assert "cell" in values


def test_every_run_keeps_its_colour_whichever_are_shown() -> None:
    table = pd.DataFrame(
        {"run": ["B"], "accuracy": [50.0], "low": [0.4], "high": [0.6], "interval": "", "lead_interval": "", "p": ""}
    )
    chart = json.dumps(charts.accuracy_chart(table, ["A", "B"]).to_dict())
    assert '"scale": {"domain": ["A", "B"]}' in chart


def test_charts_of_all_kinds_are_valid_pictures(runs: list[Run]) -> None:
    found, called = answers(runs), names(summaries(runs))
    rows = calibration.reliability_rows(found, called, {})
    lines = curves.joined({called[run.id]: curves.run_curve(run.metrics(), "Training loss", 0.5) for run in runs})
    drawn = [
        charts.reliability_chart(rows, list(called.values())),
        charts.curves_chart(
            lines, list(called.values()), "Training loss", "seconds", log_x=True, log_y=True, is_smooth=True
        ),
        matrices.pair_heatmap(tables.pair_rows(compare_all(found), called)),
        matrices.agreement_heatmap(tables.agreement_rows(found, called), "kappa"),
        matrices.probability_heatmap(tables.probability_rows(found, 0, called)),
    ]
    from dashboard.charts import picture
    from dashboard.theme import chart_config

    assert all(picture(chart, "svg", chart_config()).startswith(b"<svg") for chart in drawn)
