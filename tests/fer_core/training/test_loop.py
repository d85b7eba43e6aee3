import dataclasses
import math

import pytest
import torch
from torch import nn

from fer_core.architectures import ARCHITECTURES, PIXELS, build
from fer_core.config import Recipe
from fer_core.training import TrainingDiverged, TrainingSet, TrainingStopped, fit, get_recipe
from fer_core.training.averaging import WarmedUpAverage
from fer_core.training.passes import evaluate, measure_statistics, network_inputs
from fer_core.training.state import balanced_weights

CPU = torch.device("cpu")
RECIPE = Recipe(
    name="test", epochs=3, batch_size=16, optimizer="adamw", learning_rate=2e-3, schedule="one_cycle",
    ema_decay=0.9, label_smoothing=0.1, l2=1e-4, augmentation="flip+rotate(5)", precision="float32",
)  # fmt: skip


def train(data, recorder, recipe=RECIPE, checkpoint=None, seed=0, architecture="mini_xception", **arguments):
    torch.manual_seed(seed)
    model = build(architecture, classes=data.classes, **arguments)
    return fit(model, data, data, recipe, seed=seed, device=CPU, observer=recorder, checkpoint=checkpoint)


def assert_same_weights(first, second):
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)


OF_PIXELS = [name for name in ARCHITECTURES.names() if ARCHITECTURES.get(name).learns_from == PIXELS]
LIGHT = [name for name in OF_PIXELS if not ARCHITECTURES.get(name).heavy]  # test_paper_heavy has the others


@pytest.mark.parametrize("architecture", LIGHT)
def test_every_architecture_learns_what_is_easy(architecture, bright_or_dark, recorder):
    recipe = get_recipe("modern", architecture, epochs=6, batch_size=16, precision="float32", augmentation="flip")
    result = train(bright_or_dark, recorder(), dataclasses.replace(recipe, ema_decay=0.0), architecture=architecture)
    assert result.progress.best_accuracy > 0.8


def test_the_same_seed_gives_the_same_weights(bright_or_dark, recorder):
    first, second = (train(bright_or_dark, recorder()) for _ in range(2))
    assert_same_weights(first.weights, second.weights)


def test_another_seed_gives_other_weights(bright_or_dark, recorder):
    first, second = (train(bright_or_dark, recorder(), seed=seed) for seed in (0, 1))
    assert not torch.equal(first.weights["stem.0.weight"], second.weights["stem.0.weight"])


@pytest.mark.parametrize(
    "recipe",
    [
        RECIPE,
        dataclasses.replace(RECIPE, statistics_images=64),
        dataclasses.replace(RECIPE, optimizer="sgd", ema_decay=0.0, schedule="plateau", plateau_patience=1),
    ],
)
def test_a_resumed_training_equals_an_uninterrupted_one(recipe, bright_or_dark, recorder, tmp_path):
    whole = train(bright_or_dark, recorder(), recipe)
    stopped = recorder(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        train(bright_or_dark, stopped, recipe)
    torch.save(stopped.checkpoints[0], tmp_path / "checkpoint.pt")
    checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    resumed = train(bright_or_dark, recorder(), recipe, checkpoint)
    assert_same_weights(whole.weights, resumed.weights)
    losses = [[record["train_loss"] for record in result.history] for result in (whole, resumed)]
    assert losses[0] == losses[1]


def test_a_training_stopped_within_an_epoch_goes_on_with_its_next_batch(bright_or_dark, recorder, tmp_path):
    recipe = dataclasses.replace(RECIPE, augmentation="flip+rotate(10)")
    with_dropout = {"architecture": "two_block_cnn", "filters": 4, "dense": 16}
    whole = train(bright_or_dark, recorder(), recipe, **with_dropout)
    for batch in (1, 5, 6):
        stopped = recorder(stop_at_batch=batch)
        with pytest.raises(TrainingStopped, match="a test"):
            train(bright_or_dark, stopped, recipe, **with_dropout)
        torch.save(stopped.checkpoints[-1], tmp_path / "checkpoint.pt")
        rest = recorder()
        checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
        resumed = train(bright_or_dark, rest, recipe, checkpoint, **with_dropout)
        assert_same_weights(whole.weights, resumed.weights)
        assert [each["train_loss"] for each in whole.history] == [each["train_loss"] for each in resumed.history]
        assert rest.batches + batch == recipe.epochs * -(-len(bright_or_dark) // recipe.batch_size)


def test_a_training_stopped_at_an_epochs_last_batch_writes_down_the_same_learning_rate(bright_or_dark, recorder):
    whole, stopped, rest = recorder(), recorder(stop_at_batch=6), recorder()
    train(bright_or_dark, whole)
    with pytest.raises(TrainingStopped):
        train(bright_or_dark, stopped)
    train(bright_or_dark, rest, checkpoint=stopped.checkpoints[-1])
    rates = [[record["learning_rate"] for record in each.records] for each in (whole, rest)]
    assert rates[0] == rates[1]
    assert len(set(rates[0])) == RECIPE.epochs


def test_a_training_stopped_within_an_epoch_on_another_kind_of_device_goes_on_here(bright_or_dark, recorder):
    stopped = recorder(stop_at_batch=2)
    with pytest.raises(TrainingStopped):
        train(bright_or_dark, stopped)
    checkpoint, rest = stopped.checkpoints[-1], recorder()
    of_cuda = {"noise": torch.zeros(16, dtype=torch.uint8), "dropout": torch.zeros(16, dtype=torch.uint8)}
    train(bright_or_dark, rest, checkpoint={**checkpoint, "part": checkpoint["part"] | of_cuda})
    assert rest.batches + 2 == RECIPE.epochs * -(-len(bright_or_dark) // RECIPE.batch_size)


def test_statistics_measured_anew_are_those_of_prediction(bright_or_dark):
    torch.manual_seed(0)
    dropped = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(48 * 48, 4, bias=False), nn.BatchNorm1d(4))
    inputs = network_inputs(bright_or_dark.faces)
    dropped.train()
    for _ in range(200):
        dropped(inputs)
    norm, without = dropped[3], dropped.eval()[2](inputs.flatten(1)).var(0)
    assert (norm.running_var > 1.5 * without).any()
    measure_statistics(dropped, bright_or_dark, len(bright_or_dark))
    torch.testing.assert_close(norm.running_var, without)
    assert norm.momentum == 0.1
    assert not norm.training
    before = norm.running_var.clone()
    measure_statistics(dropped, bright_or_dark, 0)
    assert torch.equal(norm.running_var, before)


@pytest.mark.parametrize("images", [96, 66])
def test_statistics_are_as_good_where_the_images_are_no_multiple_of_a_batch(images, bright_or_dark, monkeypatch):
    monkeypatch.setattr("fer_core.training.passes.EVALUATION_BATCH", 32)
    norm = nn.BatchNorm2d(1)
    measure_statistics(norm, bright_or_dark, images)
    inputs = network_inputs(bright_or_dark.faces[torch.arange(images) * 96 // images])
    torch.testing.assert_close(norm.running_mean[0], inputs.mean())


def test_a_frozen_backbone_keeps_the_statistics_that_its_features_were_learnt_with(bright_or_dark):
    model = build("resnet18", classes=3, frozen="backbone")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items() if "running" in name}
    measure_statistics(model, bright_or_dark, 32)
    assert before
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in before.items())


def test_statistics_are_of_faces_from_the_whole_set_however_it_is_sorted():
    faces = (2 * torch.arange(90)).to(torch.uint8)[:, None, None, None].expand(90, 1, 4, 4).contiguous()
    data, norm = TrainingSet(faces, torch.zeros(90, dtype=torch.long), 7), nn.BatchNorm2d(1)
    measure_statistics(norm, data, 60)
    mean = network_inputs(faces).mean()
    torch.testing.assert_close(norm.running_mean, mean[None], atol=0.01, rtol=0)


def test_the_returned_weights_are_those_of_the_best_validation_epoch(bright_or_dark, recorder):
    watcher = recorder()
    result = train(bright_or_dark, watcher)
    best = max(watcher.records, key=lambda r: (r["valid_accuracy"], -r["valid_loss"]))
    assert result.progress.best_epoch == best["epoch"]
    model = build("mini_xception", classes=3)
    model.load_state_dict(result.weights)
    assert evaluate(model, bright_or_dark) == pytest.approx((best["valid_loss"], best["valid_accuracy"]), rel=1e-5)


def test_a_loss_that_is_not_a_number_ends_the_training_with_the_reason(bright_or_dark, recorder):
    with pytest.raises(TrainingDiverged, match="lower learning rate than 100"):
        train(bright_or_dark, recorder(), dataclasses.replace(RECIPE, optimizer="sgd", learning_rate=100.0, l2=10.0))


def test_early_stopping_ends_after_patience_epochs_without_progress(bright_or_dark, recorder):
    recipe = dataclasses.replace(
        RECIPE, epochs=30, patience=2, learning_rate=1e-9, schedule="constant", ema_decay=0.0, l2=0.0
    )
    watcher = recorder()
    frozen = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 3))
    frozen[1].weight.requires_grad_(False)
    nn.init.zeros_(frozen[1].bias)
    result = fit(frozen, bright_or_dark, bright_or_dark, recipe, seed=0, device=CPU, observer=watcher)
    assert result.epochs_run < 30


def test_l2_adds_the_gradient_of_the_squared_weights(bright_or_dark, recorder):
    recipe = Recipe(
        name="t", epochs=1, batch_size=96, optimizer="sgd", learning_rate=0.1, momentum=0.0, l2=0.5, precision="float32"
    )
    plain = dataclasses.replace(recipe, l2=0.0)
    torch.manual_seed(0)
    start = build("linear", classes=3).state_dict()["1.weight"].clone()
    with_l2, without = (
        train(bright_or_dark, recorder(), r, architecture="linear").weights["1.weight"] for r in (recipe, plain)
    )
    torch.testing.assert_close(without - with_l2, 0.1 * 2 * 0.5 * start)


def test_balanced_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_class_weight

    labels = torch.tensor([0, 0, 0, 1, 2, 2])
    data = TrainingSet(torch.zeros(6, 1, 2, 2, dtype=torch.uint8), labels, 3)
    expected = compute_class_weight("balanced", classes=labels.unique().numpy(), y=labels.numpy())
    assert balanced_weights(data).tolist() == pytest.approx(expected.tolist())


def test_a_last_batch_of_one_image_is_left_out(bright_or_dark, recorder):
    odd = TrainingSet(bright_or_dark.faces[:33], bright_or_dark.labels[:33], 3)
    watcher = recorder()
    train(odd, watcher, dataclasses.replace(RECIPE, epochs=1))
    assert watcher.batches == 2


def test_the_average_forgets_its_start_quickly():
    model = nn.BatchNorm2d(1)
    average = WarmedUpAverage(model, 0.999)
    average.update_parameters(model)
    model.running_var.fill_(0.01)
    for _ in range(200):
        average.update_parameters(model)
    assert average.module.running_var.item() < 0.02


def test_the_average_has_the_first_weights_and_moves_by_its_decay_once_it_is_warm():
    model = nn.Linear(1, 1)
    model.weight.data.fill_(2.0)
    average = WarmedUpAverage(model, 0.3)  # as warm after four averages: 4 / 13 > 0.3
    for _ in range(5):
        average.update_parameters(model)
    assert average.module.weight.item() == 2.0
    model.weight.data.fill_(4.0)
    average.update_parameters(model)
    assert average.module.weight.item() == pytest.approx(0.3 * 2 + 0.7 * 4)
    assert model.weight.item() == 4.0


def test_scaling_is_the_one_of_every_pipeline():
    from fer_core.preprocessing import Pipeline

    faces = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    torch.testing.assert_close(network_inputs(faces), Pipeline.parse("raw")(faces), rtol=0, atol=0)


def test_an_empty_validation_set_has_no_accuracy(bright_or_dark):
    empty = TrainingSet(bright_or_dark.faces[:0], bright_or_dark.labels[:0], 3)
    assert all(math.isnan(value) for value in evaluate(build("linear", classes=3), empty))
