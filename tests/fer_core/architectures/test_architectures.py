import pytest
import torch

from fer_core.architectures import ARCHITECTURES, build, parameter_counts, typed_arguments
from fer_core.architectures.mini_xception import pool_same
from fer_core.errors import FerError

NAMES = ARCHITECTURES.names()


@pytest.mark.parametrize(
    ("name", "every", "trainable"),
    [("mini_xception", 58_423, 56_951), ("conv_relu_ann", 2_489_095, 2_489_095), ("linear", 16_135, 16_135)],
)
def test_parameter_counts_are_the_papers(name, every, trainable):
    assert parameter_counts(build(name)) == (every, trainable)


@pytest.mark.parametrize("name", NAMES)
def test_logits_have_one_column_per_class(name):
    model = build(name, classes=6).eval()
    assert model(torch.zeros(3, 1, 48, 48)).shape == (3, 6)


@pytest.mark.parametrize("name", NAMES)
def test_colour_and_size_are_arguments(name):
    model = build(name, channels=3, size=64).eval()
    assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 7)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_receives_a_gradient(name):
    torch.manual_seed(0)
    model = build(name)
    torch.nn.functional.cross_entropy(model(torch.randn(8, 1, 48, 48)), torch.arange(8) % 7).backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


@pytest.mark.parametrize("name", NAMES)
def test_predictions_do_not_depend_on_the_other_faces_in_the_batch(name):
    torch.manual_seed(0)
    model, faces = build(name).eval(), torch.randn(4, 1, 48, 48)
    torch.testing.assert_close(model(faces)[:1], model(faces[:1]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_every_architecture_has_a_paper_recipe_and_a_source(name):
    architecture = ARCHITECTURES.get(name)
    assert architecture.paper_recipe.name == "paper"
    assert architecture.source
    assert architecture.summary.endswith(".")


def test_conv_relu_ann_has_the_papers_layer_by_layer_counts():
    counts = [
        sum(p.numel() for p in layer.parameters())
        for layer in build("conv_relu_ann").modules()
        if hasattr(layer, "weight")
    ]
    assert counts == [320, 18_496, 73_856, 295_168, 2_097_664, 3_591]


@pytest.mark.parametrize("size", [5, 6, 11, 44])
def test_same_pooling_halves_the_size_rounding_up(size):
    assert pool_same(torch.zeros(1, 1, size, size)).shape[-1] == -(-size // 2)


def test_same_pooling_of_an_even_size_starts_at_the_first_pixel():
    features = torch.arange(16.0).view(1, 1, 4, 4)
    assert pool_same(features).flatten().tolist() == [10.0, 11.0, 14.0, 15.0]


def test_an_unknown_argument_says_what_there_is():
    with pytest.raises(FerError, match="linear' has no argument 'depth'; it takes none"):
        build("linear", depth=3)


@pytest.mark.parametrize(("name", "given"), [("se_resnet", {"width": 1}), ("two_block_cnn", {"filters": 32})])
def test_an_argument_has_the_kind_of_its_default_so_that_one_network_has_one_name(name, given):
    typed = typed_arguments(name, given)
    assert typed == given
    assert {each: type(value) for each, value in typed.items()} == {
        each: type(ARCHITECTURES.get(name).arguments()[each]) for each in given
    }


def test_faces_that_are_too_small_are_refused_in_a_sentence():
    with pytest.raises(FerError, match="at least 22"):
        build("conv_relu_ann", size=16)
