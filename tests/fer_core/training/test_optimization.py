import dataclasses

import pytest
import torch

from fer_core.architectures import ARCHITECTURES, build
from fer_core.config import ConfigError, Recipe
from fer_core.devices import resolve_device, resolve_precision
from fer_core.errors import FerError
from fer_core.training import RECIPES, get_recipe
from fer_core.training.optimization import Progress, learning_rate, make_optimizer, on_this_device
from fer_core.training.state import TrainingState

RECIPE = Recipe(name="t", epochs=20, batch_size=8, optimizer="adamw", learning_rate=0.1, weight_decay=0.3)


def schedule(kind, **changes):
    recipe = dataclasses.replace(RECIPE, schedule=kind, **changes)
    return [learning_rate(recipe, epoch / 10) for epoch in range(201)]


def test_one_cycle_rises_for_a_quarter_and_ends_at_nothing():
    rates = schedule("one_cycle")
    assert rates[0] == pytest.approx(0.1 / 25)
    assert max(rates) == pytest.approx(0.1)
    assert rates.index(max(rates)) == 50
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_warm_up_is_linear_and_the_rest_a_cosine():
    rates = schedule("warmup_cosine", warmup_epochs=4)
    assert rates[20] == pytest.approx(0.05)
    assert rates[40] == pytest.approx(0.1)
    assert rates[120] == pytest.approx(0.05)


def test_a_constant_rate_stays():
    assert set(schedule("constant")) == {0.1}


def test_a_plateau_divides_the_rate_by_ten_after_its_patience():
    recipe = dataclasses.replace(RECIPE, schedule="plateau", plateau_patience=2)
    progress = Progress()
    for epoch, loss in enumerate([1.0, 0.9, 0.95, 0.94, 0.96, 0.97], start=1):
        progress = progress.after(epoch, 0.5, loss, recipe)
    assert progress.reductions == 2
    assert learning_rate(recipe, 6, progress.reductions) == pytest.approx(0.001)


def test_a_plateau_without_patience_spares_the_rate_as_long_as_the_loss_falls():
    recipe = dataclasses.replace(RECIPE, schedule="plateau", plateau_patience=0)
    progress = Progress()
    for epoch, loss in enumerate([5.0, 4.0, 3.0, 3.0], start=1):
        progress = progress.after(epoch, 0.5, loss, recipe)
    assert progress.reductions == 1


def test_one_image_has_no_variance_to_measure():
    with pytest.raises(ConfigError, match="statistics_images must be 0 or at least 2"):
        dataclasses.replace(RECIPE, statistics_images=1)


def test_the_best_epoch_is_the_most_accurate_and_then_the_one_with_the_lower_loss():
    progress = Progress()
    for epoch, (accuracy, loss) in enumerate([(0.5, 1.0), (0.6, 1.2), (0.6, 1.1), (0.4, 0.9)], start=1):
        progress = progress.after(epoch, accuracy, loss, RECIPE)
    assert progress.best_epoch == 3


def test_weight_decay_spares_vectors():
    decayed, spared = make_optimizer(build("mini_xception"), RECIPE).param_groups
    assert decayed["weight_decay"] == 0.3
    assert spared["weight_decay"] == 0.0
    assert all(p.ndim == 1 for p in spared["params"])


@pytest.mark.parametrize("name", RECIPES.names())
@pytest.mark.parametrize("architecture", ARCHITECTURES.names())
def test_every_recipe_fits_every_architecture(name, architecture):
    assert get_recipe(name, architecture).name == name


def test_a_recipe_can_be_changed_in_single_values():
    recipe = get_recipe("paper", "mini_xception", epochs=2, learning_rate=None)
    assert (recipe.epochs, recipe.learning_rate) == (2, 1e-3)


def test_an_unknown_hyperparameter_says_what_there_is():
    with pytest.raises(ConfigError, match=r"unknown hyperparameter 'dropout'; choose from augmentation(?!.* name,)"):
        get_recipe("modern", "linear", dropout=0.5)


def test_an_unknown_or_absent_device_says_what_there_is():
    with pytest.raises(FerError, match="choose from auto, cuda, mps, cpu"):
        resolve_device("tpu")
    with pytest.raises(FerError, match="is not on this machine; choose from"):
        resolve_device("cuda:99")


def test_full_precision_is_full_precision_everywhere():
    assert resolve_precision("float32", torch.device("cpu")) == torch.float32
    assert resolve_precision("bfloat16", torch.device("cpu")) == torch.bfloat16


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": True}, torch.float32),
        ({"avx512_bf16": True, "cpu_name": "Intel(R) Xeon(R) Processor"}, torch.float32),
        ({"avx512_bf16": True, "cpu_name": "AMD EPYC"}, torch.bfloat16),
        ({"avx512_bf16": False, "cpu_name": "AMD EPYC"}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_automatic_precision_is_bfloat16_only_where_that_is_faster(capabilities, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert resolve_precision("auto", torch.device("cpu")) == expected


@pytest.mark.parametrize("kind", ["adamw", "adam", "sgd"])
def test_an_optimisers_state_goes_on_under_the_options_of_this_device(kind):
    recipe, weight = dataclasses.replace(RECIPE, optimizer=kind, momentum=0.9), torch.tensor([[1.0, -2.0]])

    def stepped(optimizer, model, times):
        for _ in range(times):
            model.weight.grad = model.weight.detach() * 0.5
            optimizer.step()
        return optimizer

    def linear():
        model = torch.nn.Linear(2, 1, bias=False)
        model.weight.data = weight.clone()
        return model

    whole, first, second = linear(), linear(), linear()
    stepped(make_optimizer(whole, recipe), whole, 4)
    saved = stepped(make_optimizer(first, recipe), first, 2).state_dict()
    for group in saved["param_groups"]:
        group["fused"] = None  # as on a device without fused kernels, or a version before them
    second.load_state_dict(first.state_dict())
    optimizer = make_optimizer(second, recipe)
    optimizer.load_state_dict(on_this_device(saved, optimizer))
    assert all(group["fused"] for group in optimizer.param_groups)
    stepped(optimizer, second, 2)
    torch.testing.assert_close(second.weight, whole.weight)


def test_a_learning_rate_on_the_device_changes_in_its_place(bright_or_dark):
    state = TrainingState.create(build("linear", classes=3), RECIPE, bright_or_dark, torch.device("cpu"))
    rate = torch.tensor(0.5)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.set_learning_rate(0.0)
    assert rate.item() == pytest.approx(learning_rate(state.recipe, 0.0))
    assert state.current_learning_rate == rate.item()
