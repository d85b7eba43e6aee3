"""The Overview page."""

import json
import shutil
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from fer_core.labels import EMOTIONS
from fer_core.runs import RunStore
from tests.dashboard.runs import make_fold_run, make_run, make_spec, make_unfinished


def texts(app: AppTest) -> str:
    return "\n".join(each.value for each in (*app.markdown, *app.caption, *app.error, *app.info, *app.warning))


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def assert_sound(app: AppTest) -> None:
    assert not app.exception
    assert not app.error


def test_without_runs_it_says_what_would_be_here_and_the_command_that_fills_it(
    open_page: Callable[..., AppTest],
) -> None:
    app = open_page("overview")
    assert_sound(app)
    assert "No runs yet" in texts(app)
    assert "-m fer_core train --dataset synthetic" in app.code[0].value
    assert app.sidebar.caption[0].value.startswith("0 runs")


def test_it_ranks_the_runs_and_names_the_best(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    make_run(store, preprocessing="raw", dataset="fer2013", accuracy=0.5)
    best = make_run(store, preprocessing="gcn", dataset="fer2013", accuracy=0.7)
    app = open_page("overview")
    assert_sound(app)
    accuracy = best.evaluation()["splits"]["test"]["accuracy"]
    assert metrics(app)["Best by validation"] == f"{100 * accuracy:.1f}\N{NO-BREAK SPACE}%"
    assert metrics(app)["Finished runs"] == "2"
    assert "**Validation chooses mini_xception with gcn, which recognises" in texts(app)
    ranking = app.dataframe[0].value
    assert list(ranking["preprocessing"]) == ["gcn", "raw"]
    assert abs(ranking["accuracy"].iloc[0] - 100 * accuracy) < 1e-9
    assert not app.segmented_control, "one dataset leaves nothing to choose"


def test_drawn_and_real_faces_are_two_rankings_and_the_link_chooses(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    make_run(store, dataset="fer2013", accuracy=0.5)
    make_run(store, dataset="synthetic", accuracy=0.9)
    app = open_page("overview")
    assert_sound(app)
    assert list(app.dataframe[0].value["accuracy"] < 80) == [True]
    app.segmented_control(key="board").set_value("synthetic (drawn faces) · official").run()
    assert_sound(app)
    assert list(app.dataframe[0].value["accuracy"] > 80) == [True]
    assert "not a result" in texts(app)


def test_the_heatmap_draws_every_pair(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    make_run(store, preprocessing="raw", accuracy=0.5)
    make_run(store, architecture="linear", preprocessing="gcn", accuracy=0.4)
    chart = json.loads(open_page("overview").get("vega_lite_chart")[0].proto.spec)
    assert {param["name"] for param in chart["params"]} == {"cell"}
    assert len(chart["layer"]) == 3


def test_a_run_that_is_trained_now_shows_its_progress(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    run = make_unfinished(store, "running", "epoch 4: 128/400 images")
    with run.lock():
        app = open_page("overview")
        assert_sound(app)
        assert metrics(app)["Running"] == "1"
        (bar,) = app.progress
        assert "epoch 4 of 20" in bar.text
        assert "10\N{NO-BREAK SPACE}min left" in bar.text
        assert bar.value == 16  # (3 + 128/400) of 20 epochs
    assert "begin with the first finished run" in texts(app)


def test_a_training_on_other_faces_than_the_chosen_ones_says_so(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    make_run(store, dataset="fer2013")
    run = make_unfinished(store, "running", preprocessing="gcn")
    with run.lock():
        app = open_page("overview")
    assert_sound(app)
    deltas = {metric.label: metric.delta for metric in app.metric}
    assert deltas["Running"] == deltas["Without a result"] == "all datasets"
    assert "· synthetic (drawn faces) · official · epoch 4 of 20 ·" in app.progress[0].text


def test_a_link_that_no_ranking_fits_names_the_closest_and_how_many_there_are(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    for protocol in ("official", "random_80_20", "kaggle_folders_3way", "train_vs_rest"):
        make_run(store, dataset="fer2013", protocol=protocol)
    make_run(store)
    (warning,) = open_page("overview", board="synthetic · official").warning
    assert warning.value.startswith("The link's board 'synthetic · official' cannot be shown; choose from synthetic")
    assert warning.value.endswith(" and 3 more.")


def test_the_address_loses_what_back_leaves_of_a_run_and_keeps_the_ranking(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    make_run(store, dataset="fer2013")
    make_run(store)
    app = open_page("overview", run="se_resnet__raw", board="synthetic (drawn faces) · official")
    assert_sound(app)
    assert set(app.query_params) == {"board"}


def test_what_has_no_result_is_listed_with_its_reason(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    make_run(store)
    make_unfinished(store, "failed", "the loss is not finite", preprocessing="gcn")
    make_unfinished(store, "running", preprocessing="clahe")  # nobody holds its lock
    (store.root / "notes").mkdir()
    app = open_page("overview")
    assert_sound(app)
    assert metrics(app)["Without a result"] == "3"
    assert app.expander[0].label == "3 runs without a result"
    table = app.expander[0].dataframe[0].value.set_index("state")
    assert table.loc["failed", "reason"] == "the loss is not finite"
    assert "stopped after epoch 3 of 20" in table.loc["lost", "reason"]
    assert table.loc["damaged", "run"] == "notes · damaged"


def test_two_hundred_runs_are_listed_and_predictions_are_never_read(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    first = make_run(store, n=100)
    for seed in range(1, 200):
        run = store.create(make_spec(preprocessing=("raw", "gcn", "hist_eq")[seed % 3], seed=seed))
        for name in ("evaluation.json", "environment.json", "metrics.jsonl"):
            shutil.copy(first.path / name, run.path / name)
        run.update_status(state="finished", epoch=20)
        (run.path / "predictions.npz").write_bytes(b"reading this would fail")
    app = open_page("overview")
    assert_sound(app)
    assert len(app.dataframe[0].value) == 200
    assert app.sidebar.caption[0].value.startswith("200 runs")


def test_a_figure_of_the_wrong_type_is_a_dash(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    run = make_run(store)
    evaluation = run.evaluation()
    evaluation["splits"]["test"] |= {"accuracy_interval": None, "n": "many"}
    run.write_json("evaluation.json", evaluation)
    app = open_page("overview")
    assert_sound(app)
    assert app.metric[0].delta == "–"
    assert "of – test faces" in texts(app)


def test_many_rankings_are_chosen_from_a_list(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    six = tuple(emotion for emotion in EMOTIONS if emotion != "disgust")
    make_run(store, dataset="fer2013", accuracy=0.5)
    for protocol in ("random_80_20", "train_vs_rest"):
        make_run(store, dataset="fer2013", protocol=protocol)
    make_run(store, dataset="fer2013", protocol="train_vs_rest", emotions=six, accuracy=0.7)
    make_fold_run(store, "lpq_phog_mlp", "sfew_lpq_phog", n=100, folds=2, repetitions=2, protocol="random_2fold")
    app = open_page("overview")
    assert_sound(app)
    chooser = app.selectbox(key="board")
    assert chooser.value == "fer2013 · official"
    assert list(app.dataframe[0].value["accuracy"] < 60) == [True]
    chooser.set_value("fer2013 · train_vs_rest · without disgust").run()
    assert_sound(app)
    assert list(app.dataframe[0].value["accuracy"] > 60) == [True]
    app.selectbox(key="board").set_value("sfew_lpq_phog · random_2fold").run()
    assert_sound(app)
    assert "of 100 test faces" in texts(app)
