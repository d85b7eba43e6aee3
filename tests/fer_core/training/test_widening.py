"""A wider network that starts as a narrower one ends."""

import dataclasses

import pytest
import torch
from torch import nn

from fer_core.architectures import build
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.runs import RunStore
from fer_core.training import get_recipe
from fer_core.training.start import initial_model
from fer_core.training.widening import can_widen, widen

FACES = torch.randn(5, 1, 48, 48, generator=torch.Generator().manual_seed(3))
GRAY = torch.zeros(1, 1, 48, 48, dtype=torch.uint8)
SPEC = RunSpec("se_resnet", "raw", "synthetic", "official", get_recipe("modern", "se_resnet", epochs=1))


def trained(model: nn.Module) -> nn.Module:
    """The same network after two steps on noise: its running statistics and its biases are no longer the first ones."""
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    for seed in range(2):
        faces = torch.randn(16, 1, 48, 48, generator=torch.Generator().manual_seed(seed))
        nn.functional.cross_entropy(model(faces), torch.arange(16) % 7).backward()
        optimizer.step()
    return model.eval()


@pytest.mark.parametrize("width", [0.65, 1.0, 1.3])
def test_a_wider_network_answers_as_the_narrow_one(width):
    torch.manual_seed(0)
    narrow, wide = trained(build("se_resnet", width=0.5)), build("se_resnet", width=width).eval()
    assert can_widen(narrow.state_dict(), wide.state_dict())
    wide.load_state_dict(widen(narrow.state_dict(), wide.state_dict()))
    torch.testing.assert_close(wide(FACES), narrow(FACES), rtol=1e-3, atol=1e-4)


def test_a_dense_layer_reads_whole_maps_of_a_wider_convolution():
    def net(maps: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, maps, 3), nn.ReLU(), nn.Flatten(), nn.Linear(maps * 46 * 46, 7))

    narrow, wide = net(3), net(5)
    assert can_widen(narrow.state_dict(), wide.state_dict())
    wide.load_state_dict(widen(narrow.state_dict(), wide.state_dict()))
    torch.testing.assert_close(wide(FACES), narrow(FACES), rtol=1e-3, atol=1e-4)


def test_training_tells_the_copies_apart():
    torch.manual_seed(0)
    narrow, wide = trained(build("se_resnet", width=0.5, dropout=0.0)), build("se_resnet", width=1.0, dropout=0.0)
    wide.load_state_dict(widen(narrow.state_dict(), wide.state_dict()))
    first, kept = wide[0].weight, len(narrow[0].weight)
    copies = len(first) - kept
    assert 0 < copies < kept
    assert torch.equal(first[:copies], first[kept:])
    trained(wide)
    assert not torch.allclose(first[:copies], first[kept:], rtol=1e-2, atol=1e-4)


def test_what_is_narrower_or_reads_other_faces_is_no_wider_network():
    def states(**changes: object) -> dict[str, torch.Tensor]:
        return build("se_resnet", **{"width": 0.5, **changes}).state_dict()

    assert can_widen(states(), states(width=1.0))
    assert not can_widen(states(), states(width=0.25))
    assert not can_widen(states(), states(width=1.0, channels=3))
    assert not can_widen(states(classes=2), states(width=1.0))
    assert not can_widen(states(), build("mini_xception").state_dict())
    # more pixels give the dense layers more inputs, and no layer more outputs
    assert not can_widen(build("shallow_cnn", size=48).state_dict(), build("shallow_cnn", size=64).state_dict())


def test_only_outputs_of_an_earlier_layer_give_a_later_one_more_inputs():
    narrow = {"a": torch.zeros(4, 1), "b": torch.zeros(4, 4), "c": torch.zeros(7, 4)}
    assert can_widen(narrow, {"a": torch.zeros(6, 1), "b": torch.zeros(6, 6), "c": torch.zeros(7, 6)})
    assert not can_widen(narrow, {"a": torch.zeros(4, 1), "b": torch.zeros(6, 6), "c": torch.zeros(7, 6)})


def test_what_shapes_allow_but_answers_otherwise_is_refused(tmp_path):
    store = RunStore(tmp_path)
    spec = RunSpec("lpq_phog_mlp", "raw", "table", "kfold2", get_recipe("modern", "lpq_phog_mlp", epochs=1))
    run = store.create(spec)
    run.save_weights(build("lpq_phog_mlp").state_dict())
    wider = dataclasses.replace(spec, architecture_arguments={"components": 10}, init_from=run.id)
    with pytest.raises(FerError, match="a wider lpq_phog_mlp does not answer as the narrower one"):
        initial_model(wider, GRAY, store)


def test_a_run_is_started_from_a_narrower_one(tmp_path):
    store = RunStore(tmp_path)
    torch.manual_seed(0)
    run = store.create(dataclasses.replace(SPEC, architecture_arguments={"width": 0.5}))
    narrow = trained(build("se_resnet", width=0.5))
    run.save_weights(narrow.state_dict())
    narrow.load_state_dict(run.weights())  # as they are kept
    spec = dataclasses.replace(SPEC, architecture_arguments={"width": 0.8}, init_from=run.id)
    wide = initial_model(spec, GRAY, store).eval()
    torch.testing.assert_close(wide(FACES), narrow(FACES), rtol=1e-3, atol=1e-4)
    for other in ({"architecture_arguments": {"width": 0.3}}, {"emotions": ("sad", "happy")}):
        with pytest.raises(FerError, match="a wider network must tell the same emotions apart"):
            initial_model(dataclasses.replace(spec, **other), GRAY, store)
