"""The Leaderboard page."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import actions, permissions
from dashboard.permissions import Permission
from dashboard.summaries import RunShelf
from fer_core.errors import FerError
from fer_core.runs import RunStore, change_notes, read_notes
from tests.dashboard.runs import make_run, make_unfinished

pytestmark = pytest.mark.usefixtures("at_this_machine")


def texts(app: AppTest) -> str:
    return "\n".join(each.value for each in (*app.markdown, *app.caption, *app.error, *app.info, *app.warning))


def assert_sound(app: AppTest) -> None:
    assert not app.exception
    assert not app.error


def chosen_rows(app: AppTest, *rows: int) -> AppTest:
    """As a click on the boxes at the left of rows; AppTest has no such click."""
    app.session_state["leaderboard_table"] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    return button.click().run()


def test_without_runs_it_says_how_to_get_one(open_page: Callable[..., AppTest]) -> None:
    app = open_page("leaderboard")
    assert_sound(app)
    assert "No finished runs yet" in texts(app)
    assert "-m fer_core train --dataset synthetic" in app.code[0].value


def test_fer2013_s_official_split_comes_first_and_no_other_protocol_is_beside_it(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    mine = make_run(store, dataset="fer2013", n=200)
    make_run(store, dataset="synthetic", n=200, accuracy=0.9)
    for seed in range(2):
        make_run(store, dataset="sfew", n=200, accuracy=0.9, seed=seed)
        make_run(store, dataset="fer2013", protocol="train_vs_rest", n=200, accuracy=0.9, seed=seed)
    app = open_page("leaderboard")
    assert_sound(app)
    assert list(app.dataframe[0].value["id"]) == [mine.id]
    app.segmented_control(key="board").set_value("synthetic (drawn faces) · official").run()
    assert_sound(app)
    assert mine.id not in set(app.dataframe[0].value["id"])
    assert "not a result" in texts(app)


def test_the_link_chooses_order_rows_columns_and_filter(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    for architecture, accuracy in (("linear", 0.4), ("mini_xception", 0.7)):
        for seed in range(2):
            make_run(store, architecture, dataset="fer2013", n=200, accuracy=accuracy, seed=seed)
    app = open_page("leaderboard", sort="Parameters", order="worst first", figures="Log loss", rows="Means over seeds")
    assert_sound(app)
    table = app.dataframe[0].value
    assert list(table["architecture"]) == ["mini_xception", "linear"], "more weights are worse"
    assert list(table["seeds"]) == [2, 2]
    assert {"log_loss", "log_loss_deviation"} <= set(table)
    assert "accuracy" not in table
    app = open_page("leaderboard", q="LINEAR __s1")
    assert len(app.dataframe[0].value) == 1
    app = open_page("leaderboard", q="nothing like this", architecture="linear")
    assert_sound(app)
    assert "No run passes" in texts(app)
    press(app, "Clear search and filters")
    assert_sound(app)
    assert len(app.dataframe[0].value) == 4
    assert "q" not in app.query_params


def test_an_older_link_s_names_of_the_calibration_errors_are_understood(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    run = make_run(store, dataset="fer2013", n=200)
    app = open_page("leaderboard", map="Calibrated error", sort="Calibration error", figures="Calibration error")
    assert_sound(app)
    assert not app.warning
    test = run.evaluation()["splits"]["test"]
    assert f"ECE, calibrated: mini_xception with raw leads with {100 * test['calibrated']['ece']:.1f}" in texts(app)
    assert list(app.dataframe[0].value["ece"]) == pytest.approx([100 * test["ece"]])
    assert (app.query_params["map"], app.query_params["sort"]) == ("ECE, calibrated", "ECE")


def test_the_map_and_the_effort_say_how_many_variants_they_leave_out(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    measured, _ = make_run(store, n=200), make_run(store, "linear", n=200)
    measured.write_json("latency.json", {"ms": 1.25})
    app = open_page("leaderboard", map="Latency", effort="Latency", rows="Means over seeds")
    assert_sound(app)
    assert texts(app).count("1 of 2 variants left out: no latency measured.") == 2
    assert "No variant has a second seed" in texts(app)
    assert "left out" not in texts(open_page("leaderboard"))


@pytest.mark.parametrize(
    ("name", "value"), [("board", "moon · official"), ("sort", "beauty"), ("baseline", "nobody"), ("map", "1"),
                        ("figures", "Beauty"), ("effort", "Sweat"), ("architecture", "brain")],
)  # fmt: skip
def test_a_damaged_link_falls_back_and_says_so(
    store: RunStore, open_page: Callable[..., AppTest], name: str, value: str
) -> None:
    make_run(store, dataset="fer2013", n=200)
    make_run(store, dataset="synthetic", n=200)
    app = open_page("leaderboard", **{name: value})
    assert_sound(app)
    assert len(app.dataframe[0].value) == 1
    assert [each for each in app.warning if value in each.value.replace("\\", "")]


def test_a_pinned_baseline_gives_differences_and_says_which_are_real(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    runs = [make_run(store, "linear", name, "fer2013", accuracy=a) for name, a in (("raw", 0.5), ("gcn", 0.8))]
    same = make_run(store, "linear", "clahe", "fer2013", accuracy=0.5, seed=0)
    for run in (*runs[1:], same):  # drawn anew for each accuracy: here, the same images
        arrays = run.predictions() | {key: runs[0].predictions()[key] for key in ("test_ids", "test_labels")}
        if run is same:
            arrays = runs[0].predictions()
        run.save_predictions(arrays)
    app = open_page("leaderboard", baseline=runs[0].id)
    assert_sound(app)
    table = app.dataframe[0].value.set_index("id")
    accuracy = [run.evaluation()["splits"]["test"]["accuracy"] for run in runs]
    assert table.loc[runs[1].id, "accuracy_difference"] == pytest.approx(100 * (accuracy[1] - accuracy[0]))
    assert table.loc[runs[0].id, "verdict"] == "baseline"
    assert table.loc[same.id, "verdict"] == "not told apart"
    assert table.loc[same.id, "p"] == "1.000"
    assert table.loc[runs[1].id, "verdict"] in ("better", "worse", "not told apart")
    assert "Holm's correction over 2 runs" in texts(app)
    shown = texts(app).replace("\\", "")
    assert "Baseline: linear · raw · " in shown
    assert runs[0].id not in shown


def test_a_baseline_whose_predictions_are_lost_leaves_the_ranking_without_marks(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    run, other = (make_run(store, dataset="fer2013", preprocessing=name, n=200) for name in ("raw", "gcn"))
    (run.path / "predictions.npz").write_bytes(b"broken")
    app = open_page("leaderboard", baseline=run.id)
    assert_sound(app)
    assert app.dataframe[0].value.set_index("id").loc[other.id, "verdict"] == "not tested"
    assert "cannot be tested" in texts(app)


def test_archived_runs_leave_the_rankings_and_come_back_when_asked_for(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    kept, old = (make_run(store, dataset="fer2013", preprocessing=name, n=200) for name in ("raw", "gcn"))
    change_notes(old, archived=True)
    app = open_page("leaderboard")
    assert list(app.dataframe[0].value["id"]) == [kept.id]
    app = open_page("leaderboard", archived="true")
    assert set(app.dataframe[0].value["id"]) == {kept.id, old.id}
    overview = open_page("overview")
    assert list(overview.dataframe[0].value["id"]) == [kept.id]


def test_rows_are_archived_deleted_and_restored(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    runs = [
        make_run(store, dataset="fer2013", preprocessing=n, n=200, accuracy=a) for n, a in (("raw", 0.7), ("gcn", 0.4))
    ]
    app = chosen_rows(open_page("leaderboard"), 1)
    assert_sound(app)
    press(app, "Archive")
    assert_sound(app)
    assert read_notes(runs[1]).archived
    assert list(app.dataframe[0].value["id"]) == [runs[0].id]
    press(chosen_rows(app, 0), "Delete")
    assert_sound(app)
    assert not runs[0].path.exists()
    assert app.expander[-1].label == "Trash: 1 run"
    press(app, "Restore")
    assert_sound(app)
    assert runs[0].path.exists()
    assert list(app.dataframe[0].value["id"]) == [runs[0].id]


def test_who_may_only_watch_changes_nothing(
    store: RunStore, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(store, dataset="fer2013", n=200)
    monkeypatch.setattr(permissions, "permission", lambda: Permission(False, reason="You may watch."))
    app = chosen_rows(open_page("leaderboard"), 0)
    assert_sound(app)
    assert "You may watch" in texts(app)
    states = {button.label: button.disabled for button in app.button}
    assert [states[name] for name in ("Archive", "Delete", "Tags and note", "Pin as baseline")] == [True] * 3 + [False]
    (summary,) = RunShelf().read(store)
    with pytest.raises(FerError, match="You may watch"):
        actions.annotate([summary], archived=True)
    assert not read_notes(run).archived


def test_the_chosen_rows_are_pinned_or_compared(store: RunStore, open_page: Callable[..., AppTest]) -> None:
    runs = [
        make_run(store, dataset="fer2013", preprocessing=n, n=200, accuracy=a) for n, a in (("raw", 0.7), ("gcn", 0.4))
    ]
    app = press(chosen_rows(open_page("leaderboard"), 1), "Pin as baseline")
    assert_sound(app)
    assert app.query_params["baseline"] == runs[1].id
    press(chosen_rows(app, 0, 1), "Compare")
    assert app.title[0].value == "Compare"
    assert app.query_params["runs"] == ",".join(run.id.rsplit("__", 1)[-1] for run in runs)


def test_the_map_shows_the_mean_over_seeds_of_the_chosen_metric(
    store: RunStore, open_page: Callable[..., AppTest]
) -> None:
    runs = [make_run(store, dataset="fer2013", n=200, seed=seed) for seed in range(3)]
    make_unfinished(store, "failed", dataset="fer2013", seed=9)
    app = open_page("leaderboard", map="Macro-F1")
    assert_sound(app)
    figures = [run.evaluation()["splits"]["test"]["macro_f1"] for run in runs]
    mean = sum(figures) / 3
    assert f"Macro-F1: mini_xception with raw leads with {100 * mean:.1f}" in texts(app)
    chart = json.loads(app.get("vega_lite_chart")[0].proto.spec)
    assert {param["name"] for param in chart["params"]} == {"cell"}
