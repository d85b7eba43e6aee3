"""Networks that are too costly for the test that trains every other one to the end."""

import pytest
import torch

from fer_core.architectures import ARCHITECTURES, build
from fer_core.training import TrainingSet, fit, get_recipe

# torchvision's own larger networks, in the wrapper that resnet18 tries out
SAME_CODE_AS_RESNET18 = {"resnet50", "resnet101"}
# from random weights it needs hundreds of updates; from ImageNet's few
FROM_IMAGENET = ["efficientnet_lite0"]
ELSEWHERE = {*SAME_CODE_AS_RESNET18, *FROM_IMAGENET}
HEAVY = [name for name in ARCHITECTURES.names() if ARCHITECTURES.get(name).heavy and name not in ELSEWHERE]


class Nobody:
    """An observer that looks away."""

    def batch_done(self, epoch, done, total, images_per_s):
        """Nothing to count."""

    def interrupted(self, checkpoint):
        pass

    def epoch_done(self, record, checkpoint):
        """Nothing to keep."""


@pytest.fixture(scope="module")
def small_bright_or_dark():
    """48 faces of 32×32 whose class is their brightness."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(48) % 3
    noise = torch.randint(0, 60, (48, 1, 32, 32), generator=generator)
    return TrainingSet((noise + 90 * labels.view(-1, 1, 1, 1)).clamp(max=255).to(torch.uint8), labels, 3)


@pytest.mark.parametrize("name", HEAVY)
def test_every_heavy_architecture_learns_while_training(name, small_bright_or_dark):
    # judged in training mode: running statistics lag behind after so few updates
    recipe = get_recipe(
        "modern", name, epochs=4, batch_size=16, precision="float32", augmentation="", ema_decay=0.0
    )  # fmt: skip
    torch.manual_seed(0)
    model = build(name, size=32, classes=3)
    data = small_bright_or_dark
    result = fit(model, data, data, recipe, seed=0, device=torch.device("cpu"), observer=Nobody())
    assert result.history[-1]["train_accuracy"] > 0.9


@pytest.mark.parametrize("name", FROM_IMAGENET)
def test_a_frozen_backbone_with_imagenets_weights_learns_its_last_layer(name, small_bright_or_dark):
    arguments = {**ARCHITECTURES.get(name).recipes["frozen"].arguments, "input_size": 64}
    torch.manual_seed(0)
    model = build(name, size=32, classes=3, **arguments)
    data, recipe = small_bright_or_dark, get_recipe("frozen", name, epochs=4)
    result = fit(model, data, data, recipe, seed=0, device=torch.device("cpu"), observer=Nobody())
    assert result.history[-1]["valid_accuracy"] > 0.9
