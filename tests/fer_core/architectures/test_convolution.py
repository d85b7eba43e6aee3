"""The convolution whose weight gradient is a product of matrices: PyTorch's own in its results."""

import pytest
import torch
from torch import nn

from fer_core.architectures.convolution import SMALL, Conv2d, weight_gradient


def gradients(layer: nn.Conv2d, faces: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    faces = faces.clone().requires_grad_()
    layer.zero_grad()
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        out = layer(faces)
    (out.float() * torch.linspace(-1, 1, out.numel()).view(out.shape)).sum().backward()
    assert layer.weight.grad is not None
    assert faces.grad is not None
    return out.float(), faces.grad, layer.weight.grad.clone()


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("kernel", "size"), [(3, 3), (3, SMALL), (5, 4), (1, 2), (3, SMALL + 1)])
def test_output_and_gradients_are_those_of_pytorch(kernel: int, size: int, memory_format: torch.memory_format) -> None:
    torch.manual_seed(0)
    ours = Conv2d(8, 12, kernel, padding=kernel // 2, bias=False).to(memory_format=memory_format)
    theirs = nn.Conv2d(8, 12, kernel, padding=kernel // 2, bias=False)
    theirs.load_state_dict(ours.state_dict())
    faces = torch.randn(5, 8, size, size).contiguous(memory_format=memory_format)
    for found, expected in zip(
        gradients(ours, faces, torch.bfloat16), gradients(theirs, faces, torch.float32), strict=True
    ):
        assert found.dtype == torch.float32
        assert (found - expected).norm() < 0.02 * expected.norm()  # bfloat16 has eight bits


def test_the_weight_gradient_is_exact_in_double_precision() -> None:
    faces, weight = torch.randn(3, 4, 5, 6, dtype=torch.double), torch.randn(7, 4, 3, 3, dtype=torch.double)
    weight.requires_grad_()
    out = nn.functional.conv2d(faces, weight, padding=1)
    back = torch.randn_like(out)
    out.backward(back)
    assert weight.grad is not None
    torch.testing.assert_close(weight_gradient(faces, back, 3, 1), weight.grad)


def test_in_full_precision_and_without_gradients_it_is_pytorch_s_own() -> None:
    layer, faces = Conv2d(4, 4, 3, padding=1, bias=False), torch.randn(2, 4, 3, 3)
    expected = nn.functional.conv2d(faces, layer.weight, padding=1)
    assert torch.equal(layer(faces), expected)
    with torch.no_grad():
        assert torch.equal(layer(faces), expected)
