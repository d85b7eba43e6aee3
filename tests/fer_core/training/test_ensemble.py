"""An ensemble is a run like any other: weighted on the validation split, evaluated, and used for predictions."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from fer_core.architectures import build
from fer_core.architectures.ensemble import pipelines_of
from fer_core.config import RunSpec
from fer_core.datasets import load_dataset
from fer_core.errors import FerError
from fer_core.evaluation import evaluate_predictions
from fer_core.evaluation.calibration import apply_temperature, log_loss
from fer_core.export import ExportError, check_exportable
from fer_core.inference import Predictor
from fer_core.runs import RunError, RunIndex, RunStore
from fer_core.training import get_recipe, train_run
from fer_core.training.ensemble import choose_weights, make_ensemble
from tests.dashboard.runs import make_fold_run, make_run


def short_run(store, preprocessing, seed):
    recipe = get_recipe("modern", "linear", epochs=1)
    spec = RunSpec("linear", preprocessing, "synthetic", "official", recipe, seed)
    return train_run(spec, store, device="cpu")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two short trainings on drawn faces, each with a pipeline of its own, and their ensemble."""
    store = RunStore(tmp_path_factory.mktemp("runs"))
    make_ensemble([short_run(store, "raw", 0), short_run(store, "gcn+hist_eq", 1)], store)
    return store


@pytest.fixture
def ensemble(store):
    return store.get("ensemble")


def draw(generator, labels, accuracy, classes=3):
    """Probabilities (N, classes) of a network that is right in `accuracy` of all cases, and unsure."""
    top = np.where(generator.random(len(labels)) < accuracy, labels, generator.integers(0, classes, len(labels)))
    return np.eye(classes)[top] * 0.6 + 0.4 / classes


@pytest.fixture(scope="module")
def drawn():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 2000)
    return labels, np.stack([draw(generator, labels, accuracy) for accuracy in (0.8, 0.8, 0.05)])


def test_the_weights_have_a_lower_log_loss_than_every_other_mixture(drawn):
    labels, probabilities = drawn
    best = log_loss(labels, np.tensordot(choose_weights(labels, probabilities), probabilities, 1))
    others = np.random.default_rng(1).dirichlet((1, 1, 1), 300)
    assert all(best <= log_loss(labels, np.tensordot(other, probabilities, 1)) + 1e-6 for other in others)


def test_a_member_that_knows_nothing_is_left_out_and_equal_ones_share(drawn):
    weights = choose_weights(*drawn)
    assert weights[2] == 0
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights[0] == pytest.approx(0.5, abs=0.1)


def test_its_predictions_are_the_weighted_mean_of_the_calibrated_ones(store, ensemble):
    members = ensemble.spec.architecture_arguments["members"]
    assert len(members) == 2
    for key in ("valid_probabilities", "test_probabilities", "test_flip_probabilities"):
        mean = sum(
            each["weight"] * apply_temperature(store.get(each["run"]).predictions()[key], each["temperature"])
            for each in members
        )
        # 2^-9 of packing, 2^-12 of float16
        np.testing.assert_allclose(ensemble.predictions()[key], mean, atol=2.2e-3)


def test_runs_of_which_one_alone_is_best_are_no_ensemble(store, ensemble, monkeypatch):
    first, second = (store.get(member["run"]) for member in ensemble.spec.architecture_arguments["members"])
    monkeypatch.setattr("fer_core.training.ensemble.choose_weights", lambda *_: np.array([1.0, 0.0]))
    before = [run.id for run in store.list()]
    with pytest.raises(FerError, match=f"no mean with the others is better than run {first.id} alone"):
        make_ensemble([first, second], store)
    assert [run.id for run in store.list()] == before


def test_its_figures_are_those_of_its_predictions(ensemble):
    evaluation = ensemble.evaluation()
    again = json.loads(json.dumps(evaluate_predictions(ensemble.predictions(), ensemble.spec.emotions)))
    assert {key: evaluation[key] for key in again} == again
    assert ensemble.state == "finished"
    assert ensemble.environment()["parameters"] == 2 * 16_135


def test_the_predictor_gives_the_same_probabilities_from_the_pixels(ensemble):
    dataset, stored = load_dataset("synthetic"), ensemble.predictions()
    rows = [list(dataset.ids).index(each) for each in stored["test_ids"]]
    faces = np.asarray(dataset.images)[rows].reshape(len(rows), 48, 48)
    predictor = Predictor.from_run(ensemble)
    expected = apply_temperature(stored["test_probabilities"], predictor.temperature)
    np.testing.assert_allclose(predictor.predict_faces(faces), expected, atol=1e-2)


def test_making_it_again_gives_the_same_run(store, ensemble):
    members = [store.get(each["run"]) for each in ensemble.spec.architecture_arguments["members"]]
    assert make_ensemble(members, store).id == ensemble.id


def test_without_the_weights_of_a_member_its_figures_are_there_and_the_log_says_what_is_missing(tmp_path, store):
    shutil.copytree(store.root, tmp_path, dirs_exist_ok=True)
    store = RunStore(tmp_path)
    store.delete(store.get("ensemble"))
    runs = store.list()
    (runs[0].path / "weights.safetensors").unlink()
    run = make_ensemble(runs, store)
    assert run.state == "finished"
    assert not run.has_weights()
    assert f"those of {runs[0].id}" in run.log()


def test_without_a_file_of_its_own_its_weights_are_those_of_its_members(tmp_path, store, ensemble):
    shutil.copytree(store.root, tmp_path, dirs_exist_ok=True)
    bare = RunStore(tmp_path).get(ensemble.id)
    (bare.path / "weights.safetensors").unlink()
    faces = load_dataset("synthetic").images[:8]
    read = Predictor.from_run(bare).predict_faces(faces)
    np.testing.assert_array_equal(read, Predictor.from_run(ensemble).predict_faces(faces))
    listed = {run.id: run for run in RunIndex(RunStore(tmp_path)).read()}
    assert listed[bare.id].can_predict
    (RunStore(tmp_path).list()[-1].path / "weights.safetensors").unlink()
    assert "not all of its members have theirs" in listed[bare.id].obstacle
    with pytest.raises(RunError, match="not all of its members have theirs; train those again"):
        bare.weights()


def test_runs_that_cannot_be_averaged_are_refused_in_one_sentence(tmp_path):
    store = RunStore(tmp_path)
    first = make_run(store, "linear", n=60)
    others = {
        "differ in protocol": make_run(store, "mini_xception", n=60, protocol="random_80_20"),
        "predicted other valid images": make_run(store, "conv_relu_ann", n=80),
        "has a network for each fold": make_fold_run(store, n=60),
    }
    for sentence, other in others.items():
        with pytest.raises(FerError, match=sentence):
            make_ensemble([first, other], store)
    with pytest.raises(FerError, match="2 to 64 different runs"):
        make_ensemble([first, first], store)
    second = make_run(store, "mini_xception", n=60)
    second.update_status(state="cancelled")
    with pytest.raises(FerError, match="is cancelled; only finished runs"):
        make_ensemble([first, second], store)


def test_an_ensemble_cannot_be_trained_nor_be_a_member(store, ensemble):
    with pytest.raises(FerError, match="not trained, but made of finished runs"):
        build("ensemble:weighted")
    with pytest.raises(FerError, match="name its members"):
        make_ensemble([ensemble, short_run(store, "raw", 0)], store)


def test_an_ensemble_exports_unless_a_member_does_not(ensemble):
    check_exportable(1, pipelines_of(ensemble.spec), ensemble.id)
    members = [dict(each) for each in ensemble.spec.architecture_arguments["members"]]
    members[1]["preprocessing"] = "face_crop+gcn"
    with pytest.raises(ExportError, match="face_crop"):
        check_exportable(
            1, pipelines_of(replace(ensemble.spec, architecture_arguments={"members": members})), ensemble.id
        )
