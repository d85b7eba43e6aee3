"""What `evaluate --corruptions` and `--tta` measure and write."""

import json
import shutil

import numpy as np
import pytest

from fer_core.datasets import load_dataset
from fer_core.errors import FerError
from fer_core.inference import Predictor
from fer_core.robustness import (
    CORRUPTIONS,
    corrupt,
    measure_averaging,
    measure_corruptions,
    unseen_faces,
    views_of,
)
from fer_core.runs import ROBUSTNESS_FILE, TTA_FILE, Run, RunError, RunStore
from fer_core.training import make_spec, train_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    spec = make_spec(
        "linear", "raw", dataset="synthetic", protocol="official", recipe="modern",
        hyperparameters={"epochs": 2, "precision": "float32"},
    )  # fmt: skip
    return train_run(spec, RunStore(tmp_path_factory.mktemp("runs")), device="cpu", dataset=load_dataset("synthetic"))


@pytest.fixture
def run(trained, tmp_path):
    folder = tmp_path / "runs" / trained.id
    shutil.copytree(trained.path, folder)
    return Run(folder)


def test_the_clean_accuracy_is_the_run_s_own_and_every_figure_is_counted(run):
    told = []
    report = measure_corruptions(run, advance=lambda *parts: told.append(parts))
    test = run.evaluation()["splits"]["test"]
    assert (report["clean"]["correct"], report["clean"]["n"]) == (test["correct"], test["n"])
    assert report["images"] == report["of"] == test["n"]
    assert list(report["corruptions"]) == list(CORRUPTIONS)
    steps = [step for each in report["corruptions"].values() for step in each["severities"]]
    assert len(steps) == 35
    for step in steps:
        assert step["accuracy"] == step["correct"] / step["n"]
        assert step["accuracy_interval"][0] <= step["accuracy"] <= step["accuracy_interval"][1]
    assert report["mean_corruption_accuracy"] == pytest.approx(np.mean([step["accuracy"] for step in steps]))
    assert told[-1] == ("done", 36, 36)
    assert run.read_json(ROBUSTNESS_FILE) == report


def test_a_figure_is_the_accuracy_of_the_network_on_the_worsened_faces(run):
    report = measure_corruptions(run, limit=50, seed=3)
    faces = unseen_faces(run, 50)
    worse = corrupt(faces.faces, "occlusion", 5, seed=3)
    expected = (Predictor.from_run(run).predict_faces(worse).argmax(1) == faces.labels).sum()
    assert report["corruptions"]["occlusion"]["severities"][4]["correct"] == expected
    assert report["images"] == 50 < report["of"]


def test_only_images_of_the_test_split_are_looked_at(run):
    dataset, faces = load_dataset("synthetic"), unseen_faces(run)
    assert np.array_equal(faces.faces, dataset.images[dataset.split == "test"])


def test_a_trial_replaces_no_measurement_of_more_images(run):
    whole = measure_averaging(run, "flip")
    with pytest.raises(RunError, match="leave out --limit"):
        measure_averaging(run, "flip", limit=20)
    assert run.read_json(TTA_FILE) == whole


def test_kinds_of_averaging_stand_beside_each_other_where_they_are_of_the_same_images(run):
    measure_averaging(run, "flip", limit=30)
    assert list(measure_averaging(run, "ten_crop", limit=30)["kinds"]) == ["flip", "ten_crop"]
    assert list(measure_averaging(run, "ten_crop", limit=60)["kinds"]) == ["ten_crop"]


def test_averaging_the_mirror_image_gives_what_training_saved(run):
    report = measure_averaging(run, "flip")
    saved = run.evaluation()["splits"]["test"]
    assert report["kinds"]["flip"]["accuracy"] == pytest.approx(saved["flip_accuracy"], abs=0.004)  # float16


def test_ten_crops_are_four_corners_and_the_centre_and_their_mirror_images():
    face = np.arange(48 * 48).reshape(1, 48, 48)
    views = list(views_of(face, "ten_crop"))
    assert [view.shape for view in views] == [(1, 44, 44)] * 10
    assert [int(view[0, 0, 0]) for view in views[::2]] == [0, 4, 4 * 48, 4 * 49, 2 * 49]
    for view, mirrored in zip(views[::2], views[1::2], strict=True):
        assert np.array_equal(view[:, :, ::-1], mirrored)


def test_without_weights_one_sentence_says_so(run):
    (run.path / "weights.safetensors").unlink()
    with pytest.raises(RunError, match="has no weights here; train it again"):
        measure_corruptions(run)
    assert not (run.path / ROBUSTNESS_FILE).exists()


def test_without_its_dataset_one_sentence_says_how_to_get_it(run, tmp_path, monkeypatch):
    spec = json.loads((run.path / "spec.json").read_text()) | {"dataset": "fer2013"}
    run.write_json("spec.json", spec)
    monkeypatch.setenv("FER_DATA_DIR", str(tmp_path / "none"))
    with pytest.raises(FerError, match="FER2013 is not prepared yet"):
        measure_corruptions(Run(run.path))


def test_other_weights_than_those_that_were_tested_are_refused(run):
    state = run.weights()
    run.save_weights({name: -tensor for name, tensor in state.items()})
    with pytest.raises(RunError, match="not those that it was tested with"):
        measure_corruptions(run)


def test_an_unfinished_run_is_refused(run):
    run.update_status(state="cancelled")
    with pytest.raises(RunError, match="is cancelled"):
        measure_corruptions(run)


def test_an_unknown_kind_is_refused_with_those_there_are(run):
    with pytest.raises(FerError, match="choose from flip, ten_crop"):
        measure_averaging(run, "rotate")
