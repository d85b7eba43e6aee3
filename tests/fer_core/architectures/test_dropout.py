"""Dropout: what `nn.Dropout` promises, on a CPU."""

import pytest
import torch
from torch import nn

from fer_core.architectures.dropout import Dropout, keep_factors


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_drops_the_stated_share_and_keeps_the_mean(p: float, dtype: torch.dtype) -> None:
    factors = keep_factors(torch.ones(200, 1000, dtype=dtype), p)
    assert (factors == 0).float().mean() == pytest.approx(p, abs=0.005)
    assert factors[factors != 0].float().unique().tolist() == pytest.approx([1 / (1 - p)], rel=0.005)


def test_neighbours_are_dropped_independently() -> None:
    dropped = (keep_factors(torch.ones(400_000), 0.5) == 0).double()
    for distance in (1, 2, 3, 4, 8):
        assert torch.corrcoef(torch.stack([dropped[:-distance], dropped[distance:]]))[0, 1].abs() < 0.01


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_gradient_and_memory_layout_follow_the_input(memory_format: torch.memory_format) -> None:
    faces = torch.rand(4, 3, 5, 6).add(1).to(memory_format=memory_format).requires_grad_()
    dropped = Dropout(0.25)(faces)
    dropped.sum().backward()
    assert dropped.stride() == faces.stride()
    assert torch.allclose(dropped, faces * faces.grad)
    assert faces.grad.unique().tolist() == pytest.approx([0.0, 4 / 3])


def test_every_place_is_drawn_on_its_own_in_a_strided_input() -> None:
    faces = torch.ones(7, 100, 40).transpose(0, 2)[:, ::2]
    assert (Dropout(0.5)(faces) == 0).float().mean(dim=(1, 2)).sub(0.5).abs().max() < 0.15


def test_repeats_with_its_seed() -> None:
    layer, faces = Dropout(0.5), torch.ones(50, 50)
    torch.manual_seed(3)
    first = layer(faces)
    second = layer(faces)
    torch.manual_seed(3)
    assert torch.equal(first, layer(faces))
    assert not torch.equal(first, second)


def test_does_nothing_in_prediction() -> None:
    faces = torch.rand(8, 8)
    assert torch.equal(Dropout(0.5).eval()(faces), faces)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_the_ends_are_those_of_pytorch(p: float) -> None:
    faces = torch.rand(8, 8)
    assert torch.equal(Dropout(p)(faces), nn.Dropout(p)(faces))
