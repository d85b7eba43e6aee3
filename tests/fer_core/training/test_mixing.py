import dataclasses

import pytest
import torch
from scipy import stats

from fer_core.config import ConfigError, Recipe
from fer_core.training.mixing import Mixing, mixed

RECIPE = Recipe(name="test", epochs=1, batch_size=8, optimizer="adamw", learning_rate=1e-3)
CPU = torch.device("cpu")


def mixing(**alphas):
    made = Mixing.create(dataclasses.replace(RECIPE, **alphas), CPU)
    assert made is not None
    return made


def levels(count=2000, size=16):
    """Faces of one level each, all different."""
    return torch.linspace(-1, 1, count).view(-1, 1, 1, 1).expand(-1, 2, size, size).contiguous()


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nothing_is_mixed_unless_it_is_asked_for():
    assert Mixing.create(RECIPE, CPU) is None


@pytest.mark.parametrize("a", [0.2, 1.0, 4.0])
def test_mixup_blends_neighbours_by_shares_of_the_beta_distribution(a):
    faces = levels()
    result, share = mixing(mixup=a)(faces, noise())
    expected = share.view(-1, 1, 1, 1) * faces + (1 - share.view(-1, 1, 1, 1)) * faces.roll(1, 0)
    torch.testing.assert_close(result, expected)
    assert stats.kstest(share.double().numpy(), stats.beta(a, a).cdf).pvalue > 0.01


def test_cutmix_pastes_one_rectangle_whose_area_is_the_share_of_the_other():
    faces = levels(400)
    result, share = mixing(cutmix=1.0)(faces, noise())
    own = (result == faces).all(1)
    other = (result == faces.roll(1, 0)).all(1)
    assert (own ^ other).all()
    torch.testing.assert_close(own.float().mean((1, 2)), share)
    for mask in other:
        rows, columns = mask.any(1), mask.any(0)
        assert mask.sum() == rows.sum() * columns.sum()
    assert other.any(0).all(), "a rectangle may lie anywhere"
    assert share.min() < 0.25
    assert share.max() > 0.95


def test_with_both_about_half_of_the_images_is_cut():
    faces = levels(1000)
    result, _ = mixing(mixup=1.0, cutmix=1.0)(faces, noise())
    blended = ((result != faces) & (result != faces.roll(1, 0))).flatten(1).all(1)
    assert 0.4 < blended.float().mean() < 0.6


@pytest.mark.parametrize("alphas", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}], ids=str)
def test_the_same_noise_gives_the_same_images_and_the_faces_stay_as_they_are(alphas):
    faces, mix = levels(64), mixing(**alphas)
    before = faces.clone()
    first, again, other = mix(faces, noise()), mix(faces, noise()), mix(faces, noise(1))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first[0], other[0])
    assert torch.equal(faces, before)
    assert first[0].shape == faces.shape
    assert first[0].abs().max() <= 1
    assert ((first[1] >= 0) & (first[1] <= 1)).all()


def test_labels_are_mixed_as_their_images():
    values = torch.eye(3)
    share = torch.tensor([1.0, 0.25, 0.5])
    expected = torch.tensor([[1.0, 0.0, 0.0], [0.75, 0.25, 0.0], [0.0, 0.5, 0.5]])
    torch.testing.assert_close(mixed(values, share), expected)


@pytest.mark.parametrize("name", ["mixup", "cutmix", "sam_radius", "closing_epochs"])
def test_an_impossible_value_is_refused(name):
    with pytest.raises(ConfigError, match=name):
        dataclasses.replace(RECIPE, **{name: -0.1})
