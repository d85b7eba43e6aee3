"""What the Papers page shows of each paper: frames and charts."""

import json
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest

from dashboard import tables
from dashboard.papers import charts
from dashboard.papers import tables as paper_tables
from dashboard.papers.comparisons import BELOW, REACHED, WITHIN, compare
from dashboard.papers.tables import (
    LINE_BREAK,
    class_figures,
    class_weights,
    contradiction,
    cross_validated,
    figures_beside,
    fold_points,
    losses,
    measure_table,
    removal_pairs,
    settings_table,
    short_names,
    systems_by_protocol,
)
from dashboard.summaries import RunShelf
from fer_core.labels import EMOTIONS
from fer_core.papers import Published, published
from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_fold_run, make_run

SIX = tuple(emotion for emotion in EMOTIONS if emotion != "disgust")
DEFAULTS = {"filters": 64, "kernel": 3}


def figures_of(paper: int) -> list[Published]:
    return [figure for figure in published() if figure.paper == paper]


def evaluations(runs: dict[str, Run]) -> dict[str, dict[str, Any]]:
    return {name: run.evaluation() for name, run in runs.items()}


def drawn(chart: alt.Chart | alt.LayerChart) -> str:
    """The chart's specification as text, checked against Vega-Lite's schema."""
    return json.dumps(chart.to_dict())


@pytest.fixture
def two_systems(store: RunStore) -> dict[str, Run]:
    return {name: make_run(store, preprocessing=name, dataset="fer2013") for name in ("raw", "gcn")}


def test_systems_of_one_protocol_are_compared_and_the_paper_s_own_comes_first(store: RunStore) -> None:
    for preprocessing in ("raw", "gcn", "median"):
        make_run(store, preprocessing=preprocessing, dataset="fer2013")
    own = make_run(store, preprocessing="gcn", dataset="fer2013", protocol="random_80_20")
    found = systems_by_protocol(figures_of(1), RunShelf().read(store))
    assert list(found) == ["random_80_20", "official"]
    assert {name: run.id for name, run in found["random_80_20"].items()} == {"mini_xception + gcn": own.id}
    # in the paper's order, and then what the paper has not
    assert list(found["official"]) == ["mini_xception + raw", "mini_xception + gcn", "mini_xception + median"]


def test_runs_of_other_faces_emotions_and_starts_are_not_among_a_paper_s_systems(store: RunStore) -> None:
    make_run(store, dataset="synthetic")
    make_run(store, dataset="fer2013", emotions=SIX)
    make_run(store, dataset="fer2013", init_from="mini_xception__raw__fer2013-official__s0__00000000")
    make_run(store, dataset="fer2013", teacher="se_resnet__raw__fer2013-official__s0__00000000")
    make_run(store, "linear", dataset="fer2013")
    assert systems_by_protocol(figures_of(1), RunShelf().read(store)) == {}


def test_a_recipe_that_a_paper_names_is_a_system_of_its_own(store: RunStore) -> None:
    for recipe in ("normalised", "normalised_bdr", "modern"):
        make_fold_run(store, "lpq_phog_mlp", "sfew_lpq_phog", folds=2, protocol="random_2fold", recipe=recipe)
    found = systems_by_protocol(figures_of(3), RunShelf().read(store))["random_2fold"]
    assert list(found) == ["MLP on LPQ + PHOG, normalised", "MLP on LPQ + PHOG + BDR, normalised"]


def test_names_are_told_without_the_words_that_all_share() -> None:
    assert short_names(["mini_xception + raw", "mini_xception + gcn+hist_eq"]) == {
        "mini_xception + raw": "raw",
        "mini_xception + gcn+hist_eq": "gcn+hist_eq",
    }
    assert short_names(["linear"]) == {"linear": "linear"}
    whole = ["MLP on LPQ + PHOG", "MLP on LPQ + PHOG + BDR"]
    assert short_names(whole) == dict(zip(whole, whole, strict=True))


def test_the_figures_of_each_emotion_are_those_of_the_evaluation(two_systems: dict[str, Run]) -> None:
    figures = class_figures(evaluations(two_systems))
    assert len(figures) == 2 * len(EMOTIONS)
    table = measure_table(figures, "recall")
    assert list(table["system"]) == ["raw", "gcn"]
    assert list(table.columns) == ["system", *EMOTIONS, "mean"]
    per_class = two_systems["gcn"].evaluation()["splits"]["test"]["per_class"]
    assert list(table.iloc[1][list(EMOTIONS)]) == pytest.approx([100 * each["recall"] for each in per_class])
    assert table["mean"].iloc[1] == pytest.approx(100 * sum(each["recall"] for each in per_class) / 7)


@pytest.mark.parametrize("measure", paper_tables.MEASURES)
def test_bars_keep_the_order_of_emotions_and_systems(two_systems: dict[str, Run], measure: str) -> None:
    chart = drawn(charts.class_bars(class_figures(evaluations(two_systems)), measure))
    assert f'"sort": {json.dumps(list(EMOTIONS))}' in chart
    assert '"sort": ["raw", "gcn"]' in chart


def test_losses_of_folds_are_averaged() -> None:
    lines = [
        {"fold": fold, "epoch": epoch, "train_loss": 1.0, "valid_loss": loss}
        for fold, loss in (("1", 1.0), ("2", 2.0))
        for epoch in (1, 2)
    ]
    table = losses({"a": tables.curves(lines)})
    valid = table[table["split"] == "validation"]
    assert list(valid["loss"]) == [1.5, 1.5]
    assert set(table["system"]) == {"a"}
    drawn(charts.loss_curves(table))


@pytest.mark.parametrize("paper", [1, 2, 3, 4, 5])
def test_the_figures_of_a_paper_are_drawn_with_runs_and_without(store: RunStore, paper: int) -> None:
    make_run(store, dataset="fer2013", protocol="random_80_20")
    for runs in ([], RunShelf().read(store)):
        found = [each for each in compare(published(), runs) if each.figure.paper == paper]
        table = figures_beside(found)
        assert len(table) == sum(each.figure.comparable for each in found)
        drawn(charts.figures_chart(table))
    assert table["ours"].notna().any() == (paper == 1)


def test_two_protocols_of_one_system_beyond_the_papers_are_two_rows(store: RunStore) -> None:
    start = "six_conv_cnn__raw__fer2013-official__s0__00000000"
    for protocol, epochs in (("random_2fold", 20), ("spi_2fold", 20), ("spi_2fold", 21)):
        make_fold_run(store, "six_conv_cnn", "sfew", folds=2, protocol=protocol, init_from=start, epochs=epochs)
    found = [each for each in compare(published(), RunShelf().read(store)) if each.is_beyond]
    names = [name.replace(LINE_BREAK, "") for name in figures_beside(found)["system"]]
    system = "six_conv_cnn + raw, from fer2013"
    assert sorted(names) == [f"{system}, random_2fold", f"{system}, spi_2fold", f"{system}, spi_2fold (2)"]


def test_short_names_in_a_legend_stand_side_by_side_and_long_ones_get_height() -> None:
    heights = []
    for name in ("gcn", "MLP on LPQ + PHOG + BDR, normalised"):
        rows = [{"system": f"{name} {number}", "emotion": "sad", "f1": 0.5, "support": 9} for number in range(6)]
        heights.append(charts.class_bars(pd.DataFrame(rows), "f1").to_dict()["height"])
    assert heights == [charts.BAR_HEIGHT, charts.BAR_HEIGHT + 4 * charts.LEGEND_ROW]


def test_verdicts_are_told_by_shape_as_well_as_by_colour() -> None:
    assert set(charts.VERDICT_COLORS) == set(charts.VERDICT_SHAPES) == {REACHED, WITHIN, BELOW}
    assert len(set(charts.VERDICT_SHAPES.values())) == len(set(charts.VERDICT_COLORS.values())) == 3


def test_the_printed_precision_of_paper_4_is_each_emotion_s_share_of_the_images() -> None:
    table = contradiction(None)
    assert list(table["emotion"]) == list(EMOTIONS)
    assert table["share"].sum() == pytest.approx(100)
    assert (table["printed_precision"] - table["share"]).abs().max() < 2
    assert "our precision" not in drawn(charts.chance_chart(table))


def test_our_report_stands_beside_the_printed_one(store: RunStore) -> None:
    evaluation = make_run(store, "conv_relu_ann", dataset="fer2013", protocol="train_vs_rest").evaluation()
    table = contradiction(tables.per_class(evaluation))
    per_class = evaluation["splits"]["test"]["per_class"]
    assert list(table["our_recall"]) == pytest.approx([100 * each["recall"] for each in per_class])
    assert tables.traced_accuracy(evaluation) == pytest.approx(evaluation["splits"]["test"]["accuracy"])
    assert "our precision" in drawn(charts.chance_chart(table))


def test_settings_that_were_cross_validated_are_summarised_with_the_best_first(store: RunStore) -> None:
    common = {"emotions": SIX, "n": 1000}
    worse = make_fold_run(store, accuracy=0.4, architecture_arguments={"filters": 32}, **common)
    better = make_fold_run(store, accuracy=0.6, architecture_arguments={"filters": 64}, **common)
    make_fold_run(store, accuracy=0.9, n=1000)  # seven emotions
    make_run(store, "two_block_cnn", dataset="fer2013", emotions=SIX)  # another protocol
    answers = cross_validated(figures_of(5), RunShelf().read(store))
    table = settings_table(answers, DEFAULTS)
    assert list(table["id"]) == [better.id, worse.id]
    assert list(table["filters"]) == [64, 32]
    assert list(table["kernel"]) == [3, 3], "an argument that was not set has its default"
    spread = better.evaluation()["fold_accuracy"]
    assert table["mean"].iloc[0] == pytest.approx(100 * spread["mean"])
    assert table["deviation"].iloc[0] == pytest.approx(100 * spread["deviation"])


def test_settings_that_differ_in_the_recipe_alone_are_told_apart(store: RunStore) -> None:
    for l2 in (0.0, 0.01):
        make_fold_run(store, accuracy=0.5, emotions=SIX, l2=l2)
    for rate in (1e-3, 1e-4):
        make_fold_run(store, accuracy=0.5, emotions=SIX, learning_rate=rate)
    table = settings_table(cross_validated(figures_of(5), RunShelf().read(store)), DEFAULTS)
    assert table["setting"].nunique() == 4
    assert {"l2", "learning_rate"} <= set(table.columns)


def test_every_fold_of_a_setting_is_a_point(store: RunStore) -> None:
    run = make_fold_run(store, emotions=SIX)
    settings = settings_table(cross_validated(figures_of(5), RunShelf().read(store)), DEFAULTS)
    points = fold_points(settings, {run.id: run.evaluation()})
    assert list(points["accuracy"]) == [fold["test"]["accuracy"] for fold in run.evaluation()["folds"]]
    assert (points["low"] < points["mean"]).all()
    assert (points["mean"] < points["high"]).all()
    drawn(charts.setting_chart(points, 0.5374))


def test_class_weights_are_balanced() -> None:
    weights = class_weights({"happy": 300, "fear": 100, "disgust": 0})
    assert list(weights["weight"]) == pytest.approx([400 / 600, 400 / 200])
    images = pd.Series([300, 100])
    assert (weights["weight"] * images).nunique() == 1, "each emotion weighs alike in all"
    drawn(charts.weight_bars(weights))


def test_runs_with_and_without_removal_are_paired_by_the_scaling_of_their_descriptors(store: RunStore) -> None:
    for scaling in ("none", "standard"):
        for start in (0, 50):
            make_fold_run(
                store, "lpq_phog_mlp", "sfew_lpq_phog", folds=2, protocol="random_2fold",
                recipe="normalised", column_scaling=scaling, bdr_start=start,
            )  # fmt: skip
    systems = {run.id: run for run in RunShelf().read(store)}
    pairs = removal_pairs(systems)
    assert {name: list(pair) for name, pair in pairs.items()} == {
        "normalised": ["with removal", "without removal"],
        "unnormalised": ["with removal", "without removal"],
    }
    recipe = pairs["normalised"]["with removal"].spec.recipe  # type: ignore[union-attr]
    assert (recipe.column_scaling, recipe.bdr_start) == ("standard", 50)


def test_charts_know_no_streamlit() -> None:
    source = Path(charts.__file__).read_text().lower()
    assert "streamlit" not in source.replace("no streamlit here", "")
