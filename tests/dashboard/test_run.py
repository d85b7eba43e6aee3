"""The Run page."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.runs import RunStore
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.runs import make_fold_run, make_run, make_unfinished, write_removals
from tests.dashboard.test_overview import assert_sound, metrics, texts

Open = Callable[..., AppTest]


def tab(app: AppTest, name: str) -> None:
    app.session_state["details"] = name
    app.run()


def test_without_runs_it_says_what_would_be_here(open_page: Open) -> None:
    app = open_page("run")
    assert_sound(app)
    assert "No runs yet" in texts(app)


def test_it_shows_the_best_run_first_with_its_figures(store: RunStore, open_page: Open) -> None:
    make_run(store, preprocessing="raw", accuracy=0.4)
    best = make_run(store, preprocessing="gcn", accuracy=0.7)
    app = open_page("run")
    assert_sound(app)
    assert app.selectbox(key="run_picker").value == best.id
    test = best.evaluation()["splits"]["test"]
    assert metrics(app)["Test images"] == "400"
    assert metrics(app)["Macro-F1"] == f"{100 * test['macro_f1']:.1f}\N{NO-BREAK SPACE}%"
    assert metrics(app)["ECE"] == f"{100 * test['ece']:.1f}\N{NO-BREAK SPACE}%"
    said = {metric.label: metric.delta for metric in app.metric}
    assert said["ECE"] == f"{100 * test['calibrated']['ece']:.1f}\N{NO-BREAK SPACE}% calibrated"
    table = app.dataframe[0].value
    assert list(table["support"]) == [each["support"] for each in test["per_class"]]
    assert len(app.get("vega_lite_chart")) == 5


def test_the_link_chooses_the_run_and_choosing_changes_the_link(store: RunStore, open_page: Open) -> None:
    worse = make_run(store, preprocessing="raw", accuracy=0.4)
    best = make_run(store, preprocessing="gcn", accuracy=0.7)
    app = open_page("run", run=worse.id)
    assert_sound(app)
    assert app.selectbox(key="run_picker").value == worse.id
    app.selectbox(key="run_picker").set_value(best.id).run()
    assert app.query_params["run"] == best.id
    assert "mini_xception on gcn faces" in texts(app)


def test_the_choice_is_remembered_on_another_page(store: RunStore, open_page: Open) -> None:
    worse = make_run(store, preprocessing="raw", accuracy=0.4, weights=True, architecture="linear")
    make_run(store, preprocessing="gcn", accuracy=0.7, weights=True, architecture="linear")
    app = open_page("run")
    app.selectbox(key="run_picker").set_value(worse.id).run()
    app.query_params.clear()  # a link of the navigation names no run
    app.switch_page("app_pages/photos.py").run()
    assert_sound(app)
    assert app.selectbox(key="run_picker").value == worse.id


def test_a_link_to_a_run_that_is_not_there_says_so_and_shows_the_best(store: RunStore, open_page: Open) -> None:
    make_run(store)
    app = open_page("run", run="gone")
    assert_sound(app)
    assert "There is no run gone" in app.warning[0].value
    assert metrics(app)["Test images"] == "400"


def test_the_filter_shortens_the_list(store: RunStore, open_page: Open) -> None:
    for preprocessing in ("raw", "gcn", "hist_eq", "clahe"):
        make_run(store, preprocessing=preprocessing, n=100)
    for preprocessing in ("raw", "gcn"):
        make_run(store, preprocessing=preprocessing, n=100, architecture="linear", accuracy=0.3)
    app = open_page("run")
    assert len(app.selectbox(key="run_picker").options) == 6
    app.multiselect(key="filter_architecture").set_value(["linear"]).run()
    assert_sound(app)
    assert len(app.selectbox(key="run_picker").options) == 2
    assert app.selectbox(key="run_picker").value.startswith("linear__")


@pytest.mark.parametrize(
    ("state", "message", "shown"),
    [
        ("failed", "the loss is not finite", "The loss is not finite. Remove the cause"),
        ("cancelled", "stopped by hand after epoch 3", "Stopped by hand after epoch 3."),
        ("running", "", "Nothing trains it any more"),
        ("queued", "", "Waits to be trained."),
    ],
)
def test_a_run_without_a_result_says_why_and_what_to_do(
    store: RunStore, open_page: Open, state: str, message: str, shown: str
) -> None:
    make_unfinished(store, state, message)
    app = open_page("run")
    assert not app.exception
    boxes = [each.value for each in (*app.error, *app.warning, *app.info)]
    assert len(boxes) == 1
    assert boxes[0].startswith(shown)
    assert "-m fer_core resume mini_xception__raw__" in app.code[0].value
    assert len(app.get("vega_lite_chart")) == 3, "the epochs so far are drawn"


def test_a_running_run_shows_its_progress_and_no_complaint(store: RunStore, open_page: Open) -> None:
    with make_unfinished(store, "running").lock():
        app = open_page("run")
        assert_sound(app)
        assert len(app.progress) == 1


def test_a_run_before_its_first_epoch_says_when_the_curves_begin(store: RunStore, open_page: Open) -> None:
    run = make_unfinished(store, "running")
    run.rewrite_metrics([])
    with run.lock():
        app = open_page("run")
    assert_sound(app)
    assert "The curves begin" in texts(app)


def test_a_damaged_run_shows_its_reason_and_what_can_be_read(store: RunStore, open_page: Open) -> None:
    run = make_run(store)
    (run.path / "evaluation.json").write_text("{")
    app = open_page("run")
    assert not app.exception
    (error,) = app.error
    assert "evaluation.json cannot be read" in error.value
    assert app.code[0].value.endswith(f"evaluate {run.id}")
    assert len(app.get("vega_lite_chart")) == 3
    assert "architecture" in list(app.dataframe[0].value["name"])


def test_a_foreign_folder_is_shown_as_damaged(store: RunStore, open_page: Open) -> None:
    (store.root / "notes").mkdir(parents=True)
    app = open_page("run")
    assert not app.exception
    assert "has no spec.json" in app.error[0].value


def test_without_its_predictions_a_run_keeps_the_rest_of_the_page(store: RunStore, open_page: Open) -> None:
    run = make_run(store)
    (run.path / "predictions.npz").write_bytes(b"these are words")
    app = open_page("run")
    assert not app.exception
    assert "predictions.npz cannot be read" in app.error[0].value
    assert metrics(app)["Test images"] == "400"
    assert "Every emotion in numbers" in texts(app)
    assert "architecture" in list(app.dataframe[1].value["name"])


def test_environment_and_log_open_in_their_tabs(store: RunStore, open_page: Open) -> None:
    make_run(store)
    app = open_page("run")
    tab(app, "Environment")
    assert_sound(app)
    values = app.dataframe[1].value.set_index("name")["value"]
    assert values["train images"] == "28,709"
    assert values["time"] == "11\N{NO-BREAK SPACE}min 40\N{NO-BREAK SPACE}s"
    assert values["peak memory"] == "812\N{NO-BREAK SPACE}MB"
    assert values["images per second"] == "820"
    tab(app, "Log")
    assert_sound(app)
    assert "epoch 20/20" in app.code[0].value


def test_the_matrix_can_show_counts(store: RunStore, open_page: Open) -> None:
    make_run(store)
    app = open_page("run")
    app.segmented_control(key="cells").set_value("Counts").run()
    assert_sound(app)
    assert '"count_text"' in app.get("vega_lite_chart")[3].proto.spec


def test_a_cell_of_the_matrix_shows_its_images_and_the_link_holds_it(store: RunStore, open_page: Open) -> None:
    run = make_run(store)
    called = run.predictions()["test_probabilities"].argmax(axis=1)
    app = open_page("run", true="fear", predicted="sad")
    assert_sound(app)
    number = int(((run.predictions()["test_labels"] == 2) & (called == 4)).sum())
    assert f"**{number} fear faces that it reads as sad**" in texts(app)
    app.selectbox(key="predicted").set_value("Any").run()
    assert_sound(app)
    assert f"{run.evaluation()['splits']['test']['per_class'][2]['support']} fear faces" in texts(app)


def test_the_chosen_cell_is_framed(store: RunStore, open_page: Open) -> None:
    make_run(store)
    app = open_page("run")
    assert "choose its emotions here" in texts(app)
    app.session_state["true"], app.session_state["predicted"] = "happy", "happy"  # as the click's callback does
    app.run()
    assert_sound(app)
    assert "happy faces that it reads as happy" in texts(app)
    matrix = json.loads(app.get("vega_lite_chart")[3].proto.spec)
    framed = {param["name"]: param.get("value") for param in matrix["params"]}
    assert (framed["chosen_true"], framed["chosen_predicted"]) == ("happy", "happy")


def test_a_run_with_folds_shows_a_line_and_a_row_for_each(store: RunStore, open_page: Open) -> None:
    run = make_fold_run(store, folds=5)
    app = open_page("run")
    assert_sound(app)
    assert '"detail": {"field": "fold", "type": "nominal"}' in app.get("vega_lite_chart")[0].proto.spec
    evaluation = run.evaluation()
    folds = app.dataframe[1].value
    assert list(folds["fold"]) == ["1", "2", "3", "4", "5"]
    assert list(folds["accuracy"]) == pytest.approx([100 * fold["test"]["accuracy"] for fold in evaluation["folds"]])
    spread = evaluation["fold_accuracy"]
    assert f"**5 folds recognise {100 * spread['mean']:.1f}\N{NO-BREAK SPACE}±" in texts(app)
    assert "at the best epochs of 5 folds" in texts(app)


def test_repeated_folds_are_said_to_predict_each_image_several_times(store: RunStore, open_page: Open) -> None:
    make_fold_run(store, n=200, folds=2, repetitions=3, protocol="random_2fold")
    app = open_page("run")
    assert_sound(app)
    assert metrics(app)["Test images"] == "200"
    said = {metric.label: metric.delta for metric in app.metric}
    assert said["Test images"] == "600 predictions"
    assert 150 < int(said["On clean images"].removeprefix("n = ")) <= 200, "images, not predictions"


def test_a_run_that_removed_training_samples_shows_how(store: RunStore, open_page: Open) -> None:
    run = make_fold_run(store, folds=2, protocol="random_2fold", epochs=400, bdr_start=50)
    write_removals(run, folds=("1", "2"))
    app = open_page("run")
    assert_sound(app)
    assert "4 rounds of removal leave" in texts(app)
    drawn = [chart.proto.spec for chart in app.get("vega_lite_chart")]
    assert sum("threshold" in chart for chart in drawn) == 4
    app.segmented_control(key="removals_fold").set_value("2").run()
    assert_sound(app)


def test_a_damaged_file_of_removals_keeps_the_rest_of_the_page(store: RunStore, open_page: Open) -> None:
    run = make_fold_run(store)
    (run.path / "bdr.json").write_text("[]")
    app = open_page("run")
    assert not app.exception
    assert [error.value for error in app.error] == [f"{run.id}/bdr.json is not a JSON object."]
    assert "architecture" in list(app.dataframe[2].value["name"])


def test_a_run_that_trains_its_second_fold_says_so(store: RunStore, open_page: Open) -> None:
    run = make_unfinished(store, "running", "epoch 23: 128/400 images")
    run.update_status(epoch=22, epochs=40)
    with run.lock():
        app = open_page("run")
    assert_sound(app)
    assert "epoch 3 of 20 in fold 2 of 2" in app.progress[0].text


def test_an_ensemble_shows_what_it_averages_in_the_place_of_curves(store: RunStore, open_page: Open) -> None:
    first, second = make_run(store, "linear", accuracy=0.5), make_run(store, "mini_xception", accuracy=0.5)
    ensemble = make_ensemble([first, second], store)
    app = open_page("run", run=ensemble.id)
    assert_sound(app)
    table = app.dataframe[0].value
    assert list(table["weight"]) == [0.5, 0.5]
    assert list(table["run"]) == [f"run?run={each.id}" for each in (first, second)]
    assert "2 members" in texts(app)
    assert "The curves begin" not in texts(app)
    assert not any(word in texts(app) for word in ("seed 0", "ensemble recipe", "in 0"))
    told = [frame.value for frame in app.dataframe if list(frame.value) == ["name", "value"]]
    assert [list(table["name"])[0] for table in told] == ["architecture", "member 1"]
    hashes = {each.id.rpartition("__")[2] for each in (first, second)}
    assert {value.rpartition(" · ")[2] for value in told[1]["value"]} == hashes
    tab(app, "Environment")
    names = set().union(*(frame.value["name"] for frame in app.dataframe if list(frame.value) == ["name", "value"]))
    assert "time of the members" in names
    assert not names & {"time", "epochs run", "images per second"}


def test_a_run_shows_what_it_was_made_from_and_what_that_cost(store: RunStore, open_page: Open) -> None:
    first = make_run(store, epochs=6)
    second = make_run(store, epochs=3, init_from=first.id)
    app = open_page("run", run=second.id)
    assert_sound(app)
    assert "Made in 2 trainings, 5\N{NO-BREAK SPACE}min 15\N{NO-BREAK SPACE}s in all" in texts(app)
    table = app.dataframe[0].value
    assert list(table["origin"]) == ["random weights", "starts from 1"]
    assert list(table["epochs"]) == [6, 3]
    assert list(table["run"]) == [f"run?run={each.id}" for each in (first, second)]
    assert "Made in" not in texts(open_page("run", run=first.id))


def test_a_run_whose_start_is_gone_says_so(store: RunStore, open_page: Open) -> None:
    first = make_run(store, epochs=6)
    second = make_run(store, epochs=3, init_from=first.id)
    store.delete(first)
    app = open_page("run", run=second.id)
    assert_sound(app)
    assert "Made in 2 trainings, of which 1 cannot be found any more" in texts(app)
    assert list(app.dataframe[0].value["origin"]) == ["starts from a run that is gone"]
