"""How a run's weights are kept: eight bits a number, as good as what was trained; older files as they were."""

import pytest
import torch
from safetensors.torch import save_file

from fer_core.architectures import build
from fer_core.runs import stored_precision
from fer_core.runs.weights import pack_weights, read_weights

KERNEL = torch.tensor([[0.5, -2.54, 0.01], [1e-4, 2e-4, -1.27e-2]])


@pytest.fixture
def file(tmp_path):
    return tmp_path / "weights.safetensors"


def test_a_kernel_is_kept_within_half_a_step_of_its_outputs_largest_number(file):
    kernel = torch.randn(16, 8, 3, 3) * torch.logspace(-4, 2, 16).view(-1, 1, 1, 1)
    file.write_bytes(pack_weights({"weight": kernel}))
    read = read_weights(file)["weight"]
    step = kernel.flatten(1).abs().amax(1) / 127
    assert ((read - kernel).flatten(1).abs().amax(1) <= step * 0.51).all()
    assert read.dtype == torch.float32


def test_vectors_and_counts_are_not_rounded(file):
    state = {"bias": torch.randn(4), "count": torch.tensor(3), "weight": KERNEL}
    file.write_bytes(pack_weights(state))
    read = read_weights(file)
    assert read.keys() == state.keys()
    torch.testing.assert_close(read["bias"], state["bias"], rtol=0, atol=0)
    assert read["count"] == 3
    assert read["count"].dtype == torch.int64


def test_what_is_evaluated_is_what_is_read_and_kept_again(file):
    state = build("mini_xception").state_dict()
    stored = stored_precision(state)
    file.write_bytes(pack_weights(state))
    for name, tensor in read_weights(file).items():
        torch.testing.assert_close(tensor, stored[name], rtol=0, atol=0)
        torch.testing.assert_close(stored_precision(stored)[name], stored[name], rtol=0, atol=0)


@pytest.mark.parametrize("kernel", [torch.zeros(2, 3), torch.zeros(0, 3), torch.tensor([[float("nan"), 1.0]])])
def test_kernels_without_a_scale_come_back_as_they_were(file, kernel):
    file.write_bytes(pack_weights({"weight": kernel}))
    torch.testing.assert_close(read_weights(file)["weight"], kernel, rtol=0, atol=0, equal_nan=True)


def test_a_matrix_that_is_no_layers_weight_is_kept_in_sixteen_bits(file):
    file.write_bytes(pack_weights({"directions": KERNEL}))
    torch.testing.assert_close(read_weights(file)["directions"], KERNEL.half().float(), rtol=0, atol=0)


def test_a_file_in_half_precision_is_read_in_full(file):
    save_file({"weight": KERNEL.half(), "bias": KERNEL[0], "block.scale": KERNEL[1]}, file)
    read = read_weights(file)
    torch.testing.assert_close(read["weight"], KERNEL.half().float(), rtol=0, atol=0)
    torch.testing.assert_close(read["block.scale"], KERNEL[1], rtol=0, atol=0)


def test_a_file_takes_a_quarter_of_float32(file):
    state = build("six_conv_cnn").state_dict()
    assert len(pack_weights(state)) < 0.27 * sum(t.numel() * 4 for t in state.values())


@pytest.mark.parametrize("architecture", ["linear", "mini_xception", "six_conv_cnn", "se_resnet"])
def test_a_net_answers_with_eight_bits_as_with_all(architecture):
    torch.manual_seed(0)
    model, faces = build(architecture).eval(), torch.rand(64, 1, 48, 48) * 2 - 1
    with torch.no_grad():
        exact = model(faces).softmax(1)
        model.load_state_dict(stored_precision(model.state_dict()))
        torch.testing.assert_close(model(faces).softmax(1), exact, rtol=0, atol=0.01)
