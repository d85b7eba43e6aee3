import dataclasses
import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from fer_core.config import Recipe, RunSpec
from fer_core.datasets import load_dataset
from fer_core.errors import FerError
from fer_core.evaluation import evaluate_predictions
from fer_core.runs import Run, RunError, RunStore, StopRequest, remove_stop, write_stop
from fer_core.training import TrainingDiverged, TrainingStopped, get_recipe, train_run
from fer_core.training.prepare import Plan

RECIPE = Recipe(
    name="test", epochs=2, batch_size=64, optimizer="adamw", learning_rate=3e-3, schedule="one_cycle",
    augmentation="flip", precision="float32",
)  # fmt: skip
SPEC = RunSpec("linear", "hist_eq", "synthetic", "official", RECIPE)


@pytest.fixture(scope="module")
def synthetic():
    return load_dataset("synthetic")


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def test_a_trained_run_has_every_file_and_agrees_with_its_predictions(store, synthetic):
    run = train_run(SPEC, store, device="cpu", dataset=synthetic)
    assert run.state == "finished"
    assert {path.name for path in run.path.iterdir()} - {".lock"} == {
        "spec.json", "status.json", "metrics.jsonl", "weights.safetensors", "predictions.npz",
        "evaluation.json", "environment.json", "log.txt",
    }  # fmt: skip
    again = evaluate_predictions(run.predictions(), SPEC.emotions)
    assert again["splits"]["test"]["accuracy"] == run.evaluation()["splits"]["test"]["accuracy"]
    assert run.evaluation()["synthetic"] is True
    assert [epoch["epoch"] for epoch in run.metrics()] == [1, 2]
    assert run.environment()["parameters"] == 16_135
    assert run.environment()["precision"] == "float32"


def test_a_finished_run_is_not_trained_again(store, synthetic):
    first = train_run(SPEC, store, device="cpu", dataset=synthetic)
    before = (first.path / "weights.safetensors").stat().st_mtime_ns
    second = train_run(SPEC, store, device="cpu", dataset=synthetic)
    assert second.id == first.id
    assert (second.path / "weights.safetensors").stat().st_mtime_ns == before


def test_a_label_filter_leaves_classes_out_everywhere(store, synthetic):
    six = tuple(e for e in SPEC.emotions if e != "disgust")
    run = train_run(dataclasses.replace(SPEC, emotions=six), store, device="cpu", dataset=synthetic)
    assert run.predictions()["test_probabilities"].shape[1] == 6
    assert [c["emotion"] for c in run.evaluation()["splits"]["test"]["per_class"]] == list(six)
    disgusted = (synthetic.labels[synthetic.split == "test"] == 1).sum()
    assert run.evaluation()["splits"]["test"]["n"] == (synthetic.split == "test").sum() - disgusted


def prepared(dataset, pipeline):
    plan = Plan.make(dataset, dataclasses.replace(SPEC, preprocessing=pipeline))
    return plan.prepare(plan.splits[0], torch.device("cpu"))


def test_training_noise_touches_training_images_only(store, synthetic):
    noisy, clean = (prepared(synthetic, pipeline) for pipeline in ("salt_pepper", "raw"))
    assert torch.equal(noisy.test.faces, clean.test.faces)
    assert torch.equal(noisy.valid.faces, clean.valid.faces)
    assert not torch.equal(noisy.train.faces, clean.train.faces)


def test_a_diverging_run_ends_as_failed_with_the_reason(store, synthetic):
    wild = dataclasses.replace(RECIPE, optimizer="sgd", learning_rate=100.0, schedule="constant", l2=10.0, epochs=5)
    with pytest.raises(TrainingDiverged):
        train_run(dataclasses.replace(SPEC, recipe=wild), store, device="cpu", dataset=synthetic)
    (run,) = store.list()
    assert run.state == "failed"
    assert "learning rate" in run.status.message
    assert "failed" in run.log()


class Interrupt:
    """Presses Ctrl-C after the first epoch."""

    def batch_done(self, *seen):
        pass

    def interrupted(self, checkpoint):
        pass

    def epoch_done(self, record, checkpoint):
        raise KeyboardInterrupt


def test_ctrl_c_leaves_a_run_that_the_same_command_finishes_as_if_nothing_had_been(store, synthetic, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train_run(SPEC, store, device="cpu", dataset=synthetic, watcher=Interrupt())
    (run,) = store.list()
    assert run.state == "cancelled"
    assert run.status.epoch == 1
    resumed = train_run(SPEC, store, device="cpu", dataset=synthetic)
    whole = train_run(SPEC, RunStore(tmp_path / "whole"), device="cpu", dataset=synthetic)
    assert_same_result(resumed, whole)
    assert not (resumed.path / "checkpoint.pt").exists()


def test_a_request_to_stop_ends_the_training_within_the_epoch_and_it_resumes_to_the_same_result(
    store, synthetic, tmp_path, monkeypatch
):
    monkeypatch.setattr("fer_core.training.progress.LOOK_EVERY_S", 0.0)
    run = store.create(SPEC)
    write_stop(run, StopRequest(by="ada"))
    with pytest.raises(TrainingStopped, match="ada"):
        train_run(SPEC, store, device="cpu", dataset=synthetic)
    assert run.state == "cancelled"
    assert "stopped by ada after epoch 0" in run.status.message
    assert run.checkpoint()["part"]["seen"] > 0
    remove_stop(run)
    whole = train_run(SPEC, RunStore(tmp_path / "whole"), device="cpu", dataset=synthetic)
    assert_same_result(train_run(SPEC, store, device="cpu", dataset=synthetic), whole)


def test_a_full_disk_ends_the_run_as_failed_and_it_resumes(store, synthetic, monkeypatch):
    def no_room(run, state):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Run, "save_checkpoint", no_room)
        with pytest.raises(OSError, match="No space left"):
            train_run(SPEC, store, device="cpu", dataset=synthetic)
    (run,) = store.list()
    assert run.state == "failed"
    assert run.status.message == "the disk of the runs is full; make room and resume"
    assert train_run(SPEC, store, device="cpu", dataset=synthetic).state == "finished"


def assert_same_result(first, second):
    for key, array in first.predictions().items():
        np.testing.assert_array_equal(array, second.predictions()[key])
    assert [e["train_loss"] for e in first.metrics()] == [e["train_loss"] for e in second.metrics()]


def test_a_run_killed_in_mid_epoch_is_lost_and_resumes_to_the_same_result(store, synthetic, tmp_path):
    recipe = get_recipe("modern", "two_block_cnn", epochs=3, batch_size=16, precision="float32")
    arguments = {"filters": 4, "dense": 16}
    spec = dataclasses.replace(SPEC, architecture="two_block_cnn", recipe=recipe, architecture_arguments=arguments)
    command = [
        sys.executable, "-m", "fer_core", "train", "-a", "two_block_cnn", "-A", "filters=4", "-A", "dense=16",
        "-p", "hist_eq", "-d", "synthetic", "--epochs", "3", "--batch-size", "16",
        "--precision", "float32", "--device", "cpu", "--threads", "1",
        "--runs", str(store.root),
    ]  # fmt: skip
    trainer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not (store.find(spec) and (store.find(spec).path / "checkpoint.pt").exists()):
        assert trainer.poll() is None, "the trainer ended before its first epoch"
        time.sleep(0.05)
    os.kill(trainer.pid, signal.SIGKILL)
    trainer.wait()
    run = store.find(spec)
    assert run.state == "lost"
    torch.set_num_threads(1)
    resumed = train_run(spec, store, device="cpu", dataset=synthetic)
    whole = train_run(spec, RunStore(tmp_path / "whole"), device="cpu", dataset=synthetic)
    assert "resumed" in resumed.log()
    assert_same_result(resumed, whole)


def test_a_run_that_another_process_trains_is_refused(store, synthetic):
    run = store.create(SPEC)
    with run.lock(), pytest.raises(RunError, match="another process"):
        train_run(SPEC, store, device="cpu", dataset=synthetic)


def test_an_emotion_that_the_dataset_lacks_is_named(store, synthetic):
    seen = synthetic.labels != 1
    without = dataclasses.replace(
        synthetic,
        images=synthetic.images[seen],
        labels=synthetic.labels[seen],
        ids=synthetic.ids[seen],
        split=synthetic.split[seen],
    )
    with pytest.raises(FerError, match="has no disgust; it has angry"):
        train_run(SPEC, store, device="cpu", dataset=without)
