import pytest
import torch
from torch import nn

from fer_core.training.sharpness import highest_nearby


def with_gradients():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    model[0].bias.requires_grad_(False)
    model(torch.randn(8, 4)).square().sum().backward()
    return model


def copies(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_weights_are_moved_by_the_radius_along_the_gradient_and_come_back_exactly():
    model = with_gradients()
    before = copies(model)
    gradients = {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}
    with highest_nearby(model, 0.05):
        moved = {name: each.detach() - before[name] for name, each in model.named_parameters()}
    length = torch.cat([each.flatten() for each in moved.values()]).norm()
    assert length.item() == pytest.approx(0.05, rel=1e-4)
    whole = torch.cat([each.flatten() for each in gradients.values()]).norm()
    for name, gradient in gradients.items():
        torch.testing.assert_close(moved[name], 0.05 * gradient / whole, rtol=1e-3, atol=1e-6)
    assert not moved["0.bias"].any()
    torch.testing.assert_close(copies(model), before, rtol=0, atol=0)


def test_the_loss_is_higher_there():
    model = with_gradients().eval()
    data = torch.randn(64, 4)
    model.zero_grad()
    here = model(data).square().sum()
    here.backward()
    with highest_nearby(model, 0.01):
        assert model(data).square().sum() > here


def test_running_statistics_stay_those_of_the_weights_even_after_an_error():
    model = with_gradients()
    before = copies(model)
    with pytest.raises(RuntimeError, match="shapes"), highest_nearby(model, 0.5):
        model(torch.cat([model(torch.randn(8, 4) + 5), torch.zeros(8, 5)], dim=1))
    after = copies(model)
    for name in ("1.running_mean", "1.running_var", "0.weight"):
        assert torch.equal(after[name], before[name])
    assert model[1].momentum == 0.1
