"""The Papers page."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.labels import EMOTIONS
from fer_core.papers import published
from fer_core.runs import RunStore
from tests.dashboard.runs import make_fold_run, make_run, write_removals
from tests.dashboard.test_overview import assert_sound, metrics, texts

Open = Callable[..., AppTest]
SIX = tuple(emotion for emotion in EMOTIONS if emotion != "disgust")
TABS = {
    1: "Paper 1 · image processing",
    2: "Paper 2 · depth",
    3: "Paper 3 · SFEW",
    4: "Paper 4 · a contradiction",
    5: "Paper 5 · cross-validation",
}


def tab(app: AppTest, paper: int) -> AppTest:
    app.session_state["paper"] = TABS[paper]
    return app.run()


def charts(app: AppTest) -> list[str]:
    return [chart.proto.spec for chart in app.get("vega_lite_chart")]


@pytest.fixture
def descriptors(store: RunStore) -> RunStore:
    """Paper 3's descriptors, normalised, with and without removal."""
    for recipe, start, rounds in (("normalised", 0, 0), ("normalised_bdr", 50, 4)):
        run = make_fold_run(
            store, "lpq_phog_mlp", "sfew_lpq_phog", accuracy=0.27, n=200, folds=2, repetitions=2,
            protocol="random_2fold", recipe=recipe, column_scaling="standard", bdr_start=start, epochs=400,
        )  # fmt: skip
        write_removals(run, rounds=rounds)
    return store


def test_without_runs_every_figure_is_there_and_the_first_command(open_page: Open) -> None:
    app = open_page("papers")
    assert_sound(app)
    (table,) = app.table
    assert len(table.value) == len(published())
    assert metrics(app)["Reached"] == "0"
    assert metrics(app)["Not run"] == str(sum(figure.comparable for figure in published()))
    assert "--protocol random_80_20 --recipe paper" in app.code[0].value
    assert "Table 3 draws its 20 % of the images anew" in table.value["Remark"].iloc[5]


def test_a_reached_figure_is_green_and_links_to_its_run(store: RunStore, open_page: Open) -> None:
    run = make_run(store, dataset="fer2013", protocol="random_80_20", accuracy=0.8)
    make_run(store, preprocessing="gcn", dataset="fer2013", protocol="random_80_20", accuracy=0.4)
    app = open_page("papers")
    assert_sound(app)
    table = app.table[0].value.set_index("System")
    raw, gcn = table.loc["mini\\_xception + raw"], table.loc["mini\\_xception + gcn"]
    assert "green" in raw["Verdict"]
    assert f"run?run={run.id}" in raw["Ours (%)"]
    assert "green" not in gcn["Verdict"]
    assert [metrics(app)[name] for name in ("Reached", "Below")] == ["1", "1"]


def test_less_than_a_figure_within_the_interval_is_not_called_reached(store: RunStore, open_page: Open) -> None:
    make_run(store, dataset="fer2013", protocol="random_80_20", accuracy=0.64)
    app = open_page("papers")
    assert_sound(app)
    table = app.table[0].value.set_index("System")
    row = table.loc["mini\\_xception + raw"]
    assert row["Δ (points)"].startswith("−")
    assert "within the interval" in row["Verdict"]
    assert "green" not in row["Verdict"]
    assert [metrics(app)[name] for name in ("Reached", "Within the interval", "Below")] == ["0", "1", "0"]
    assert "0 of 5 reached, 1 within the interval, 4 not run" in texts(app)


def test_the_tiles_add_up_to_the_rows_of_the_table(store: RunStore, open_page: Open) -> None:
    start = "six_conv_cnn__raw__fer2013-official__s0__00000000"
    for protocol in ("random_2fold", "spi_2fold"):
        make_fold_run(store, "six_conv_cnn", "sfew", accuracy=0.3, folds=2, protocol=protocol, init_from=start)
    app = tab(open_page("papers"), 3)
    assert_sound(app)
    shown = metrics(app)
    assert shown["Beyond the papers"] == "2"
    assert sum(int(number) for number in shown.values()) == len(app.table[0].value)
    assert "none is run yet; beyond the paper: 2 below" in texts(app)


def test_a_link_to_a_paper_that_is_not_there_says_so(open_page: Open) -> None:
    app = open_page("papers", paper="77")
    assert not app.exception
    assert "The link's paper '77' cannot be shown" in app.warning[0].value


def test_paper_1_has_a_bar_for_each_preprocessing_and_emotion(store: RunStore, open_page: Open) -> None:
    for preprocessing in ("raw", "gcn"):
        make_run(store, preprocessing=preprocessing, dataset="fer2013", protocol="random_80_20")
        make_run(store, preprocessing=preprocessing, dataset="fer2013")
    app = open_page("papers")
    assert_sound(app)
    assert '"sort": ["raw", "gcn"]' in charts(app)[1]
    assert "By the protocol random_80_20, on 400 test images." in texts(app)
    app.segmented_control(key="protocol_1").set_value("official").run()
    assert "By the protocol official, on 400 test images." in texts(app)
    app.segmented_control(key="measure_1").set_value("Recall").run()
    assert_sound(app)
    assert "**Recall of each emotion**" in texts(app)


def test_no_two_systems_of_a_paper_have_one_colour(store: RunStore, open_page: Open) -> None:
    names = ("raw", "hist_eq", "salt_pepper", "gcn", "gcn+hist_eq", "clahe", "face_crop", "gaussian", "median")
    for preprocessing in names:
        make_run(store, preprocessing=preprocessing, dataset="fer2013")
    app = open_page("papers")
    assert_sound(app)
    assert "The chart has the first 8, the table all 9." in texts(app)
    (drawn,) = [chart for chart in charts(app) if '"gaussian"' in chart]
    assert "median" not in drawn
    assert list(app.dataframe[-1].value["system"]) == list(names)


def test_paper_2_draws_the_losses_of_all_models_together(store: RunStore, open_page: Open) -> None:
    for architecture in ("linear", "shallow_cnn"):
        make_run(store, architecture, dataset="fer2013", protocol="kaggle_folders_3way")
    app = tab(open_page("papers"), 2)
    assert_sound(app)
    assert '"sort": ["linear", "shallow CNN"]' in charts(app)[-1]
    assert "Loss of all models" in texts(app)


def test_paper_3_shows_errors_threshold_and_variance_with_and_without_removal(
    descriptors: RunStore, open_page: Open
) -> None:
    app = tab(open_page("papers"), 3)
    assert_sound(app)
    table = app.dataframe[0].value
    assert list(table["system"]) == ["MLP on LPQ + PHOG, normalised", "MLP on LPQ + PHOG + BDR, normalised"]
    drawn = charts(app)
    assert sum("threshold" in chart for chart in drawn) == 4
    assert '"without removal"' in drawn[-1]
    assert '"with removal"' in drawn[-1]
    assert "below the dotted line, 0.01" in texts(app)
    app.segmented_control(key="paper_3_fold").set_value("1.2").run()
    assert_sound(app)


def test_paper_4_shows_both_accuracies_and_the_layers(store: RunStore, open_page: Open) -> None:
    run = make_run(store, "conv_relu_ann", dataset="fer2013", protocol="train_vs_rest")
    app = tab(open_page("papers"), 4)
    assert_sound(app)
    ours = f"{100 * run.evaluation()['splits']['test']['accuracy']:.1f}\N{NO-BREAK SPACE}%"
    shown = metrics(app)
    assert shown["Published accuracy"] == "65.4\N{NO-BREAK SPACE}%"
    assert shown["Published report"] == "18.0\N{NO-BREAK SPACE}%"
    assert shown["Our accuracy"] == shown["Our report"] == ours
    assert "**2,489,095 parameters in 19 layers**" in texts(app)
    layers = app.dataframe[1].value
    assert "(4,096 + 1)·512 = 2,097,664" in list(layers["arithmetic"])
    assert layers["parameters"].isna().equals(layers["arithmetic"] == ""), "what has no parameters shows a dash"


def test_paper_4_explains_its_report_even_without_a_run(open_page: Open) -> None:
    app = tab(open_page("papers"), 4)
    assert_sound(app)
    assert metrics(app)["Our report"] == "–"
    assert "just its share of the images" in texts(app)


def test_paper_5_summarises_each_setting_and_opens_its_run(store: RunStore, open_page: Open) -> None:
    for filters, accuracy in ((32, 0.4), (64, 0.6)):
        arguments = {"filters": filters}
        make_fold_run(store, accuracy=accuracy, emotions=SIX, architecture_arguments=arguments, n=700)
    app = tab(open_page("papers"), 5)
    assert_sound(app)
    assert "**Best of 2 settings: " in texts(app)
    table = app.dataframe[0].value
    assert list(table["filters"]) == [64, 32]
    assert list(table["dropout"]) == [0.25, 0.25]
    assert list(table["folds"]) == [5, 5]
    assert "Class weights" in texts(app)
    assert "disgust" not in charts(app)[-1]


def test_paper_5_counts_a_single_setting_as_one(store: RunStore, open_page: Open) -> None:
    make_fold_run(store, accuracy=0.4, emotions=SIX, n=700)
    assert "**Best of 1 setting: " in texts(tab(open_page("papers"), 5))


def test_paper_5_without_runs_says_how_to_cross_validate(open_page: Open) -> None:
    app = tab(open_page("papers"), 5)
    assert_sound(app)
    assert "-m fer_core crossval" in app.code[0].value


def test_a_damaged_file_of_errors_leaves_the_rest_of_the_page(descriptors: RunStore, open_page: Open) -> None:
    for run in descriptors.list():
        (run.path / "bdr.json").write_text("{")
    app = tab(open_page("papers"), 3)
    assert not app.exception
    assert "bdr.json cannot be read" in app.error[0].value
    assert app.table


def test_every_note_is_told_once(open_page: Open) -> None:
    app = open_page("papers")
    (told,) = [each.value for each in app.expander[0].markdown]
    notes = {figure.note for figure in published() if figure.paper == 1}
    assert told.count("\n") + 1 == len(notes)
