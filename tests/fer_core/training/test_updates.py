"""Updates that are recorded, on a CUDA device and, by a recorder that runs them again, on any."""

import dataclasses
import logging

import pytest
import torch
from torch.nn import functional as F  # noqa: N812
from torch.utils._python_dispatch import TorchDispatchMode

from fer_core.architectures import ARCHITECTURES, PIXELS, build
from fer_core.augmentation import AUGMENTATIONS
from fer_core.config import Recipe
from fer_core.errors import FerError
from fer_core.preprocessing import scale_to_symmetric
from fer_core.training import TrainingSet, fit, get_recipe
from fer_core.training.mixing import mixed
from fer_core.training.state import TrainingState
from fer_core.training.updates import LAUNCHED_FIRST, Updates, _inputs, classification_loss, still_draws, train_step

CPU = torch.device("cpu")
RECIPE = Recipe(
    name="test", epochs=2, batch_size=20, optimizer="adamw", learning_rate=2e-3, schedule="one_cycle",
    ema_decay=0.9, label_smoothing=0.1, l2=1e-4, gradient_clip=1.0, augmentation="flip+rotate(5)+cutout(8)",
    precision="float32",
)  # fmt: skip
CHANGES = {
    "adamw": {}, "adam": {"optimizer": "adam"}, "sgd": {"optimizer": "sgd", "momentum": 0.9},
    "mixed": {"mixup": 0.2, "cutmix": 1.0}, "sharpness": {"sam_radius": 0.05},
    "balanced": {"class_weights": "balanced"},
}  # fmt: skip
WAITING = {"aten::masked_select", "aten::nonzero", "aten::item", "aten::_local_scalar_dense"}
OF_PIXELS = [name for name in ARCHITECTURES.names() if ARCHITECTURES.get(name).learns_from == PIXELS]
LIGHT = [name for name in OF_PIXELS if not ARCHITECTURES.get(name).heavy]


class PlaysAgain:
    """A recorder that runs the recorded update itself, from the same tensors."""

    def __init__(self):
        self.launched = self.recorded = self.replayed = 0

    def launch(self, update):
        self.launched += 1
        return update()

    def record(self, update):
        self.recorded += 1

        def replay():
            self.replayed += 1
            return update()

        return replay


class Refuses(PlaysAgain):
    def record(self, update):
        raise RuntimeError("operation not permitted when stream is capturing")


class AsksTheHost(TorchDispatchMode):
    """Notes the operations that wait for a device's value, or bring it one of the host's."""

    KINDS = ("_local_scalar_dense", "lift_fresh", "nonzero", "masked_select", "equal", "unique", "is_nonzero")

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        by_mask = name.startswith("index") and any(each is not None and each.dtype == torch.bool for each in args[1])
        if name in self.KINDS or by_mask:
            self.seen.add(name)
        return function(*args, **(kwargs or {}))


def state_of(recipe, data, architecture="mini_xception"):
    torch.manual_seed(0)
    return TrainingState.create(build(architecture, classes=data.classes), recipe, data, CPU)


def trained(recorder, data, recipe):
    """Weights, their average and the outcomes after two passes over `data` in batches."""
    state = state_of(recipe, data)
    update = Updates(state, data, torch.Generator().manual_seed(1), recorder)
    state.model.train()
    outcomes = []
    for position, batch in enumerate(torch.arange(len(data)).split(recipe.batch_size) * 2):
        state.set_learning_rate(position / 10)
        outcomes += [each.clone() for each in update(batch)]
    return [*state.model.state_dict().values(), *state.average.module.state_dict().values(), *outcomes]


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_recorded_updates_give_what_launched_ones_give(changes, bright_or_dark):
    recipe, again = dataclasses.replace(RECIPE, **changes), PlaysAgain()
    launched = trained(None, bright_or_dark, recipe)
    recorded = trained(again, bright_or_dark, recipe)
    torch.testing.assert_close(recorded, launched, rtol=0, atol=0)
    full, rest = divmod(len(bright_or_dark), recipe.batch_size)
    assert rest, "the batch that is left at the end is part of the test"
    assert (again.launched, again.recorded, again.replayed) == (LAUNCHED_FIRST, 1, 2 * full - LAUNCHED_FIRST)


def test_the_closing_epochs_see_faces_that_are_mirrored_at_most(bright_or_dark):
    recipe = dataclasses.replace(RECIPE, epochs=3, closing_epochs=1, mixup=0.2, augmentation="flip(1)+rotate(20)+noise")
    state, faces = state_of(recipe, bright_or_dark), bright_or_dark.faces[:8]
    mirrored = scale_to_symmetric(faces).flip(-1)
    for state.epoch in (0, 1):
        inputs, share = _inputs(state, faces, torch.Generator().manual_seed(0))
        assert share is not None
        assert not torch.allclose(inputs, mirrored, atol=0.1)
    state.epoch = 2
    inputs, share = _inputs(state, faces, torch.Generator().manual_seed(0))
    assert share is None
    torch.testing.assert_close(inputs, mirrored, rtol=0, atol=0)


def test_the_closing_epochs_have_a_recording_of_their_own(bright_or_dark):
    recipe = dataclasses.replace(RECIPE, epochs=2, closing_epochs=1, batch_size=10)
    results = []
    for recorder in (None, PlaysAgain()):
        state = state_of(recipe, bright_or_dark)
        update = Updates(state, bright_or_dark, torch.Generator().manual_seed(1), recorder)
        for state.epoch in (0, 1):
            for batch in torch.arange(len(bright_or_dark)).split(recipe.batch_size):
                update(batch)
        results.append(list(state.model.state_dict().values()))
    torch.testing.assert_close(*results, rtol=0, atol=0)
    assert (recorder.recorded, recorder.launched) == (2, 2 * LAUNCHED_FIRST)


def test_what_cannot_be_recorded_is_launched_and_said(bright_or_dark, caplog):
    refuses = Refuses()
    with caplog.at_level(logging.WARNING):
        weights = trained(refuses, bright_or_dark, RECIPE)
    torch.testing.assert_close(weights, trained(None, bright_or_dark, RECIPE), rtol=0, atol=0)
    assert [record.getMessage() for record in caplog.records] == [
        "this training's updates cannot be recorded as a CUDA graph "
        "(operation not permitted when stream is capturing); each is launched, as FER_CUDA_GRAPHS=0 does at once"
    ]


def test_where_a_failed_recording_spoils_the_random_numbers_the_training_ends_with_a_way_out(
    bright_or_dark, monkeypatch
):
    monkeypatch.setattr("fer_core.training.updates.still_draws", lambda noise: False)
    with pytest.raises(FerError, match="resume it with FER_CUDA_GRAPHS=0"):
        trained(Refuses(), bright_or_dark, RECIPE)


def test_whether_a_generator_draws_is_asked_without_a_trace():
    noise = torch.Generator().manual_seed(3)
    before = noise.get_state()
    assert still_draws(noise)
    assert torch.equal(noise.get_state(), before)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.0, 3.0])])
def test_the_loss_is_cross_entropy_and_picks_nothing_by_a_mask(weights, smoothing):
    """By the profiler: a dispatch mode makes F.cross_entropy choose another way, which a device never takes."""
    labels = torch.tensor([0, 2, 2, 1, 0, 2, 1])
    shares = torch.eye(3)[labels] * 0.7 + 0.1
    for target in (labels, shares):
        logits = torch.randn(7, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
        expected = F.cross_entropy(logits, target, weights, label_smoothing=smoothing)
        expected.backward()
        gradient, logits.grad = logits.grad, None
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            loss = classification_loss(logits, target, weights, smoothing)
            loss.backward()
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(logits.grad, gradient)
        assert not {event.key for event in profile.key_averages()} & WAITING


def asks_of(recipe, data, architecture):
    state = state_of(recipe, data, architecture)
    state.model.train()
    rows, noise = torch.arange(4), torch.Generator().manual_seed(0)
    train_step(state, data, rows, noise)
    with AsksTheHost() as asks:
        train_step(state, data, rows, noise)
    return asks.seen


@pytest.mark.parametrize("architecture", LIGHT)
def test_no_architecture_makes_an_update_wait_for_the_device(architecture, bright_or_dark):
    taught = TrainingSet(*dataclasses.astuple(bright_or_dark)[:3], torch.full((96, 3), 1 / 3))
    recipe = dataclasses.replace(get_recipe("modern", architecture), l2=1e-3, teacher_weight=0.5)
    assert not asks_of(recipe, taught, architecture)


@pytest.mark.parametrize("step", AUGMENTATIONS.names())
def test_no_augmentation_makes_an_update_wait_for_the_device(step, bright_or_dark):
    recipe = dataclasses.replace(RECIPE, augmentation=step, class_weights="balanced")
    assert not asks_of(recipe, bright_or_dark, "linear")


def test_neither_mixing_nor_sharpness_makes_an_update_wait_for_the_device(bright_or_dark):
    recipe = dataclasses.replace(RECIPE, mixup=0.2, cutmix=1.0, sam_radius=0.05, class_weights="balanced")
    assert not asks_of(recipe, bright_or_dark, "mini_xception")


def test_an_update_learns_the_mixture_of_labels_and_of_what_a_teacher_says(bright_or_dark):
    """Of a linear net the gradient of the bias is the mean of what is said less what is to be said."""
    said = torch.eye(3)[(bright_or_dark.labels + 1) % 3]
    taught = dataclasses.replace(bright_or_dark, taught=said)
    recipe = dataclasses.replace(
        RECIPE, mixup=1.0, augmentation="", label_smoothing=0.0, l2=0.0, gradient_clip=0.0, teacher_temperature=1.0
    )
    rows = torch.arange(20)
    for data, of_teacher in ((bright_or_dark, 0.0), (taught, 0.3)):
        state = state_of(dataclasses.replace(recipe, teacher_weight=of_teacher), data, "linear")
        faces, share = state.mixing(scale_to_symmetric(data.faces[rows]), torch.Generator().manual_seed(3))
        given = torch.eye(3)[data.labels[rows]]
        targets = (1 - of_teacher) * mixed(given, share) + of_teacher * mixed(said[rows], share)
        expected = (state.model(faces).softmax(1) - targets).mean(0).detach()
        train_step(state, data, rows, torch.Generator().manual_seed(3))
        bias = [each for each in state.model.parameters() if each.shape == (3,)][-1]
        torch.testing.assert_close(bias.grad, expected, rtol=1e-4, atol=1e-6)


def test_sharpness_updates_by_the_gradient_at_the_higher_place(bright_or_dark):
    recipe = dataclasses.replace(RECIPE, augmentation="", sam_radius=0.1, l2=0.0, gradient_clip=0.0)
    without = dataclasses.replace(recipe, sam_radius=0.0)
    state, plain = state_of(recipe, bright_or_dark, "linear"), state_of(without, bright_or_dark, "linear")
    rows = torch.arange(20)
    for each in (state, plain):
        train_step(each, bright_or_dark, rows, torch.Generator().manual_seed(0))
    here = {name: each.grad for name, each in plain.model.named_parameters()}
    plain = state_of(without, bright_or_dark, "linear")
    length = torch.cat([each.flatten() for each in here.values()]).norm()
    with torch.no_grad():
        for name, each in plain.model.named_parameters():
            each += 0.1 * here[name] / length
    train_step(plain, bright_or_dark, rows, torch.Generator().manual_seed(0))
    for (_, one), (_, other) in zip(state.model.named_parameters(), plain.model.named_parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_an_update_that_waits_for_the_device_is_noticed(bright_or_dark):
    with AsksTheHost() as asks:
        bright_or_dark.labels.sum().item()
        bright_or_dark.labels[bright_or_dark.labels > 1]
        torch.tensor([1.0])
    assert asks.seen == {"_local_scalar_dense", "index", "lift_fresh"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    ("architecture", "changes"),
    [*((name, {}) for name in LIGHT), *(("mini_xception", changes) for changes in CHANGES.values())],
)
def test_a_cuda_graph_trains_what_launches_train(architecture, changes, bright_or_dark, recorder, monkeypatch, caplog):
    device = torch.device("cuda")
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    data = TrainingSet(bright_or_dark.faces.to(device), bright_or_dark.labels.to(device), bright_or_dark.classes)
    recipe = get_recipe("modern", architecture, epochs=3, batch_size=20, closing_epochs=1, gradient_clip=1.0)
    recipe = dataclasses.replace(recipe, **{"precision": "float32", **changes})

    def weights():
        torch.manual_seed(0)
        model = build(architecture, classes=3)
        return fit(model, data, data, recipe, seed=0, device=device, observer=recorder()).weights

    recorded = weights()
    assert not caplog.records, "it was recorded"
    monkeypatch.setenv("FER_CUDA_GRAPHS", "0")
    torch.testing.assert_close(recorded, weights(), rtol=1e-3, atol=1e-3)
