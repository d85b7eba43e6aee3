"""The plain convolutional nets of papers 2, 3 and 5: their layers, counted by hand."""

import pytest
import torch
from torch import nn

from fer_core.architectures import ARCHITECTURES, build, parameter_counts
from fer_core.config import ConfigError
from fer_core.errors import FerError


def conv(inputs, outputs, kernel):
    """Weights of a convolution or, with kernel 1, of a dense layer; no bias."""
    return inputs * outputs * kernel * kernel


def norm(*features):
    """Trainable scale and offset of batch normalisation."""
    return 2 * sum(features)


DENSE_256_512_7 = conv(256, 512, 1) + norm(256, 512) + conv(512, 7, 1) + 7
SHALLOW = conv(1, 32, 3) + conv(32, 64, 5) + norm(32, 64, 512) + conv(512, 7, 1) + 7
DEEP = conv(1, 64, 3) + conv(64, 128, 5) + conv(128, 512, 3) + conv(512, 512, 3) + norm(64, 128, 512, 512)
DEEPER = (
    conv(1, 64, 3) + conv(64, 128, 5) + conv(128, 256, 3) + conv(256, 512, 3) + conv(512, 512, 3)
    + norm(64, 128, 256, 512, 512)
)  # fmt: skip
SIX = (
    conv(3, 32, 3) + conv(32, 32, 3) + conv(32, 64, 3) + conv(64, 64, 3) + conv(64, 128, 3) + conv(128, 128, 3)
    + norm(32, 32, 64, 64, 128, 128)
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "arguments", "trainable"),
    [
        # 48 -> 24 -> 12 pixels
        ("shallow_cnn", {}, SHALLOW + conv(64 * 12 * 12, 512, 1)),
        # 48 -> 48 -> 24
        ("shallow_cnn", {"first_pooling": 1}, SHALLOW + conv(64 * 24 * 24, 512, 1)),
        # 48 -> 24 -> 12 -> 6 -> 3
        ("deep_cnn", {}, DEEP + conv(512 * 3 * 3, 256, 1) + DENSE_256_512_7),
        # 48 -> 24 -> 12 -> 6 -> 3 -> 1
        ("deeper_cnn", {}, DEEPER + conv(512, 256, 1) + DENSE_256_512_7),
        # 160 -> 80 -> 40 -> 20
        (
            "six_conv_cnn",
            {"channels": 3, "size": 160},
            SIX + conv(128 * 20 * 20, 256, 1) + 256 + conv(256, 7, 1) + 7,
        ),
        # 48 -> 46 -> 23 -> 21 -> 10
        (
            "two_block_cnn",
            {"classes": 6},
            conv(1, 64, 3) + 64 + conv(64, 128, 3) + 128 + conv(128 * 10 * 10, 128, 1) + 128
            + norm(64, 128, 128) + conv(128, 6, 1) + 6,
        ),
        # 48 -> 44 -> 22 -> 18 -> 9
        (
            "two_block_cnn",
            {"filters": 32, "kernel": 5, "dense": 256},
            conv(1, 32, 5) + 32 + conv(32, 64, 5) + 64 + conv(64 * 9 * 9, 256, 1) + 256
            + norm(32, 64, 256) + conv(256, 7, 1) + 7,
        ),
    ],
)  # fmt: skip
def test_parameters_are_those_of_the_layers_in_the_paper(name, arguments, trainable):
    assert parameter_counts(build(name, **arguments))[1] == trainable


@pytest.mark.parametrize("name", ["shallow_cnn", "deep_cnn", "deeper_cnn"])
def test_every_layer_but_the_last_is_normalised_activated_and_dropped(name):
    layers = list(build(name).children())
    kernels = [index for index, layer in enumerate(layers) if isinstance(layer, nn.Conv2d | nn.Linear)]
    for index in kernels[:-1]:
        normalization, activation, dropout = layers[index + 1 : index + 4]
        assert isinstance(normalization, nn.BatchNorm2d | nn.BatchNorm1d)
        assert isinstance(activation, nn.ReLU)
        assert isinstance(dropout, nn.Dropout)
    assert kernels[-1] == len(layers) - 1


@pytest.mark.parametrize("name", ["shallow_cnn", "deep_cnn", "deeper_cnn", "two_block_cnn", "six_conv_cnn"])
def test_the_dropout_probability_is_an_argument(name):
    model = build(name, dropout=0.1)
    assert {layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)} == {0.1}


@pytest.mark.parametrize(
    ("name", "smallest"),
    [("shallow_cnn", 4), ("deep_cnn", 16), ("deeper_cnn", 32), ("two_block_cnn", 10), ("six_conv_cnn", 8)],
)
def test_the_smallest_faces_pass_and_smaller_ones_are_refused(name, smallest):
    assert build(name, size=smallest).eval()(torch.zeros(1, 1, smallest, smallest)).shape == (1, 7)
    with pytest.raises(FerError, match=f"{name} needs faces of at least {smallest}×{smallest} pixels"):
        build(name, size=smallest - 1)


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("shallow_cnn", {"epochs": 120, "learning_rate": 1e-5, "weight_decay": 1e-7}),
        ("deep_cnn", {"epochs": 100, "learning_rate": 1e-4, "weight_decay": 1e-7}),
        ("deeper_cnn", {"epochs": 100, "learning_rate": 1e-4, "weight_decay": 1e-7}),
        ("two_block_cnn", {"epochs": 75, "batch_size": 32, "l2": 0.01, "class_weights": "balanced"}),
        ("six_conv_cnn", {"epochs": 50, "batch_size": 8, "learning_rate": 1e-3, "augmentation": "flip"}),
        ("resnet50", {"epochs": 150, "batch_size": 8, "learning_rate": 1e-3, "augmentation": "flip"}),
    ],
)
def test_the_paper_recipe_is_what_the_paper_prints(name, recipe):
    paper = ARCHITECTURES.get(name).paper_recipe
    assert {key: getattr(paper, key) for key in recipe} == recipe
    assert paper.optimizer == "adam"


@pytest.mark.parametrize(
    ("name", "argument", "value", "sentence"),
    [
        ("deep_cnn", "dropout", 1.0, "dropout must be between 0 and 0.99"),
        ("deep_cnn", "dropout", "much", "deep_cnn's dropout must be a number, got 'much'"),
        ("two_block_cnn", "filters", 0, "filters must be between 1 and 4,096, got 0"),
        ("two_block_cnn", "filters", 3.5, "two_block_cnn's filters must be a whole number, got 3.5"),
        ("two_block_cnn", "dense", True, "two_block_cnn's dense must be a whole number, got True"),
        ("shallow_cnn", "first_pooling", 0, "first_pooling must be between 1 and 4"),
    ],
)
def test_impossible_arguments_are_refused_in_a_sentence(name, argument, value, sentence):
    with pytest.raises(FerError, match=sentence):
        build(name, **{argument: value})


def test_an_impossible_choice_is_a_configuration_error():
    with pytest.raises(ConfigError, match="choose from none, backbone"):
        build("resnet18", frozen="some")
