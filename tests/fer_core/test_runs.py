import json
import multiprocessing

import numpy as np
import pytest
import torch

from fer_core.config import Recipe, RunSpec
from fer_core.errors import FerError
from fer_core.evaluation import evaluate_run
from fer_core.locks import is_held
from fer_core.runs import Run, RunError, RunExistsError, RunStore

RECIPE = Recipe(name="paper", epochs=3, batch_size=32, optimizer="adam", learning_rate=1e-3)
SPEC = RunSpec("linear", "raw", "fer2013", "official", RECIPE)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


def fake_predictions(n=20):
    rng = np.random.default_rng(0)
    arrays = {}
    for split in ("valid", "test"):
        arrays[f"{split}_ids"] = np.array([f"happy/Test_{i}" for i in range(n)])
        arrays[f"{split}_labels"] = rng.integers(0, 7, n)
        arrays[f"{split}_probabilities"] = rng.dirichlet(np.ones(7), n)
    return arrays


def finished(store):
    run = store.create(SPEC)
    run.save_predictions(fake_predictions())
    evaluate_run(run)
    run.update_status(state="finished", epoch=3)
    return run


def test_a_store_without_a_folder_is_empty(store):
    assert store.list() == []


def test_a_created_run_reads_back_its_spec(store):
    run = store.create(SPEC)
    assert store.get(run.id).spec == SPEC
    assert run.state == "queued"


def create_in_process(root, barrier, results):
    barrier.wait()
    try:
        RunStore(root).create(SPEC)
        results.put("made")
    except RunExistsError:
        results.put("exists")


def test_of_six_launchers_of_one_spec_exactly_one_makes_the_run(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(6), context.Queue()
    launchers = [context.Process(target=create_in_process, args=(tmp_path, barrier, results)) for _ in range(6)]
    for launcher in launchers:
        launcher.start()
    outcomes = sorted(results.get(timeout=30) for _ in launchers)
    for launcher in launchers:
        launcher.join()
    assert outcomes == ["exists"] * 5 + ["made"]


def test_a_run_is_found_by_its_beginning_or_its_hash(store):
    run = store.create(SPEC)
    assert store.get("linear__raw").id == run.id
    assert store.get(run.id[-8:]).id == run.id


def test_an_ambiguous_or_unknown_name_says_what_there_is(store):
    store.create(SPEC)
    store.create(RunSpec("linear", "hist_eq", "fer2013", "official", RECIPE))
    with pytest.raises(RunError, match="2 runs match 'linear'"):
        store.get("linear")
    with pytest.raises(RunError, match="no run 'resnet' in .*; there are linear__hist_eq"):
        store.get("resnet")


def test_a_running_run_whose_lock_nobody_holds_is_lost(store):
    run = store.create(SPEC)
    run.update_status(state="running")
    assert run.state == "lost"
    with run.lock():
        assert run.state == "running"
    assert run.state == "lost"


def test_two_trainers_cannot_hold_one_run(store):
    run = store.create(SPEC)
    with run.lock(), pytest.raises(RunError, match="another process"), Run(run.path).lock():
        pytest.fail("the second trainer got the lock")


def test_predictions_read_back_as_they_were_saved(store):
    run, arrays = store.create(SPEC), fake_predictions()
    run.save_predictions(arrays)
    read = run.predictions()
    assert read["test_ids"].tolist() == arrays["test_ids"].tolist()
    assert read["test_labels"].tolist() == arrays["test_labels"].tolist()
    np.testing.assert_allclose(read["test_probabilities"], arrays["test_probabilities"], rtol=0.063, atol=0.002)


def test_a_run_without_weights_says_how_to_get_them(store):
    run = store.create(SPEC)
    for state, told in (
        ("queued", "is queued; only a finished run has weights$"),
        ("cancelled", "is cancelled; only a finished run has weights; `resume` goes on with it"),
    ):
        run.update_status(state=state)
        with pytest.raises(RunError, match=told):
            run.weights()
    run.update_status(state="running")  # and nobody holds its lock
    with pytest.raises(RunError, match="is lost and has no predictions"):
        run.predictions()


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("spec.json", None, "no spec.json"),
        ("spec.json", "{half", "spec.json cannot be read"),
        ("spec.json", "[]", "not a JSON object"),
        ("spec.json", '{"colour": 1}', "unknown RunSpec key 'colour'"),
        ("status.json", None, "no status.json"),
        ("status.json", '{"state": "asleep"}', "unknown state 'asleep'"),
        ("evaluation.json", None, "no evaluation.json"),
        ("evaluation.json", "{}", "no test accuracy"),
        ("evaluation.json", '{"splits": []}', "no test accuracy"),
        ("evaluation.json", "\x00\x01", "evaluation.json cannot be read"),
    ],
)
def test_a_damaged_folder_is_listed_with_its_reason(store, file, content, reason):
    path = finished(store).path / file
    path.unlink()
    if content is not None:
        path.write_text(content)
    (run,) = store.list()
    assert run.state == "damaged"
    assert reason in run.problem


def test_a_foreign_folder_is_listed_and_breaks_nothing(store):
    good = finished(store)
    (store.root / "holiday pictures").mkdir()
    (store.root / "notes.txt").write_text("not a run")
    assert {run.id: run.state for run in store.list()} == {good.id: "finished", "holiday pictures": "damaged"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"not a zip"])
def test_damaged_predictions_are_an_error_in_one_sentence(store, content):
    run = finished(store)
    (run.path / "predictions.npz").write_bytes(content)
    with pytest.raises(RunError, match="predictions.npz cannot be read"):
        run.predictions()


def test_damaged_weights_are_an_error_in_one_sentence(store):
    run = finished(store)
    (run.path / "weights.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00nonsense")
    with pytest.raises(RunError, match=r"weights.safetensors cannot be read"):
        run.weights()


def test_the_half_written_last_line_of_the_metrics_is_left_out(store):
    run = store.create(SPEC)
    run.append_metrics({"epoch": 1})
    with (run.path / "metrics.jsonl").open("a") as handle:
        handle.write('{"epoch": 2, "train_l')
    assert run.metrics() == [{"epoch": 1}]


def test_a_checkpoint_that_would_run_code_is_refused(store):
    run = store.create(SPEC)
    torch.save({"attack": print}, run.path / "checkpoint.pt")
    with pytest.raises(RunError, match="not a checkpoint") as caught:
        run.checkpoint()
    assert "weights_only" in str(caught.value.__cause__)


def test_an_evaluation_that_contradicts_the_predictions_is_not_written(store, monkeypatch):
    run = finished(store)
    before = json.loads((run.path / "evaluation.json").read_text())

    def wrong(predictions, emotions):
        return before | {"splits": {"test": before["splits"]["test"] | {"accuracy": 0.99}}}

    monkeypatch.setattr("fer_core.evaluation.evaluate.evaluate_predictions", wrong)
    with pytest.raises(RunError, match="contradicts its own predictions"):
        evaluate_run(run)
    assert json.loads((run.path / "evaluation.json").read_text()) == before


def test_a_deleted_run_lies_in_the_trash_and_is_not_listed(store):
    run = finished(store)
    where = store.delete(run)
    assert store.list() == []
    assert (where / "predictions.npz").exists()


def test_a_run_in_training_cannot_be_deleted(store):
    run = store.create(SPEC)
    with run.lock(), pytest.raises(RunError, match="stop it first"):
        store.delete(run)


def test_curves_are_kept_short_and_whole(store):
    run = store.create(SPEC)
    run.append_metrics(
        {"fold": "1", "epoch": 123456789, "train_loss": 1.8699910884643152, "learning_rate": 3.0517578e-05}
    )
    run.write_data("curves.json", {"edges": (0.09191843271255493, 2.0), "counts": [7, 1234567890], "none": None})
    assert run.metrics() == [{"fold": "1", "epoch": 123456789, "train_loss": 1.86999, "learning_rate": 3.05176e-05}]
    assert run.read_json("curves.json") == {"edges": [0.0919184, 2.0], "counts": [7, 1234567890], "none": None}


def test_a_file_in_the_place_of_the_runs_holds_none_and_takes_none(tmp_path):
    (tmp_path / "file").write_text("no folder")
    store = RunStore(tmp_path / "file")
    assert (store.list(), store.trash(), is_held(store.root / ".worker" / "lock")) == ([], [], False)
    with pytest.raises(FerError, match="nothing can be written into folder"):
        store.create(SPEC)


def test_a_blank_name_is_no_run(tmp_path):
    store = RunStore(tmp_path)
    store.create(SPEC)
    for name in ("", " "):
        with pytest.raises(RunError, match="names no run"):
            store.get(name)
