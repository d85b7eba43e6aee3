import pytest
import torch
from torch import nn

from fer_core.architectures import build, parameter_counts
from fer_core.interpretation import layer_table

COUNTED = ["linear", "mini_xception", "conv_relu_ann", "two_block_cnn", "deeper_cnn", "resnet18"]


def weighted(rows):
    return [row for row in rows if row.parameters]


def test_paper_4_s_layers_have_the_parameters_that_it_prints():
    rows = layer_table(build("conv_relu_ann"), 1, 48)
    assert [row.parameters for row in weighted(rows)] == [320, 18_496, 73_856, 295_168, 2_097_664, 3_591]
    assert sum(row.parameters for row in rows) == 2_489_095


def test_each_count_comes_with_its_arithmetic():
    rows = weighted(layer_table(build("conv_relu_ann"), 1, 48))
    assert [row.arithmetic for row in rows] == [
        "(3·3·1 + 1)·32 = 320",
        "(3·3·32 + 1)·64 = 18,496",
        "(3·3·64 + 1)·128 = 73,856",
        "(3·3·128 + 1)·256 = 295,168",
        "(4,096 + 1)·512 = 2,097,664",
        "(512 + 1)·7 = 3,591",
    ]


def test_each_layer_has_the_shape_that_it_gives():
    rows = layer_table(build("conv_relu_ann"), 1, 48)
    assert rows[0].output_shape == (32, 48, 48)
    assert [row.output_shape for row in rows if row.kind == "MaxPool2d"] == [(64, 23, 23), (128, 10, 10), (256, 4, 4)]
    assert [row.output_shape for row in rows if row.kind == "Flatten"] == [(4096,)]
    assert rows[-1].output_shape == (7,)


@pytest.mark.parametrize("name", COUNTED)
def test_the_rows_add_up_to_the_parameters_of_the_network(name):
    model = build(name)
    rows = layer_table(model, 1, 48)
    assert sum(row.parameters for row in rows) == parameter_counts(model)[0]


@pytest.mark.parametrize("name", COUNTED)
def test_every_arithmetic_is_right(name):
    for row in weighted(layer_table(build(name), 1, 48)):
        product, _, result = row.arithmetic.replace(",", "").replace("·", "*").partition(" = ")
        assert eval(product) == int(result) == row.parameters


def test_a_normalisation_counts_its_statistics_and_a_grouped_convolution_its_own_inputs():
    rows = {row.name: row for row in layer_table(build("mini_xception"), 1, 48)}
    assert rows["stem.1"].arithmetic == "4·8 = 32"
    assert rows["modules_.0.main.0.0"].arithmetic == "3·3·1·8 = 72"


def test_a_layer_that_is_passed_twice_is_counted_once():
    shared = nn.Conv2d(1, 1, 3, padding=1)
    rows = layer_table(nn.Sequential(shared, nn.ReLU(), shared), 1, 8)
    assert [row.parameters for row in rows] == [10, 0, 0]


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(3, 2))
        self.flat = nn.Flatten()

    def forward(self, faces):
        return self.flat(faces) * self.factor.sum()


def test_parameters_without_a_layer_of_their_own_come_last():
    rows = layer_table(Scaled(), 1, 4)
    assert [(row.name, row.kind, row.arithmetic) for row in rows] == [
        ("flat", "Flatten", ""),
        ("mul", "Multiply", ""),
        ("factor", "Parameter", "3·2 = 6"),
    ]


class Failing(nn.Sequential):
    def forward(self, faces):
        super().forward(faces)
        raise RuntimeError("on purpose")


def test_the_model_is_left_as_it_was_even_after_an_error():
    model = Failing(nn.Conv2d(1, 2, 3), nn.Dropout())
    model[1].eval()
    with pytest.raises(RuntimeError, match="on purpose"):
        layer_table(model, 1, 8)
    assert not any(module._forward_hooks for module in model.modules())
    assert [module.training for module in model.modules()] == [True, True, False]
