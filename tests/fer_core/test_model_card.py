"""Model cards: every figure is the run's own, and what the law forbids stands in each."""

import re

import numpy as np
import pytest

from fer_core.evaluation import evaluate_run
from fer_core.labels import EMOTIONS
from fer_core.report import model_card, write_model_card
from fer_core.runs import ROBUSTNESS_FILE, TTA_FILE, RunError, RunStore
from fer_core.training import make_spec
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.runs import make_run

N = 140


def score(accuracy):
    return {"accuracy": accuracy, "accuracy_interval": [accuracy - 0.05, accuracy + 0.05], "correct": 1, "n": N}


def make_finished(store, dataset="fer2013", fold=False):
    """A finished run whose answers are known: 100 of 140 test images right, 90 of the 126 without a copy."""
    run = store.create(make_spec("mini_xception", "gcn", dataset=dataset, protocol="official", recipe="modern"))
    labels = np.arange(N) % len(EMOTIONS)
    called = np.where(np.arange(N) < 100, labels, (labels + 1) % len(EMOTIONS))
    clean = np.ones(N, bool)
    clean[:10] = clean[-4:] = False
    arrays = {}
    for split in ("valid", "test"):
        arrays |= {
            f"{split}_ids": np.array([f"{split}_{row}" for row in range(N)]),
            f"{split}_labels": labels,
            f"{split}_probabilities": 0.3 / 7 + 0.7 * np.eye(len(EMOTIONS))[called],
            f"{split}_clean": clean,
        }
    run.save_predictions(arrays)
    evaluate_run(run)
    run.write_json("environment.json", {"parameters": 58_423, "train_images": 28_709, "image_size": 48, "channels": 1})
    run.update_status(state="finished")
    return run


@pytest.fixture
def run(tmp_path):
    return make_finished(RunStore(tmp_path / "runs"))


def test_a_card_tells_data_protocol_figures_with_intervals_and_leakage(run):
    card = model_card(run)
    assert card.startswith(f"# Model card: {run.id}\n")
    low, high = (f"{100 * end:.1f}" for end in run.evaluation()["splits"]["test"]["accuracy_interval"])
    assert f"**71.4 % [{low}, {high}]** (95 % interval)" in card
    assert "14 of 140 test images have an exact copy among the training images" in card
    assert "On the 126 others the accuracy is 71.4 %" in card
    assert "Protocol: **official**. The split that the dataset's authors made" in card
    for text in ("28,709", "58,423", "`gcn`", "| `learning_rate` |", "arXiv 1307.0414"):
        assert text in card
    for each in run.evaluation()["splits"]["test"]["per_class"]:
        assert f"| {each['emotion']} | {100 * each['precision']:.1f} % | {100 * each['recall']:.1f} % |" in card


def test_a_card_of_repeated_folds_counts_images_where_it_tells_of_leakage(run):
    once = run.predictions()
    ten = {key: np.concatenate([array] * 10) for key, array in once.items()}
    ten["test_clean"][N:] = True  # the copies of the 14 were in the training of the first repetition alone
    run.save_predictions(ten)
    evaluate_run(run)
    card = model_card(run)
    assert "14 of 140 test images have an exact copy among the training images of a fold that tests them" in card
    assert "(14 of 1,400 predictions). On all others, of 140 images, the accuracy is 71.4 %" in card
    assert "confusion matrix count the test predictions, several of each image." in card


def test_a_card_of_folds_tells_whose_epochs_it_counts(run):
    facts = {"folds": 5, "weights_fold": "2", "epochs_run": 100, "best_epoch": 17}
    run.write_json("environment.json", run.environment() | facts)
    card = model_card(run)
    assert "| epochs run over 5 folds | 100 |" in card
    assert "| best epoch of fold 2, whose weights are kept, by validation | 17 |" in card


def test_every_card_says_what_the_ai_act_forbids(run):
    card = model_card(run)
    assert "Regulation (EU) 2024/1689" in card
    assert "Article 5(1)(f)" in card
    assert re.search(r"workplace\s+and in education institutions, except for medical or safety reasons", card)


def test_only_a_synthetic_run_says_that_it_is_no_result(run, tmp_path):
    assert "This is no result" not in model_card(run)
    drawn = model_card(make_finished(RunStore(tmp_path / "other"), dataset="synthetic"))
    assert drawn.index("This is no result") < drawn.index("## Data")


def test_what_was_measured_of_robustness_stands_in_the_card(run):
    assert "Not measured" in model_card(run)
    facts = {"images": N, "of": N, "clean": score(0.7)}
    severities = [{"severity": number, "level": 1, **score(0.6 - number / 50)} for number in range(1, 6)]
    measured = {"noise": {"unit": "", "severities": severities}}
    run.write_json(ROBUSTNESS_FILE, {**facts, "mean_corruption_accuracy": 0.54, "corruptions": measured})
    run.write_json(TTA_FILE, {**facts, "kinds": {"ten_crop": {"views": 10, **score(0.72)}}})
    card = model_card(run)
    assert "| noise | 58.0 % | 56.0 % | 54.0 % | 52.0 % | 50.0 % |" in card
    assert "| ten_crop | 10 | 72.0 % [67.0, 77.0] |" in card
    assert "Not measured" not in card


@pytest.mark.parametrize("content", [{}, {"images": 1, "of": 1, "corruptions": [], "kinds": 3}])
@pytest.mark.parametrize("name", [ROBUSTNESS_FILE, TTA_FILE])
def test_a_damaged_measurement_is_named(run, name, content):
    run.write_json(name, content)
    with pytest.raises(RunError, match=f"{name} is not what `evaluate` writes"):
        model_card(run)


def test_a_card_of_an_ensemble_tells_of_its_members_and_of_no_training_that_never_was(tmp_path):
    store = RunStore(tmp_path)
    members = [make_run(store, name, accuracy=0.5, n=80) for name in ("linear", "mini_xception")]
    card = model_card(make_ensemble(members, store))
    for run in members:
        assert f"| `{run.id}` | `{run.spec.preprocessing}` | " in card
    assert "It was not trained" in card
    for untrue in ("learning_rate", "initial weights", "none but scaling", "wall time"):
        assert untrue not in card


def test_what_was_measured_on_one_fold_says_so(run):
    run.write_json(TTA_FILE, {"images": 50, "of": 60, "fold": "2", "clean": score(0.5), "kinds": {}})
    assert "on 50 of 60 test images of fold 2" in model_card(run)


def test_a_run_that_is_not_finished_has_no_card(run):
    run.update_status(state="failed")
    with pytest.raises(RunError, match="only a finished run"):
        model_card(run)


def test_a_card_is_written_whole_into_a_new_folder(run, tmp_path):
    path = write_model_card(run, tmp_path / "cards" / "card.md")
    assert path.read_text(encoding="utf-8") == model_card(run)
    assert [each.name for each in path.parent.iterdir()] == ["card.md"]


def test_where_no_card_can_be_written_one_sentence_says_so(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        write_model_card(run, tmp_path / "file" / "card.md")


def test_the_command_prints_the_card_or_writes_it(run, tmp_path, monkeypatch, capsys):
    from fer_core.cli.app import main

    def called(*arguments):
        monkeypatch.setattr("sys.argv", ["fer_core", "runs", "card", *map(str, arguments)])
        with pytest.raises(SystemExit):
            main()
        return capsys.readouterr().out

    assert called("mini_xception", "--runs", tmp_path / "runs") == model_card(run)
    called("mini_xception", "--runs", tmp_path / "runs", "--out", tmp_path / "card.md")
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == model_card(run)
