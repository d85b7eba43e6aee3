"""The Compare page."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.runs import Run, RunStore
from tests.dashboard.runs import make_fold_run, make_unfinished
from tests.dashboard.test_overview import assert_sound, metrics, texts
from tests.dashboard.tested_runs import make_tested

Open = Callable[..., AppTest]


def hashes(*runs: Run) -> str:
    return ",".join(run.id.rsplit("__", 1)[-1] for run in runs)


@pytest.fixture
def three(store: RunStore) -> list[Run]:
    """Runs on the same faces: two alike, one far better."""
    accuracies = {"raw": 0.5, "gcn": 0.505, "hist_eq": 0.8}
    return [make_tested(store, preprocessing=name, accuracy=share) for name, share in accuracies.items()]


def test_without_two_runs_it_says_what_would_be_here(store: RunStore, open_page: Open) -> None:
    make_tested(store)
    app = open_page("compare")
    assert_sound(app)
    assert "Fewer than two runs" in texts(app)


def test_it_names_the_best_and_whether_that_is_more_than_chance(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(*three))
    assert_sound(app)
    assert "C · hist_eq recognises most" in texts(app)
    assert "more than chance (p < 0.001)" in texts(app).replace("\N{NO-BREAK SPACE}", " ")
    table = app.dataframe[0].value
    assert list(table["run"]) == ["A · raw", "B · gcn", "C · hist_eq"]
    shares = [run.evaluation()["splits"]["test"]["accuracy"] for run in three]
    assert list(table["accuracy"]) == pytest.approx([100 * share for share in shares])
    assert list(table["lead"])[1:] == pytest.approx([100 * (share - shares[0]) for share in shares[1:]])
    assert np.isnan(table["lead"].iloc[0]), "the baseline has no difference"
    assert list(table["real"]) == ["", "no", "yes"]


def test_the_link_names_the_runs_also_where_nothing_was_chosen(three: list[Run], open_page: Open) -> None:
    app = open_page("compare")
    assert_sound(app)
    assert set(app.query_params["runs"].split(",")) == set(hashes(*three).split(","))
    assert "A · hist_eq" in texts(app), "the best run is the first"


def test_choosing_runs_and_the_baseline_changes_the_link(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(*three))
    app.multiselect(key="compare_runs").set_value([three[2].id, three[0].id]).run()
    assert_sound(app)
    assert app.query_params["runs"] == hashes(three[2], three[0])
    assert "The baseline A · hist_eq recognises most" in texts(app)
    app.selectbox(key="compare_baseline").set_value(three[0].id).run()
    assert_sound(app)
    assert app.query_params["baseline"] == hashes(three[0])
    assert "A · hist_eq recognises most" in texts(app)
    assert list(app.dataframe[0].value["lead_interval"])[1] == "baseline"


def test_one_run_alone_asks_for_another(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(three[0]))
    assert_sound(app)
    assert "Choose another of the 3 runs" in texts(app)
    assert app.selectbox(key="no_baseline").options == ["mini_xception · raw"]


def test_a_damaged_link_falls_back_with_a_notice(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=f"gone,{hashes(*three[:2])}", view="Nothing", baseline="gone")
    assert_sound(app)
    assert "The link names gone: no such run" in texts(app)
    assert "The link's view 'Nothing' cannot be shown" in texts(app)
    assert list(app.dataframe[0].value["run"]) == ["A · raw", "B · gcn"]


def test_of_more_than_eight_runs_the_first_are_compared_and_that_is_said(store: RunStore, open_page: Open) -> None:
    runs = [make_tested(store, seed=seed, n=40) for seed in range(9)]
    app = open_page("compare", runs=hashes(*runs))
    assert_sound(app)
    assert "more than 8 runs" in texts(app)
    assert len(app.dataframe[0].value) == 8


def test_runs_of_other_protocols_or_drawn_faces_are_never_ranked_together(store: RunStore, open_page: Open) -> None:
    runs = [
        make_tested(store, dataset="fer2013", accuracy=0.5),
        make_tested(store, dataset="fer2013", accuracy=0.6, seed=1),
        make_tested(store, dataset="fer2013", protocol="train_vs_rest", accuracy=0.7),
        make_tested(store, dataset="synthetic", accuracy=0.9),
    ]
    app = open_page("compare", runs=hashes(*runs))
    assert_sound(app)
    assert "C was tested on fer2013 · train_vs_rest; D was tested on drawn faces" in texts(app)
    assert [name[0] for name in app.dataframe[0].value["run"]] == ["A", "B"]
    curves = open_page("compare", runs=hashes(*runs), view="Curves")
    assert_sound(curves)
    assert [name[0] for name in curves.dataframe[0].value["run"]] == ["A", "B", "C", "D"]
    assert "**Validation accuracy over the training**" in texts(curves), "no run is called the best"


def test_runs_without_anything_in_common_still_show_curves_and_settings(store: RunStore, open_page: Open) -> None:
    runs = [make_tested(store, dataset="fer2013"), make_fold_run(store), make_unfinished(store, "failed")]
    app = open_page("compare", runs=hashes(*runs))
    assert_sound(app)
    assert [tab.label for tab in app.tabs] == ["Curves", "Settings"]
    assert "C is failed" in texts(app)
    assert "Of B the mean over the folds" in texts(app)


def test_only_shared_images_are_paired_and_that_is_said(store: RunStore, open_page: Open) -> None:
    runs = [make_tested(store, seed=seed, first=first, n=150) for seed, first in ((0, 0), (1, 50))]
    app = open_page("compare", runs=hashes(*runs))
    assert_sound(app)
    assert "The 100 test images that all were tested on" in texts(app)
    predictions = runs[0].predictions()
    right = predictions["test_probabilities"].argmax(axis=1) == predictions["test_labels"]
    assert app.dataframe[0].value["accuracy"].iloc[0] == pytest.approx(100 * right[50:].mean())


@pytest.mark.parametrize("view", ["Emotions", "Confusion", "Images", "Tests", "Calibration", "Curves", "Settings"])
def test_every_view_opens_by_its_link(three: list[Run], open_page: Open, view: str) -> None:
    app = open_page("compare", runs=hashes(*three), view=view)
    assert_sound(app)
    assert not app.warning
    assert app.get("vega_lite_chart") or view == "Settings"


def test_settings_list_only_what_differs_until_all_is_asked_for(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(*three), view="Settings")
    assert list(app.dataframe[0].value["setting"]) == ["preprocessing"]
    assert "The runs were trained alike" in texts(app)
    app.toggle(key="all_settings").set_value(True).run()
    assert_sound(app)
    assert "epochs" in list(app.dataframe[0].value["setting"])
    assert (
        list(app.dataframe[1].value.set_index("setting").loc["time"])
        == ["11\N{NO-BREAK SPACE}min 40\N{NO-BREAK SPACE}s"] * 3
    )


def test_curves_take_metric_axis_and_smoothing_from_the_link(three: list[Run], open_page: Open) -> None:
    link = {"metric": "Training loss", "over": "Seconds", "smooth": "0.5", "log_y": "true"}
    app = open_page("compare", runs=hashes(*three), view="Curves", **link)
    assert_sound(app)
    spec = app.get("vega_lite_chart")[0].proto.spec
    assert '"title": "seconds"' in spec
    assert '"type": "log"' in spec
    assert len(app.dataframe[0].value) == 3
    damaged = open_page("compare", runs=hashes(*three), view="Curves", smooth="7")
    assert "The link's smooth '7' cannot be shown" in texts(damaged)


@pytest.mark.parametrize("view", ["Emotions", "Calibration"])
def test_two_tables_of_a_view_have_buttons_that_say_which(three: list[Run], open_page: Open, view: str) -> None:
    app = open_page("compare", runs=hashes(*three), view=view)
    labels = [button.proto.label for button in app.get("download_button")]
    assert len([label for label in labels if label.startswith("CSV of ")]) == 2
    assert len(set(labels)) == len(labels)


def test_a_run_without_a_curve_is_named_with_the_reason_and_not_in_the_legend(
    store: RunStore, three: list[Run], open_page: Open
) -> None:
    members = [{"run": run.id, "weight": 0.5} for run in three[:2]]
    ensemble = make_tested(store, architecture="ensemble:weighted", architecture_arguments={"members": members})
    (ensemble.path / "metrics.jsonl").write_text("")
    (three[2].path / "metrics.jsonl").write_text("")
    app = open_page("compare", runs=hashes(*three, ensemble), view="Curves")
    assert_sound(app)
    assert "D is an ensemble and has no curve." in texts(app)
    assert "C has no validation accuracy written down." in texts(app)
    spec = json.loads(app.get("vega_lite_chart")[0].proto.spec)
    values = {tuple(layer["encoding"]["color"]["legend"]["values"]) for layer in spec["layer"]}
    assert [[name[0] for name in each] for each in values] == [["A", "B"]]


def test_the_explorer_shows_who_alone_is_right(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(*three), view="Images", right="C", wrong="B")
    assert_sound(app)
    right = [run.predictions()["test_probabilities"].argmax(1) == run.predictions()["test_labels"] for run in three]
    assert f"{int((right[2] & ~right[1]).sum())} images that C recognises and B does not" in texts(app)
    assert metrics(app)["None right"].startswith(f"{100 * np.mean(~np.any(right, axis=0)):.1f}")
    app.segmented_control(key="images").set_value("Hardest for all").run()
    assert_sound(app)
    assert f"{int((~np.any(right, axis=0)).sum())} images that none of the 3 runs recognises" in texts(app)
    app.selectbox(key="labelled").set_value("happy").run()
    assert_sound(app)
    assert "recognises labelled happy" in texts(app)


def test_where_the_pictures_are_not_here_ids_and_probabilities_are(store: RunStore, open_page: Open) -> None:
    runs = [make_tested(store, dataset="nowhere", seed=seed) for seed in (0, 1)]
    app = open_page("compare", runs=hashes(*runs), view="Images")
    assert_sound(app)
    assert "there is no prepared dataset" in texts(app).lower()
    table = app.dataframe[0].value
    assert {"image", "label", "A · seed 0: answer", "B · seed 1: probability (%)"} <= set(table.columns)
    assert len(table) == 12


def test_pages_of_images_are_in_the_link_and_begin_anew_with_other_images(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(*three), view="Images", right="C", seen_page="2")
    assert_sound(app)
    assert "13 to 24 of" in texts(app)
    app.selectbox(key="wrong").set_value("B").run()
    assert_sound(app)
    assert "1 to 12 of" in texts(app)
    damaged = open_page("compare", runs=hashes(*three), view="Images", seen_page="900")
    assert "The link's seen page '900' cannot be shown" in texts(damaged)
    assert "1 to 12 of" in texts(damaged)


def test_a_cell_of_one_of_the_matrices_shows_what_all_runs_say(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(*three), view="Confusion", true="sad", predicted="sad", of="C")
    assert_sound(app)
    arrays = three[2].predictions()
    hits = (arrays["test_labels"] == 4) & (arrays["test_probabilities"].argmax(1) == 4)
    assert f"**{int(hits.sum())} sad faces that C · hist_eq reads as sad**" in texts(app)
    assert len(app.get("vega_lite_chart")) == 4  # the matrices, and the probabilities of one image


def test_differences_of_matrices_leave_out_the_baseline(three: list[Run], open_page: Open) -> None:
    app = open_page("compare", runs=hashes(*three), view="Confusion", matrices="Difference to the baseline")
    assert_sound(app)
    assert "**B · gcn, less A**" in texts(app)
    assert len(app.get("vega_lite_chart")) == 2


def test_small_differences_of_matrices_have_faint_colours(three: list[Run], open_page: Open) -> None:
    three[1].save_predictions(three[0].predictions())
    app = open_page("compare", runs=hashes(*three[:2]), view="Confusion", matrices="Difference to the baseline")
    assert_sound(app)
    spec = json.loads(app.get("vega_lite_chart")[0].proto.spec)
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == [-0.05, 0.05]


def test_a_run_whose_predictions_are_damaged_gets_one_sentence(three: list[Run], open_page: Open) -> None:
    (three[0].path / "predictions.npz").write_bytes(b"these are words")
    app = open_page("compare", runs=hashes(*three))
    assert not app.exception
    assert all("predictions.npz cannot be read" in error.value for error in app.error)
    assert app.error
