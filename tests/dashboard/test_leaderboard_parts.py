"""Rows, cells, points and exports of the leaderboard."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import vl_convert

from benchmarks.make_store import fill
from dashboard.leaderboard import charts, columns, export, rows
from dashboard.leaderboard.metrics import METRICS, measured
from dashboard.leaderboard.query import Query
from dashboard.summaries import Board, RunShelf, RunSummary
from fer_core.errors import FerError
from fer_core.evaluation.baseline import Against
from fer_core.runs import ROBUSTNESS_FILE, RunStore, change_notes
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.robustness_reports import report
from tests.dashboard.runs import make_fold_run, make_run, make_spec

ACCURACY, PARAMETERS = METRICS["accuracy"], METRICS["parameters"]


@pytest.fixture
def runs(store: RunStore) -> list[RunSummary]:
    """Three seeds of one spec, one run of another network, and one of another recipe."""
    for seed in range(3):
        make_run(store, preprocessing="raw", n=200, accuracy=0.6, seed=seed)
    make_run(store, "linear", "gcn", n=200, accuracy=0.4)
    make_run(store, preprocessing="raw", n=200, accuracy=0.3, recipe="paper")
    return RunShelf().read(store)


def test_a_figure_of_each_metric_is_what_the_evaluation_holds(store: RunStore) -> None:
    run = make_run(store, n=200)
    run.write_json("latency.json", {"ms": 1.25})
    run.write_json(ROBUSTNESS_FILE, report(200, 200))
    (summary,) = RunShelf().read(store)
    test = run.evaluation()["splits"]["test"]
    assert ACCURACY.value(summary) == pytest.approx(100 * test["accuracy"])
    assert METRICS["clean"].value(summary) == pytest.approx(100 * test["clean_accuracy"])
    assert METRICS["ece_calibrated"].value(summary) == pytest.approx(100 * test["calibrated"]["ece"])
    assert METRICS["log_loss"].value(summary) == test["log_loss"]
    assert PARAMETERS.value(summary) == 58_423
    assert METRICS["minutes"].value(summary) == pytest.approx(run.environment()["wall_s"] / 60)
    assert METRICS["total"].value(summary) == METRICS["minutes"].value(summary)
    assert METRICS["latency"].value(summary) == 1.25
    assert METRICS["corrupted"].value(summary) == pytest.approx(49.5)
    assert measured([summary], list(METRICS)) == list(METRICS)


def test_a_trial_of_robustness_on_some_images_one_on_one_fold_and_a_damaged_one_are_no_figure(store: RunStore) -> None:
    trial, damaged = make_run(store, n=200), make_run(store, n=200, seed=1)
    trial.write_json(ROBUSTNESS_FILE, report(200, 400))
    damaged.write_json(ROBUSTNESS_FILE, {"mean_corruption_accuracy": 0.9})
    fold = make_fold_run(store, n=200, folds=2)
    fold.write_json(ROBUSTNESS_FILE, report(100, 100) | {"fold": "1"})
    found = RunShelf().read(store)
    assert [METRICS["corrupted"].value(summary) for summary in found] == [None, None, None]
    assert measured(found, ["corrupted"]) == []


def test_large_numbers_are_short_in_cells_and_whole_in_tables() -> None:
    assert PARAMETERS.short(11_173_000) == "11.2\N{NO-BREAK SPACE}M"
    assert PARAMETERS.short(9_999) == "9,999"
    assert PARAMETERS.text(11_173_000) == "11,173,000"
    assert ACCURACY.text(None) == "–"


def test_runs_that_differ_in_their_seed_alone_are_one_row_with_mean_and_deviation(runs: list[RunSummary]) -> None:
    groups = rows.in_order(rows.variants(runs), ACCURACY)
    assert [len(group.runs) for group in groups] == [3, 1, 1]
    table = rows.table(groups, ["accuracy"], "accuracy")
    values = pd.Series([100 * (run.accuracy or 0) for run in groups[0].runs])
    assert table["accuracy"].iloc[0] == pytest.approx(values.mean())
    assert table["accuracy_deviation"].iloc[0] == pytest.approx(values.std())
    assert table["accuracy_deviation"].iloc[1:].isna().all()
    assert table["id"].iloc[0] in {run.id for run in groups[0].runs}
    assert groups[0].text(ACCURACY) == f"{values.mean():.1f}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{values.std():.1f}"


def test_best_first_means_the_lowest_where_less_is_better_and_what_is_unknown_is_last(
    store: RunStore, runs: list[RunSummary]
) -> None:
    run = make_run(store, "two_block_cnn", n=200)
    (run.path / "environment.json").unlink()
    groups = rows.singles(RunShelf().read(store))
    for is_best_first, first in ((True, "linear"), (False, "mini_xception")):
        order = [
            group.runs[0].spec.architecture for group in rows.in_order(groups, PARAMETERS, is_best_first=is_best_first)
        ]  # type: ignore[union-attr]
        assert order[0] == first
        assert order[-1] == "two_block_cnn"


def test_differences_are_from_the_baseline_s_figure_and_marks_are_said_in_words(runs: list[RunSummary]) -> None:
    base, better, worse, same, other = runs
    marks = {
        better.id: Against(200, 30, 2, 1e-6, 1e-5),
        worse.id: Against(200, 2, 30, 1e-6, 1e-5),
        same.id: Against(200, 9, 8, 1.0, 1.0),
    }
    table = rows.table(rows.singles(runs), ["accuracy", "ece"], "accuracy", base, marks).set_index("id")
    assert list(table["verdict"]) == ["baseline", "better", "worse", "not told apart", "not tested"]
    assert pd.isna(table.loc[base.id, "accuracy_difference"])
    expected = 100 * ((other.accuracy or 0) - (base.accuracy or 0))
    assert table.loc[other.id, "accuracy_difference"] == pytest.approx(expected)
    assert table["p"].notna().sum() == 3


def test_a_cell_has_the_best_variant_s_mean_and_empty_pairs_have_no_run(runs: list[RunSummary]) -> None:
    cells = rows.cells(runs, ACCURACY)
    assert list(cells["architecture"]) == ["mini_xception"] * 2 + ["linear"] * 2
    assert list(cells["preprocessing"]) == ["raw", "gcn"] * 2
    assert list(cells["runs"]) == [4, 0, 0, 1]
    assert cells["seeds"].iloc[0] == 3
    assert "±" in cells["exact"].iloc[0]
    assert cells["id"].isna().tolist() == [False, True, True, False]
    worst = rows.cells(runs, METRICS["ece"])
    assert worst["value"].iloc[0] <= worst["value"].dropna().max()


def test_a_pair_stands_for_the_variant_that_validation_chooses_with_the_mean_over_its_seeds() -> None:
    def run(name: str, accuracy: float, valid: float, variant: str) -> RunSummary:
        test, told = {"accuracy": accuracy}, {"accuracy": valid}
        return RunSummary(name, Path(name), (), "finished", spec=make_spec(), test=test, valid=told, variant=variant)

    found = [run("1", 0.66, 0.62, "lucky"), run("2", 0.64, 0.65, "chosen"), run("3", 0.62, 0.6, "chosen")]
    (cell,) = rows.cells(found, ACCURACY).to_dict("records")
    assert cell["value"] == pytest.approx(63)
    assert (cell["seeds"], cell["variants"], cell["runs"]) == (2, 2, 3)


def test_the_front_holds_what_no_other_beats() -> None:
    efforts = pd.Series([1.0, 2.0, 2.0, 3.0, 4.0])
    qualities = pd.Series([50.0, 60.0, 55.0, 60.0, 61.0])
    assert rows.front(efforts, qualities) == [True, True, False, False, True]


def test_points_have_both_figures_and_a_lower_error_is_better(runs: list[RunSummary]) -> None:
    points = rows.points(rows.variants(runs), METRICS["ece"], PARAMETERS)
    assert len(points) == 3
    assert points.sort_values(["effort", "quality"])["front"].iloc[0]
    assert charts.effort_scatter(points, METRICS["ece"], PARAMETERS).to_dict()["layer"]
    assert rows.points([], ACCURACY, PARAMETERS).empty


@pytest.mark.parametrize(("qualities", "tick"), [((37.2, 91.0), "60"), ((0.9, 1.31), "1.1")])
def test_the_scatters_axis_has_plain_numbers(qualities: tuple[float, float], tick: str) -> None:
    points = pd.DataFrame({"id": ["a", "b"], "effort": [1e4, 6e5], "quality": qualities, "front": True})
    points = points.assign(name="x", architecture="x", quality_text="x", effort_text="x")
    svg = vl_convert.vegalite_to_svg(charts.effort_scatter(points, ACCURACY, PARAMETERS).to_json())
    shown = re.findall(r">([^<>]+)</text>", svg)
    assert tick in shown
    assert not [text for text in shown if re.fullmatch(r"[0-9.]+e[+-]?[0-9]+", text)]


@pytest.mark.parametrize(
    ("key", "efforts", "ticks", "absent"),
    [
        ("latency", (0.1, 10.0), {"0.1", "0.2", "10"}, "m"),
        ("total", (300.0, 6000.0), {"400", "1,000", "2,000"}, "k"),
        ("parameters", (58_423.0, 58_423.0), {"58.4k"}, "58.423k"),
    ],
)
def test_the_axis_of_an_effort_is_written_as_the_tables_write_it(
    key: str, efforts: tuple[float, float], ticks: set[str], absent: str
) -> None:
    points = pd.DataFrame({"id": ["a", "b"], "effort": efforts, "quality": (50.0, 60.0), "front": True})
    points = points.assign(name="x", architecture="x", quality_text="x", effort_text="x")
    svg = vl_convert.vegalite_to_svg(charts.effort_scatter(points, ACCURACY, METRICS[key]).to_json())
    shown = set(re.findall(r">([^<>]+)</text>", svg))
    assert ticks <= shown
    assert not [text for text in shown if re.fullmatch(rf"[0-9.,]*{absent}", text)]


def test_ece_is_before_temperature_scaling_and_calibrated_after() -> None:
    titles = {key: METRICS[key].title for key in ("ece", "ece_calibrated")}
    assert titles == {"ece": "ECE", "ece_calibrated": "ECE, calibrated"}
    assert [METRICS[key].name for key in ("ece_calibrated", "macro_f1")] == ["ECE, calibrated", "macro-F1"]


def test_what_is_set_stands_beside_the_names_and_columns_of_dashes_are_left_out(
    store: RunStore, runs: list[RunSummary]
) -> None:
    def order(found: list[rows.Group], *, by_variant: bool) -> list[str]:
        table = rows.table(found, ["accuracy"], "accuracy")
        facts = ["recipe", "setting"]
        return columns.leaderboard(table, ["accuracy"], facts, by_variant=by_variant, has_baseline=False)[1]

    names = ["architecture", "preprocessing"]
    assert order(rows.singles(runs), by_variant=False) == [*names, "run", "accuracy", "recipe"]
    assert "accuracy_deviation" in order(rows.variants(runs), by_variant=True)
    assert "accuracy_deviation" not in order(rows.variants(runs[:1]), by_variant=True)
    make_run(store, n=100, architecture_arguments={"filters": 32})
    assert order(rows.singles(RunShelf().read(store)), by_variant=False)[:3] == [*names, "setting"]


def test_a_point_of_the_front_that_is_close_to_the_next_has_its_name_elsewhere() -> None:
    rows_of = [("a", 1e4, 37.0, True), ("b", 6e4, 63.0, True), ("c", 5e5, 66.0, True), ("d", 8e5, 66.4, True)]
    points = pd.DataFrame([*rows_of, ("e", 8e5, 66.1, False)], columns=["id", "effort", "quality", "front"])
    points = points.assign(name="x", architecture=list("abcde"), quality_text="x", effort_text="x")
    assert charts.crowded(points) == ["c"]
    assert charts.crowded(points[:1]) == []
    marks = [layer["mark"] for layer in charts.effort_scatter(points, ACCURACY, PARAMETERS).to_dict()["layer"]]
    assert [mark["dy"] for mark in marks if mark["type"] == "text"] == [-8, -8, 14]


def test_neighbours_on_the_front_of_one_architecture_have_one_name_at_the_best() -> None:
    rows_of = [("a", 1e4, "linear"), ("b", 6e5, "ensemble"), ("c", 5e6, "ensemble"), ("d", 6e6, "linear")]
    points = pd.DataFrame(rows_of, columns=["id", "effort", "architecture"])
    points = points.assign(quality=[37.0, 70.5, 70.7, 71.0], front=True, name="x", quality_text="x", effort_text="x")
    assert list(charts.named(points)["id"]) == ["a", "c", "d"]
    assert charts.crowded(points) == ["c"]


@pytest.mark.parametrize("key", list(METRICS))
def test_a_map_is_drawn_of_every_metric(runs: list[RunSummary], key: str) -> None:
    cells = rows.cells(runs, METRICS[key])
    if len(cells):
        spec = charts.metric_heatmap(cells, METRICS[key]).to_dict()
        low, high = spec["layer"][0]["encoding"]["color"]["scale"]["domain"]
        assert (low < high) == METRICS[key].is_more_better, "the better end is the stronger colour"
    else:
        assert key in ("latency", "corrupted")


def test_a_query_finds_words_values_and_tags(store: RunStore, runs: list[RunSummary]) -> None:
    change_notes(store.get(runs[0].id), tags=["small"], note="Worth a look")
    runs = RunShelf().read(store)
    board = Board("synthetic", "official")
    assert len(Query(board, ("worth", "look")).select(runs)) == 1
    assert len(Query(board, filters=(("tags", ("small", "other")),)).select(runs)) == 1
    assert len(Query(board, filters=(("recipe", ("paper",)), ("architecture", ("linear",)))).select(runs)) == 0
    assert len(Query(board, filters=(("recipe", ("paper",)), ("architecture", ()))).select(runs)) == 1
    assert Query(Board("fer2013", "official")).select(runs) == []


def test_the_printed_table_has_deviations_differences_and_marks(runs: list[RunSummary]) -> None:
    base = runs[-1]
    marks = {runs[0].id: Against(200, 30, 2, 1e-6, 1e-5)}
    table = rows.table(rows.singles(runs), ["accuracy", "parameters"], "accuracy", base, marks)
    text = export.printed(table, ["accuracy", "parameters"])
    assert list(text.columns) == ["Architecture", "Preprocessing", "Accuracy (%)", "Parameters"]
    assert text["Accuracy (%)"].iloc[0].endswith("*)")
    assert "(+" in text["Accuracy (%)"].iloc[0]
    assert text["Accuracy (%)"].iloc[-1] == f"{ACCURACY.text(ACCURACY.value(base))} (baseline)"
    means = export.printed(rows.table(rows.variants(runs), ["accuracy"], "accuracy"), ["accuracy"])
    assert list(means["Seeds"]) == ["3", "1", "1"]
    assert " ± " in means["Accuracy (%)"].iloc[0]


def test_markdown_and_latex_escape_what_they_would_read_as_commands(runs: list[RunSummary]) -> None:
    text = export.printed(rows.table(rows.variants(runs), ["accuracy"], "accuracy"), ["accuracy"])
    text.loc[0, "Preprocessing"] = "a|b_c & 5 %"
    markdown = export.markdown(text, "A caption").decode()
    assert r"a\|b_c" in markdown
    assert markdown.splitlines()[3] == "| --- | --- | ---: | ---: |"
    latex = export.latex(text, "50 % of_all").decode()
    assert r"a|b\_c \& 5 \%" in latex
    assert r"\caption{50 \% of\_all}" in latex
    assert r"$\pm$" in latex
    assert latex.count(r" \\") == 1 + len(text)
    assert r"\begin{tabular}{llrr}" in latex


def test_folds_are_ranked_by_their_pooled_figures(store: RunStore) -> None:
    make_fold_run(store, n=200, folds=2)
    runs = RunShelf().read(store)
    table = rows.table(rows.singles(runs), ["accuracy"], "accuracy")
    assert table["accuracy"].iloc[0] == pytest.approx(100 * (runs[0].accuracy or 0))


def test_a_made_store_has_runs_of_every_state_whose_figures_are_those_of_their_predictions(tmp_path: Path) -> None:
    store = fill(tmp_path / "many", 120)
    runs = RunShelf().read(store)
    assert len(runs) == 120
    assert {run.state for run in runs} == {"finished", "failed", "cancelled", "lost", "queued", "damaged"}
    run = store.get(runs[0].id)
    arrays = run.predictions()
    accuracy = (arrays["test_probabilities"].argmax(1) == arrays["test_labels"]).mean()
    assert runs[0].accuracy == pytest.approx(accuracy)
    with pytest.raises(FerError, match="not empty"):
        fill(tmp_path / "many", 1)


def test_the_speed_of_a_store_is_measured_by_one_command(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "benchmarks.store_speed", "--runs", "30", "--stores", str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    lines = [line.split("|")[1:3] for line in done.stdout.splitlines()[2:]]
    assert [[cell.strip() for cell in line] for line in lines] == [["30", "overview"], ["30", "leaderboard"]]


def test_an_ensemble_has_no_training_time_no_epochs_and_no_pipeline_of_its_own(store: RunStore) -> None:
    members = [make_run(store, name, n=200, accuracy=0.5) for name in ("linear", "mini_xception")]
    ensemble = make_ensemble(members, store)
    found = RunShelf().read(store)
    row = rows.table(rows.singles(found), ["minutes", "total"], "total").set_index("id").loc[ensemble.id]
    assert pd.isna(row["minutes"])
    assert row["total"] == pytest.approx(sum(run.environment()["wall_s"] for run in members) / 60, abs=0.1)
    assert pd.isna(row["epochs"])
    assert pd.isna(row["seed"])
    assert row["preprocessing"] == "each its own"
    points = rows.points(rows.singles(found), ACCURACY, METRICS["minutes"])
    assert set(points["id"]) == {run.id for run in members}
    points = rows.points(rows.singles(found), ACCURACY, METRICS["total"])
    assert set(points["name"]) == {"ensemble:weighted", "linear · raw", "mini_xception · raw"}
