"""Batch normalisation with folded gradients: PyTorch's own in its results."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from fer_core.architectures import build, normalization
from fer_core.architectures.normalization import BatchNorm2d, folded_gradients


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each gradient had that went the folded way."""
    seen: list[int] = []

    def watched(gradient: torch.Tensor, *others: torch.Tensor) -> tuple[torch.Tensor, ...]:
        seen.append(len(gradient))
        return folded_gradients(gradient, *others)

    monkeypatch.setattr(normalization, "folded_gradients", watched)
    return seen


def step(layer: nn.Module, maps: torch.Tensor) -> list[torch.Tensor]:
    """What a layer gives, the gradients of its maps, weight and bias, and its statistics after it."""
    maps = maps.clone(memory_format=torch.preserve_format).requires_grad_()
    out = layer(maps)
    (out.float() * torch.linspace(-1, 2, out.numel()).view(out.shape)).sum().backward()
    assert maps.grad is not None
    gradients = [each.grad for each in layer.parameters() if each.grad is not None]
    return [out.detach(), maps.grad, *gradients, *layer.buffers()]


def pair(channels: int) -> tuple[nn.Module, nn.Module]:
    """Ours and PyTorch's layer, with the same uneven weights."""
    ours = BatchNorm2d(channels)
    nn.init.uniform_(ours.weight, 0.5, 2)
    nn.init.uniform_(ours.bias, -1, 1)
    theirs = nn.BatchNorm2d(channels)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize(("channels", "batch", "side"), [(8, 4, 12), (24, 3, 6), (1, 2, 5), (8, 1, 2), (56, 6, 3)])
def test_output_gradients_and_statistics_are_those_of_pytorch(channels, batch, side, folded) -> None:
    torch.manual_seed(0)
    ours, theirs = pair(channels)
    for _ in range(2):  # the statistics move twice
        maps = torch.randn(batch, channels, side, side) * 3 + 1
        maps = maps.contiguous(memory_format=torch.channels_last)
        for found, expected in zip(step(ours, maps), step(theirs, maps), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert folded == [batch, batch]


def test_maps_of_half_precision_have_gradients_of_half_precision(folded) -> None:
    torch.manual_seed(0)
    ours, theirs = pair(8)
    maps = torch.randn(4, 8, 6, 6).contiguous(memory_format=torch.channels_last).bfloat16()
    for found, expected in zip(step(ours, maps), step(theirs, maps), strict=True):
        assert found.dtype == expected.dtype
        torch.testing.assert_close(found.float(), expected.float(), rtol=0.02, atol=0.02)
    assert folded == [4]


def test_the_gradient_is_that_of_the_formula() -> None:
    torch.manual_seed(0)
    maps, weight = torch.randn(2, 8, 3, 4, dtype=torch.double), torch.rand(8, dtype=torch.double)
    back = torch.randn_like(maps)
    leaves = [maps.requires_grad_(), weight.requires_grad_(), torch.zeros(8, dtype=torch.double, requires_grad=True)]
    mean, inverse = maps.mean((0, 2, 3)), maps.var((0, 2, 3), correction=0).rsqrt()
    normalised = (maps - mean[:, None, None]) * inverse[:, None, None]
    (normalised * weight[:, None, None] + leaves[2][:, None, None]).backward(back)
    seen = maps.detach().contiguous(memory_format=torch.channels_last)
    found = folded_gradients(back, seen, weight.detach(), mean.detach(), inverse.detach())
    for each, leaf in zip(found, leaves, strict=True):
        torch.testing.assert_close(each, leaf.grad)


@pytest.mark.parametrize("reason", ["evaluating", "no gradient", "whole cache lines", "layout", "odd pixels", "thread"])
def test_elsewhere_it_is_pytorch_s_own(reason, folded) -> None:
    ours, theirs = pair(16 if reason == "whole cache lines" else 8)
    side = 3 if reason == "odd pixels" else 4
    maps = torch.randn(1, ours.num_features, side, side)
    if reason != "layout":
        maps = maps.contiguous(memory_format=torch.channels_last)
    if reason == "thread":
        torch.set_num_threads(1)
    if reason == "evaluating":
        ours.eval()
        theirs.eval()
    with torch.set_grad_enabled(reason != "no gradient"):
        assert torch.equal(ours(maps), theirs(maps))
    if reason != "no gradient":
        step(ours, maps)
    assert folded == []


@pytest.mark.parametrize("architecture", ["mini_xception", "se_resnet"])
def test_every_layer_with_few_channels_of_the_small_networks_uses_it(architecture, folded) -> None:
    model = build(architecture).to(memory_format=torch.channels_last).train()
    layers = [each for each in model.modules() if isinstance(each, nn.BatchNorm2d) and each.num_features % 16]
    faces = torch.randn(2, 1, 48, 48).contiguous(memory_format=torch.channels_last)
    model(faces).sum().backward()
    assert folded == [2] * len(layers) != []
