import pytest
import torch
from torchvision.ops import StochasticDepth

from fer_core.architectures import build
from fer_core.config import ConfigError


def skipped(model):
    return [layer.p for layer in model.modules() if isinstance(layer, StochasticDepth)]


def test_later_blocks_are_skipped_more_often():
    assert skipped(build("se_resnet", stochastic_depth=0.35)) == pytest.approx([0.05 * step for step in range(1, 8)])
    assert not skipped(build("se_resnet"))


def test_blocks_are_skipped_while_training_alone_and_the_weights_have_the_same_names():
    model, plain = build("se_resnet", stochastic_depth=0.5, dropout=0.0), build("se_resnet", dropout=0.0)
    plain.load_state_dict(model.state_dict())
    faces = torch.randn(4, 1, 48, 48)
    model.eval(), plain.eval()
    torch.testing.assert_close(model(faces), plain(faces))
    for layer in [*model.modules(), *plain.modules()]:
        layer.training = isinstance(layer, StochasticDepth)
    torch.manual_seed(0)
    assert not torch.allclose(model(faces), plain(faces))


def test_an_impossible_probability_is_refused():
    with pytest.raises(ConfigError, match="stochastic_depth"):
        build("se_resnet", stochastic_depth=1.0)
