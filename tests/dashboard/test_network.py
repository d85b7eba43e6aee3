"""The Network page."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.cache import networks
from dashboard.network import many
from dashboard.network.members import member_names
from fer_core.datasets import load_dataset
from fer_core.runs import Run, RunStore
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.runs import make_fold_run, make_run
from tests.dashboard.test_overview import assert_sound, texts

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the drawn faces are prepared, and no network of another test is known."""
    monkeypatch.setenv("FER_DATA_DIR", str(tmp_path / "data"))
    networks.network.clear()


@pytest.fixture
def trained(store: RunStore) -> RunStore:
    """A store with two runs that can be looked into, and a better one whose weights are not here."""
    make_run(store, architecture="mini_xception", weights=True, accuracy=0.5)
    make_run(store, architecture="linear", weights=True, accuracy=0.4)
    make_run(store, architecture="conv_relu_ann", accuracy=0.7)
    return store


@pytest.fixture
def ensemble(store: RunStore) -> Run:
    """An ensemble of a linear network (20 %) and a convolutional one on equalised faces (80 %)."""
    members = [
        make_run(store, architecture="linear", weights=True, accuracy=0.5),
        make_run(store, architecture="mini_xception", preprocessing="hist_eq", weights=True, accuracy=0.5),
    ]
    run = make_ensemble(members, store)
    spec = run.read_json("spec.json")
    for member, weight in zip(spec["architecture_arguments"]["members"], (0.2, 0.8), strict=True):
        member["weight"] = weight
    run.write_json("spec.json", spec)
    return run


LINEAR, CONVOLUTIONAL = "linear · raw · weight 20.0 %", "mini_xception · hist_eq · weight 80.0 %"


def on_drawn_faces(run: Run) -> Run:
    """The run again, tested on the first drawn faces, whose names its predictions now have."""
    ids = load_dataset("synthetic").ids
    arrays = run.predictions()
    for split in ("valid", "test"):
        arrays[f"{split}_ids"] = ids[: len(arrays[f"{split}_labels"])]
    run.save_predictions(arrays)
    return run


def opened(open_page: Open, view: str, **link: str) -> AppTest:
    return open_page("network", view=view, source="Dataset", face_dataset="synthetic", **link)


def test_without_a_run_an_untrained_network_is_looked_into(store: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Feature maps")
    assert_sound(app)
    assert app.selectbox(key="architecture").value == "mini_xception"
    assert app.metric[0].value == "58,423"
    assert "its weights are random" in texts(app)


def test_only_runs_with_weights_are_offered_and_others_say_why_not(trained: RunStore, open_page: Open) -> None:
    absent = next(run for run in trained.list() if run.spec.architecture == "conv_relu_ann")
    app = opened(open_page, "Layers", run=absent.id)
    assert_sound(app)
    assert [option.split(" ")[0] for option in app.selectbox(key="run_picker").options] == ["mini_xception", "linear"]
    (notice,) = app.warning
    assert notice.value.replace("\\", "") == (
        "conv_relu_ann · raw has no weights here; train it again. "
        "Shown instead: mini_xception · raw, the first of the list."
    )


def test_where_the_run_that_is_shown_instead_is_alike_both_are_told_apart(trained: RunStore, open_page: Open) -> None:
    shown = next(run for run in trained.list() if run.spec.architecture == "mini_xception")
    absent = make_run(trained, architecture="mini_xception", accuracy=0.6, seed=1)
    (notice,) = opened(open_page, "Layers", run=absent.id).warning
    one, other = (f"mini_xception · raw · {run.id.rpartition('__')[2]}" for run in (absent, shown))
    told = notice.value.replace("\\", "")
    assert told.startswith(f"{one} has no weights")
    assert f"Shown instead: {other}," in told


def test_a_run_on_a_table_of_descriptors_says_why_it_cannot_be_shown(trained: RunStore, open_page: Open) -> None:
    run = make_run(trained, architecture="lpq_phog_mlp", weights=True, accuracy=0.3)
    run.write_json("environment.json", run.environment() | {"inputs": "descriptors"})
    app = opened(open_page, "Layers", run=run.id)
    assert_sound(app)
    assert "learnt from a table of descriptors, without the pixels" in texts(app)


def test_every_layer_is_listed_with_its_arithmetic_cost_and_receptive_field(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Layers", run="mini_xception")
    assert_sound(app)
    table = app.dataframe[0].value
    assert table["parameters"].sum() == 58_423
    row = table[table["name"] == "stem.3"].iloc[0]
    assert (row["arithmetic"], row["field"], row["output"]) == ("3·3·8·8 = 576", 5, "8 × 44 × 44")
    assert row["macs"] == 576 * 44 * 44


def test_the_chosen_layer_s_maps_are_shown(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Feature maps", run="mini_xception", layer="modules_.0.add")
    assert_sound(app)
    assert app.selectbox(key="layer").value == "modules_.0.add"
    assert "Layer modules_.0.add, Add: 16 maps of 22×22" in texts(app)
    app.selectbox(key="layer").set_value("mean").run()
    assert_sound(app)
    assert "Layer mean, Mean: 7 values" in texts(app)


def click_in_the_graph() -> None:
    import streamlit as st

    from dashboard.network.form import choose_in_graph

    st.session_state["graph"] = {"selection": {"node": [{"name": "classifier"}]}}
    choose_in_graph("graph")()


def test_a_click_in_the_graph_chooses_a_layer(trained: RunStore, open_page: Open) -> None:
    clicked = AppTest.from_function(click_in_the_graph).run()
    app = opened(open_page, "Feature maps", run="mini_xception")
    app.session_state["layer"] = clicked.session_state["layer"]
    app.run()
    assert_sound(app)
    assert "Layer classifier, Conv2d: 7 maps of 3×3" in texts(app)


def test_a_layer_of_another_network_gives_way_to_one_that_exists(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Feature maps", run="linear", layer="modules_.0.add")
    assert_sound(app)
    assert app.selectbox(key="layer").value in ("0", "1")
    assert "cannot be shown; choose from 0, 1." in app.warning[0].value
    app = opened(open_page, "Feature maps", run="mini_xception", layer="0")
    assert re.search(r"cannot be shown; choose from stem.*, \S+ and \d\d more\.$", app.warning[0].value)


def test_filters_follow_the_layer_and_say_where_there_are_none(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Filters", run="mini_xception", layer="stem.3")
    assert_sound(app)
    assert "8 kernels of layer stem.3: 3×3, each reads 8 channels" in texts(app)
    app.selectbox(key="layer").set_value("stem.2").run()
    assert_sound(app)
    assert "stem.2 is no convolution and has no kernels; these are those of stem.0" in texts(app)


def test_a_network_of_one_layer_shows_the_weight_of_each_pixel(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Filters", run="linear")
    assert_sound(app)
    assert "multiplies each pixel with" in texts(app)


def test_paper_1_s_layers_are_one_click_away(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Feature maps", run="mini_xception")
    app.session_state["paper_view"] = "Paper 1: layers 1, 4, 12, 21, 30, 39"
    app.run()
    assert_sound(app)
    assert all(f"**modules_.{block}.shortcut.0**" in texts(app) for block in range(4))


def test_the_walk_goes_from_the_face_to_the_emotions(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Walk", run="mini_xception")
    assert_sound(app)
    assert "From the face to the emotions in 12 steps that every path passes" in texts(app)


def test_four_methods_say_what_speaks_for_an_emotion_beside_random_weights(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Saliency", run="mini_xception", target="sad", sanity="true")
    assert_sound(app)
    assert "What speaks for sad" in texts(app)
    for label in ("Grad-CAM", "Guided backpropagation", "Integrated gradients", "Occlusion"):
        assert f"**{label}**" in texts(app)
    assert texts(app).count("Rank correlation with the picture above") == 4


def test_a_method_that_a_network_does_not_allow_says_why(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Saliency", run="linear")
    assert not app.exception
    assert any("Grad-CAM has nothing to weigh" in each.value for each in app.info)
    assert "no rectifier" in texts(app)


def test_descriptors_are_shown_of_any_face(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Descriptors", run="linear")
    assert_sound(app)
    assert "of 256 codes occur in this face" in texts(app)
    assert "680 values" in texts(app)


def test_an_untrained_network_has_no_averages_and_no_embedding(store: RunStore, open_page: Open) -> None:
    for view in ("Averages", "Embedding"):
        app = opened(open_page, view)
        assert_sound(app)
        assert app.info[0].value == "An untrained network has no test images; choose a run."


def test_a_network_without_maps_has_no_averages_and_that_is_no_error(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Averages", run="linear")
    assert_sound(app)
    assert "has no layer that gives maps" in app.info[0].value


def test_averages_and_the_embedding_are_of_the_run_s_own_test_images(trained: RunStore, open_page: Open) -> None:
    run = on_drawn_faces(next(run for run in trained.list() if run.spec.architecture == "mini_xception"))
    app = opened(open_page, "Averages", run=run.id)
    assert_sound(app)
    assert "Mean Grad-CAM of each cell of the confusion matrix" in texts(app)
    app = opened(open_page, "Embedding", run=run.id)
    assert_sound(app)
    assert "ten nearest neighbours here have its label" in texts(app)
    assert "400 test images by what the last layer gets (modules_.3.add)" in texts(app)
    assert {"Download CSV", "PNG", "SVG", "NPZ"} <= {button.proto.label for button in app.get("download_button")}


def test_test_images_that_are_not_here_are_said_in_one_sentence(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Averages", run="mini_xception")
    assert not app.exception
    assert app.error[0].value == "400 of 400 images are not in synthetic as it is prepared here."


def test_several_runs_see_the_same_face_side_by_side(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Side by side", depth="100")
    assert_sound(app)
    assert len(app.multiselect(key="beside").value) == 2
    assert "classifier gives 7 maps of 3×3." in texts(app)
    assert "linear has no layer that gives maps" in texts(app)


def test_pictures_and_numbers_can_be_saved(trained: RunStore, open_page: Open) -> None:
    app = opened(open_page, "Feature maps", run="mini_xception", layer="stem.0")
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == ["PNG", "NPZ"]


def test_a_photo_is_looked_into_as_well(trained: RunStore, open_page: Open) -> None:
    app = open_page("network", view="Saliency", source="Sample photo", run="mini_xception")
    assert_sound(app)
    assert "What speaks for" in texts(app)


def test_of_several_folds_only_the_images_that_the_kept_network_never_saw_are_shown(store: RunStore) -> None:
    run = make_fold_run(store, architecture="mini_xception", dataset="synthetic", folds=5)
    arrays, ids = run.predictions(), load_dataset("synthetic").ids
    arrays["test_ids"] = ids[: len(arrays["test_labels"])]
    run.save_predictions(arrays)
    (summary,) = cache.runs()
    found = cache.tested(summary)
    kept = run.environment()["weights_fold"]
    assert found.rows.tolist() == np.flatnonzero(arrays["test_folds"] == kept).tolist()
    assert len(found.rows) == 80


def test_a_test_image_is_found_again_in_the_fields_of_the_face() -> None:
    faces = load_dataset("synthetic")
    for row in (0, 57, len(faces) - 1):
        split, emotion, number = cache.sample_place("synthetic", row)
        assert np.array_equal(cache.sample("synthetic", split, emotion, number), faces.images[row])


def test_the_heaviest_member_of_an_ensemble_is_looked_into_and_said_to_be_a_member(
    ensemble: Run, store: RunStore, open_page: Open
) -> None:
    app = opened(open_page, "Layers", run=ensemble.id)
    assert_sound(app)
    member = app.selectbox(key="member")
    assert (member.value, member.options) == (CONVOLUTIONAL, [CONVOLUTIONAL, LINEAR])
    assert "Member mini_xception on hist_eq faces, 80.0\N{NO-BREAK SPACE}% of the ensemble" in texts(app)
    own = store.get("mini_xception").id
    assert f"Shown is this member, not the ensemble of 2: its run {own}." in texts(app)
    assert app.dataframe[0].value["parameters"].sum() == 58_423


def test_the_link_names_the_member_and_a_choice_keeps_its_ensemble(ensemble: Run, open_page: Open) -> None:
    app = opened(open_page, "Layers", run=ensemble.id, member=LINEAR)
    assert_sound(app)
    assert app.dataframe[0].value["parameters"].sum() == 16_135
    app.selectbox(key="member").set_value(CONVOLUTIONAL).run()
    assert app.dataframe[0].value["parameters"].sum() == 58_423
    app = opened(open_page, "Layers", run="ensemble")
    app.selectbox(key="member").set_value(LINEAR).run()
    assert_sound(app)
    assert app.dataframe[0].value["parameters"].sum() == 16_135
    assert app.query_params["run"] == ensemble.id


def test_a_layer_of_one_member_gives_way_to_a_layer_of_the_next(ensemble: Run, open_page: Open) -> None:
    app = opened(open_page, "Saliency", run=ensemble.id, layer="modules_.0.add", cam_layer="modules_.1.add")
    assert_sound(app)
    assert app.selectbox(key="layer").value == "modules_.0.add"
    app.selectbox(key="member").set_value(LINEAR).run()
    assert_sound(app)
    assert app.selectbox(key="layer").value == "0"


def test_a_member_that_is_not_there_gives_way_to_the_heaviest_and_that_is_said(ensemble: Run, open_page: Open) -> None:
    app = opened(open_page, "Layers", run=ensemble.id, member="resnet18 · raw · weight 50.0 %")
    assert_sound(app)
    assert app.selectbox(key="member").value == CONVOLUTIONAL
    assert "The link's member 'resnet18 · raw · weight 50.0 %' cannot be shown" in app.warning[0].value


def test_a_single_network_has_no_member_to_choose(ensemble: Run, open_page: Open) -> None:
    app = opened(open_page, "Layers", run="linear")
    assert_sound(app)
    assert "member" not in [each.key for each in app.selectbox]
    assert "not the ensemble" not in texts(app)


def test_another_ensemble_shows_its_own_heaviest_member(ensemble: Run, store: RunStore, open_page: Open) -> None:
    runs = [make_run(store, architecture=name, weights=True, seed=1) for name in ("linear", "two_block_cnn")]
    other = make_ensemble(runs, store)
    app = opened(open_page, "Layers", run=ensemble.id, member=LINEAR)
    app.selectbox(key="run_picker").set_value(other.id).run()
    assert_sound(app)
    assert not app.warning
    heaviest = next(iter(member_names(other.spec.architecture_arguments["members"])))
    assert app.selectbox(key="member").value == heaviest != LINEAR
    assert app.selectbox(key="member").proto.set_value, "the browser shows it, too"


@pytest.mark.parametrize("view", ["Feature maps", "Filters", "Walk", "Saliency", "Layers", "Descriptors"])
def test_every_view_of_a_face_shows_the_member(view: str, ensemble: Run, open_page: Open) -> None:
    app = opened(open_page, view, run=ensemble.id)
    assert_sound(app)
    assert "layers of their own" not in texts(app)
    expected = {
        "Feature maps": "Layer stem.0, Conv2d: 8 maps of 46×46",
        "Filters": "8 kernels of layer stem.0",
        "Walk": "in 12 steps that every path passes",
        "Saliency": "Of modules_.2.add, whose maps have 6×6 pixels.",
        "Layers": "58,423 parameters in",
        "Descriptors": "of 256 codes occur in this face",
    }
    assert expected[view] in texts(app)


def test_averages_and_the_embedding_of_a_member_are_of_its_own_run(
    ensemble: Run, store: RunStore, open_page: Open
) -> None:
    on_drawn_faces(store.get("mini_xception"))
    app = opened(open_page, "Averages", run=ensemble.id)
    assert_sound(app)
    assert "Mean Grad-CAM of each cell of the confusion matrix" in texts(app)
    app = opened(open_page, "Embedding", run=ensemble.id)
    assert_sound(app)
    assert "400 test images by what the last layer gets (modules_.3.add)" in texts(app)


def test_a_member_without_a_run_here_is_taken_out_of_the_ensemble_s_weights(
    ensemble: Run, store: RunStore, open_page: Open
) -> None:
    ensemble.save_weights(ensemble.weights())
    own = store.get("mini_xception")
    before = opened(open_page, "Saliency", run=ensemble.id)
    store.delete(own)
    app = opened(open_page, "Saliency", run=ensemble.id, sanity="true")
    assert_sound(app)
    assert f"because its run {own.id} is not here with weights" in texts(app)
    verdict = next(each.value for each in before.markdown if each.value.startswith("**What speaks for"))
    assert verdict in texts(app), "the same network, and the same probability"
    assert texts(app).count("Rank correlation with the picture above") == 4
    for view in ("Averages", "Embedding"):
        app = opened(open_page, view, run=ensemble.id)
        assert_sound(app)
        assert app.info[0].value == many.NO_OWN_TEST


def test_side_by_side_compares_an_ensemble_s_member_and_no_ensemble(
    ensemble: Run, store: RunStore, open_page: Open
) -> None:
    app = opened(open_page, "Side by side", run=ensemble.id)
    assert_sound(app)
    beside = app.multiselect(key="beside")
    assert sorted(option.split(" ")[0] for option in beside.options) == ["linear", "mini_xception"]
    assert beside.value[0].startswith("mini_xception")


def test_an_ensemble_that_does_not_say_what_it_averages_is_said_in_one_sentence(ensemble: Run, open_page: Open) -> None:
    ensemble.save_weights(ensemble.weights())
    spec = ensemble.read_json("spec.json")
    del spec["architecture_arguments"]["members"][0]["weight"]
    ensemble.write_json("spec.json", spec)
    app = opened(open_page, "Layers", run=ensemble.id)
    assert not app.exception
    assert [error.value for error in app.error] == ["Member lacks weight."]


def test_members_are_named_by_falling_weight_and_no_two_alike() -> None:
    members = [
        {"run": f"linear__raw__{name}", "architecture": "linear", "preprocessing": "raw", "weight": weight}
        for name, weight in (("aa", 0.25), ("bb", 0.5), ("cc", 0.25))
    ]
    assert member_names(members) == {
        "linear · raw · weight 50.0 %": 1,
        "linear · raw · weight 25.0 % · aa": 0,
        "linear · raw · weight 25.0 % · cc": 2,
    }
