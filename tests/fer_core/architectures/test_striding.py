"""The strided convolution of single pixels: PyTorch's own in its results, also where oneDNN's gradient is wrong."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from fer_core.architectures import build
from fer_core.architectures.striding import BLOCK, Conv2d, mend_strides
from tests.fer_core.architectures.test_convolution import gradients


def pair(channels: int, *, bias: bool) -> tuple[nn.Conv2d, nn.Conv2d]:
    """A convolution that is mended, and the same in PyTorch's default layout, where nothing is wrong."""
    torch.manual_seed(0)
    theirs = nn.Conv2d(channels, 12, 1, stride=2, bias=bias)
    ours = nn.Conv2d(channels, 12, 1, stride=2, bias=bias)
    ours.load_state_dict(theirs.state_dict())
    return mend_strides(ours).to(memory_format=torch.channels_last), theirs


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("channels", "size"), [(1, 6), (3, 7), (8, 9), (BLOCK - 1, 4)])
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-6), (torch.bfloat16, 0.06)])
def test_output_and_gradients_are_those_of_pytorch(
    channels: int, size: int, bias: bool, dtype: torch.dtype, limit: float
) -> None:
    ours, theirs = pair(channels, bias=bias)
    assert type(ours) is Conv2d
    faces = torch.randn(5, channels, size, size)
    found = gradients(ours, faces.contiguous(memory_format=torch.channels_last), dtype)
    for got, expected in zip(found, gradients(theirs, faces, torch.float32), strict=True):
        assert got.dtype == torch.float32
        assert (got - expected).norm() < limit * expected.norm()
    if bias:
        assert ours.bias is not None
        assert theirs.bias is not None
        assert (ours.bias.grad - theirs.bias.grad).norm() < limit * theirs.bias.grad.norm()


@pytest.mark.parametrize(
    "other",
    [
        nn.Conv2d(BLOCK, 8, 1, stride=2),
        nn.Conv2d(8, 8, 1),
        nn.Conv2d(8, 8, 3, stride=2),
        nn.Conv2d(8, 8, 1, stride=2, padding=1),
        nn.Conv2d(8, 8, 1, stride=2, groups=2),
    ],
)
def test_every_other_convolution_stays_as_it_is(other: nn.Conv2d) -> None:
    assert type(mend_strides(other)) is nn.Conv2d


TRAINING = """
import torch
from fer_core.architectures import build

torch.set_num_threads(2)
model = build("mini_xception").to(memory_format=torch.channels_last)
for count in (37, 43, 3):
    faces = torch.randn(count, 1, 48, 48).contiguous(memory_format=torch.channels_last)
    for _ in range(2):
        model.zero_grad()
        model(faces).square().mean().backward()
"""


def test_two_threads_train_on_an_odd_number_of_faces() -> None:
    """In a process of its own, which oneDNN ended with a segmentation fault."""
    patient = os.environ | {"OMP_WAIT_POLICY": "passive"}  # other tests have the processors meanwhile
    assert subprocess.run([sys.executable, "-c", TRAINING], env=patient, timeout=300).returncode == 0


def test_a_built_network_is_mended_and_its_weights_keep_their_names() -> None:
    shortcuts = [module.shortcut[0] for module in build("mini_xception").modules_]
    assert [type(each) for each in shortcuts] == [Conv2d, nn.Conv2d, nn.Conv2d, nn.Conv2d]
    assert "modules_.0.shortcut.0.weight" in build("mini_xception").state_dict()
