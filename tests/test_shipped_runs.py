"""The results that come with the project are whole, real, and agree with their own predictions."""

import numpy as np
import pytest

from fer_core.architectures import ARCHITECTURES, DESCRIPTORS, rebuild
from fer_core.architectures.ensemble import NAME as ENSEMBLE
from fer_core.architectures.ensemble import read_members
from fer_core.datasets.official import FER2013_COUNTS
from fer_core.evaluation import evaluate_predictions
from fer_core.inference import Predictor
from fer_core.paths import PROJECT_ROOT
from fer_core.runs import Run, RunStore

# a training may be under way in this very folder
SHIPPED = [run for run in RunStore(PROJECT_ROOT / "runs").list() if run.state not in ("queued", "running", "lost")]
every_shipped_run = pytest.mark.parametrize("run", SHIPPED, ids=lambda run: run.id)


def test_some_results_are_shipped() -> None:
    assert SHIPPED


@every_shipped_run
def test_a_shipped_run_is_a_finished_one_on_real_faces(run: Run) -> None:
    assert run.problem == ""
    assert run.state == "finished"
    assert run.spec.dataset != "synthetic"
    assert run.evaluation()["synthetic"] is False
    assert run.id == run.spec.run_id


@every_shipped_run
def test_a_shipped_ensemble_is_the_mean_of_shipped_runs(run: Run) -> None:
    for member in read_members(run.spec.architecture_arguments):
        temperature = RunStore(PROJECT_ROOT / "runs").get(member.run).evaluation()["temperature"]
        assert member.temperature == pytest.approx(temperature, rel=1e-3)  # its predictions may have been packed anew


@every_shipped_run
def test_its_figures_are_those_of_its_predictions(run: Run) -> None:
    again, written = evaluate_predictions(run.predictions(), run.spec.emotions), run.evaluation()
    for split in ("valid", "test"):
        for metric in ("accuracy", "clean_accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece"):
            assert written["splits"][split][metric] == pytest.approx(again["splits"][split][metric], abs=1e-9)
    assert written["splits"]["test"].get("flip_accuracy") == again["splits"]["test"].get("flip_accuracy")
    for key in ("folds", "fold_accuracy"):
        assert written.get(key) == again.get(key)


@every_shipped_run
def test_under_the_official_protocol_it_was_tested_on_the_whole_private_test(run: Run) -> None:
    if (run.spec.dataset, run.spec.protocol) == ("fer2013", "official") and len(run.spec.emotions) == 7:
        supports = [each["support"] for each in run.evaluation()["splits"]["test"]["per_class"]]
        assert supports == list(FER2013_COUNTS["test"].values())


@every_shipped_run
def test_its_metrics_have_a_line_for_every_epoch_of_every_fold(run: Run) -> None:
    if ARCHITECTURES.get(run.spec.architecture).learns_from == DESCRIPTORS:
        return  # thousands of short epochs, of which some are reported
    if run.spec.architecture == ENSEMBLE:
        assert run.metrics() == []
        return  # its members were trained, it was not
    of_fold: dict[str, list[int]] = {}
    for line in run.metrics():
        of_fold.setdefault(line.get("fold", ""), []).append(line["epoch"])
    assert len(of_fold) == run.environment().get("folds", 1)
    assert sum(map(len, of_fold.values())) == run.environment()["epochs_run"]
    for epochs in of_fold.values():
        assert epochs == list(range(1, len(epochs) + 1))
        assert run.spec.recipe.epochs >= epochs[-1]


@every_shipped_run
def test_its_weights_fit_its_architecture(run: Run) -> None:
    if run.has_weights():
        facts, spec = run.environment(), run.spec
        shape = {"channels": facts["channels"], "size": facts.get("image_size", 48), "classes": len(spec.emotions)}
        model = rebuild(spec.architecture, **shape, **spec.architecture_arguments)
        model.load_state_dict(run.weights())


@every_shipped_run
@pytest.mark.real_data
def test_its_weights_give_its_predictions(run: Run, fer2013) -> None:
    if not run.has_weights() or run.spec.dataset != "fer2013":
        return
    saved = run.network_predictions()  # of several folds' networks one is kept
    chosen = slice(0, None, 60)
    faces = fer2013.images[fer2013.rows_of(saved["test_ids"][chosen])]
    predictor = Predictor.from_run(run)
    calibrated = predictor.predict_faces(faces)
    assert (calibrated.argmax(1) == saved["test_probabilities"][chosen].argmax(1)).mean() >= 0.98
    np.testing.assert_allclose(calibrated.sum(1), 1, atol=1e-5)
