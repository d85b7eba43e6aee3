import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from fer_core.config import ConfigError, Recipe, RunSpec
from fer_core.errors import FerError
from fer_core.evaluation.label_errors import label_errors
from fer_core.inference import Predictor
from fer_core.runs import RunError, RunStore
from fer_core.training import TrainingStopped, train_run
from fer_core.training.distillation import check_teacher, with_teacher
from fer_core.training.prepare import Plan
from fer_core.training.updates import distillation_loss

RECIPE = Recipe(name="test", epochs=1, batch_size=64, optimizer="adamw", learning_rate=3e-3, precision="float32")
SPEC = RunSpec("linear", "raw", "synthetic", "official", RECIPE)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def teacher(store, synthetic):
    return train_run(SPEC, store, device="cpu", dataset=synthetic)


def taught_by(name, spec=SPEC, **changes):
    return dataclasses.replace(spec, recipe=dataclasses.replace(spec.recipe, teacher=name, **changes))


def test_a_run_learns_what_its_teacher_reads_in_the_original_faces(store, synthetic, teacher):
    plan = Plan.make(synthetic, taught_by(teacher.id, dataclasses.replace(SPEC, preprocessing="hist_eq")))
    split = plan.splits[0]
    train = plan.prepare(split, CPU).train
    taught = with_teacher(train, plan, split, store, CPU).taught
    faces = synthetic.images[plan.rows(split, "train")[:50]]
    reader = Predictor.from_run(teacher)
    mean = (reader.predict_faces(faces) + reader.predict_faces(np.ascontiguousarray(faces[:, :, ::-1]))) / 2
    expected = np.sqrt(mean) / np.sqrt(mean).sum(axis=1, keepdims=True)  # a temperature of 2 halves the logarithms
    assert np.allclose(taught[:50], expected, atol=1e-4)
    assert with_teacher(train, Plan.make(synthetic, SPEC), split, store, CPU) is train


def test_the_weights_follow_the_teacher_where_the_loss_is_its_alone(store, synthetic, teacher):
    alone = taught_by(teacher.id, teacher_weight=1.0, epochs=6)
    pupil, stranger = (
        train_run(spec, store, device="cpu", dataset=synthetic)
        for spec in (alone, dataclasses.replace(SPEC, recipe=dataclasses.replace(RECIPE, epochs=6)))
    )
    said = {run: run.predictions()["test_probabilities"] for run in (teacher, pupil, stranger)}
    assert np.abs(said[pupil] - said[teacher]).mean() < 0.8 * np.abs(said[stranger] - said[teacher]).mean()


def test_the_loss_is_least_where_both_agree_and_its_gradient_is_that_of_soft_labels():
    logits = torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 0.5]], requires_grad=True)
    recipe = dataclasses.replace(RECIPE, teacher_temperature=3.0)
    same = (logits.detach() / 3).softmax(1)
    assert distillation_loss(logits, same, recipe).item() == pytest.approx(0, abs=1e-6)
    other = torch.tensor([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    entropy = -(other * other.log()).sum(1).mean()
    expected = 9 * (F.cross_entropy(logits / 3, other) - entropy)
    assert distillation_loss(logits, other, recipe).item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_teacher_that_cannot_teach_is_refused_before_anything_is_written(store, synthetic, teacher):
    def refused(spec, match, error=FerError):
        with pytest.raises(error, match=match):
            train_run(spec, store, device="cpu", dataset=synthetic)
        assert store.find(spec) is None

    six = tuple(each for each in SPEC.emotions if each != "disgust")
    refused(taught_by(teacher.id[-8:]), f"name the teacher by its whole name, {teacher.id}")
    refused(taught_by("nobody"), "nobody", RunError)
    refused(dataclasses.replace(taught_by(teacher.id), emotions=six), "differ in emotions")
    refused(dataclasses.replace(taught_by(teacher.id), protocol="kfold5"), "a protocol with a single fold")
    refused(dataclasses.replace(taught_by(teacher.id), protocol="random_80_20"), "may have learnt from valid images")


def test_a_training_stops_while_its_teacher_reads_and_goes_on_later(store, synthetic, teacher, monkeypatch):
    spec = taught_by(teacher.id, teacher_weight=0.3)
    monkeypatch.setattr("fer_core.training.distillation.AT_ONCE", 50)
    monkeypatch.setattr("fer_core.training.progress.STATUS_EVERY_S", 0.0)
    looks = iter(["", "", ""])

    def asked():  # after 50, 100 and 150 images are read
        return next(looks, "a test")

    with pytest.raises(TrainingStopped, match="a test"):
        train_run(spec, store, device="cpu", dataset=synthetic, asked_to_stop=asked)
    stopped = store.find(spec)
    assert stopped.state == "cancelled"
    assert "stopped by a test after epoch 0" in stopped.status.message
    assert train_run(spec, store, device="cpu", dataset=synthetic).state == "finished"


def test_a_run_that_is_not_finished_cannot_teach(tmp_path, synthetic):
    waiting = RunStore(tmp_path).create(SPEC)
    with pytest.raises(FerError, match="only a finished run can teach"):
        check_teacher(Plan.make(synthetic, taught_by(waiting.id)), RunStore(tmp_path))


def test_images_whose_label_the_teacher_doubts_are_left_out(store, synthetic, teacher):
    spec = taught_by(teacher.id, label_cleaning="confident_learning", epochs=1)
    plan = Plan.make(synthetic, spec)
    split = plan.splits[0]
    whole = plan.prepare(split, CPU).train
    faces = synthetic.images[plan.rows(split, "train")]
    reader = Predictor.from_run(teacher)
    read = (reader.predict_faces(faces) + reader.predict_faces(np.ascontiguousarray(faces[:, :, ::-1]))) / 2
    doubted = label_errors(whole.labels.numpy(), read).rows
    assert 0 < len(doubted) < len(whole)
    cleaned = with_teacher(whole, plan, split, store, CPU)
    kept = np.setdiff1d(np.arange(len(whole)), doubted)
    assert torch.equal(cleaned.labels, whole.labels[kept])
    assert torch.equal(cleaned.faces, whole.faces[kept])
    assert np.allclose(cleaned.taught, np.sqrt(read[kept]) / np.sqrt(read[kept]).sum(1, keepdims=True), atol=1e-4)
    run = train_run(spec, store, device="cpu", dataset=synthetic)
    assert run.environment()["train_images"] == len(kept)
    assert f"label cleaning left out {len(doubted)} of {len(whole)} training images" in run.log()


def test_labels_are_cleaned_by_a_teacher_alone():
    with pytest.raises(ConfigError, match="needs a teacher"):
        taught_by("", label_cleaning="confident_learning")


def test_a_run_without_a_teacher_keeps_its_name():
    assert taught_by("").run_id == SPEC.run_id != taught_by("another").run_id
