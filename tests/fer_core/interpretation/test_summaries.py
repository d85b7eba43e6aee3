import numpy as np
import pytest
import torch

from fer_core.errors import FerError
from fer_core.features.phog import Phog
from fer_core.interpretation import (
    Likeness,
    default_descriptors,
    embed,
    likeness,
    lpq_view,
    mean_cams,
    mean_likeness,
    penultimate,
    phog_view,
    project,
    saliency,
    used_descriptors,
)
from fer_core.interpretation.saliency import enlarged, grad_cams
from tests.fer_core.interpretation.conftest import untrained

FACES = np.random.default_rng(0).integers(0, 256, (12, 48, 48), np.uint8)


@pytest.mark.parametrize(
    ("name", "layer", "width"),
    [("mini_xception", "modules_.3.add", 128), ("conv_relu_ann", "1.2", 512), ("linear", "0", 2304)],
)
def test_faces_are_embedded_as_the_last_layer_gets_them(name, layer, width):
    network = untrained(name)
    told = []
    found = embed(network, lambda part: FACES[part], len(FACES), told.append)
    assert (found.layer, found.values.shape) == (layer, (12, width))
    assert np.allclose(found.probabilities, network.probabilities(network.inputs(FACES)), atol=1e-5)
    assert told[-1] == 1


def test_the_last_layer_s_logits_follow_from_the_embedding():
    network = untrained("conv_relu_ann")
    found = embed(network, lambda part: FACES[part], len(FACES))
    logits = network.model[1][3](torch.from_numpy(found.values))
    assert np.allclose(logits.softmax(1).numpy(), found.probabilities, atol=1e-5)


def test_descriptors_are_embedded_by_the_hidden_layer():
    assert penultimate(untrained("lpq_phog_mlp")).name == "mlp.1"
    assert penultimate(untrained("linear")).name == "0", "the pixels themselves"


def test_an_ensemble_has_no_last_layer_of_its_own(ensemble):
    with pytest.raises(FerError, match="an ensemble's members each have layers of their own"):
        penultimate(ensemble)
    with pytest.raises(FerError, match="an ensemble's members each have layers of their own"):
        embed(ensemble, lambda part: FACES[part], len(FACES))


def test_pca_gives_the_directions_of_most_variance():
    random = np.random.default_rng(0)
    values = random.normal(0, [10, 5, 0.1, 0.1], (200, 4)).astype(np.float32)
    points, note = project(values, "pca")
    assert np.allclose(np.abs(np.corrcoef(points[:, 0], values[:, 0])[0, 1]), 1, atol=1e-3)
    assert note == "The two directions hold 100 % of the variance."


def test_tsne_keeps_groups_together():
    random = np.random.default_rng(0)
    centres = np.repeat(np.eye(3, 60) * 50, 20, axis=0)
    points, _ = project((centres + random.normal(0, 1, (60, 60))).astype(np.float32), "tsne")
    groups = np.repeat(range(3), 20)
    for group in range(3):
        centre = points[groups == group].mean(0)
        inside = np.linalg.norm(points[groups == group] - centre, axis=1).max()
        assert inside < np.linalg.norm(points[groups != group] - centre, axis=1).min()


def test_too_few_faces_are_not_arranged():
    with pytest.raises(FerError, match="3 faces are too few to arrange"):
        project(np.zeros((3, 4), np.float32), "pca")


def test_mean_cams_average_each_cell_of_the_confusion_matrix():
    network = untrained("mini_xception")
    true, predicted = np.array([0, 0, 3, 3, 3, 6] * 2), np.array([0, 0, 3, 1, 1, 6] * 2)
    found = mean_cams(network, lambda places: FACES[places], true, predicted)
    assert found.counts[3, 1] == 4
    assert found.counts.sum() == 12
    inputs = network.inputs(FACES)
    cams = enlarged(grad_cams(network, inputs, torch.from_numpy(predicted), found.layer), 48)
    peaks = cams.max((1, 2), keepdims=True)
    expected = np.divide(cams, peaks, out=np.zeros_like(cams), where=peaks > 0)
    cell = (true == 3) & (predicted == 1)
    assert np.allclose(found.heat[3, 1], expected[cell].mean(0), atol=1e-4)
    assert np.allclose(found.face[3, 1], inputs[torch.from_numpy(cell)].mean((0, 1)), atol=1e-5)
    heat, _, total = found.of_class(3)
    assert total == 6
    assert np.allclose(heat, expected[true == 3].mean(0), atol=1e-4)


def test_mean_cams_need_one_network_that_gradients_pass(ensemble):
    labels = np.zeros(len(FACES), np.int64)
    refusals = {"an ensemble's members": ensemble, "no gradient reaches the pixels": untrained("lpq_phog_mlp")}
    for words, network in refusals.items():
        with pytest.raises(FerError, match=words):
            mean_cams(network, lambda places: FACES[places], labels, labels)


def test_a_class_without_faces_has_no_mean():
    network = untrained("mini_xception")
    found = mean_cams(network, lambda places: FACES[places], np.array([0]), np.array([0]))
    heat, face, total = found.of_class(2)
    assert (total, heat.any(), face.any()) == (0, False, False)


def test_a_picture_is_like_itself_and_unlike_its_shuffling():
    random = np.random.default_rng(0)
    heat = random.uniform(0, 1, (48, 48)).astype(np.float32)
    same = likeness(heat, -heat)
    assert same.rank_correlation == pytest.approx(1)
    assert same.ssim == pytest.approx(1)
    other = likeness(heat, random.permutation(heat.ravel()).reshape(48, 48))
    assert abs(other.rank_correlation) < 0.1
    assert other.ssim < 0.2


def test_a_picture_of_nothing_has_no_correlation():
    empty = likeness(np.zeros((8, 8), np.float32), np.eye(8, dtype=np.float32))
    assert np.isnan(empty.rank_correlation)


def test_the_sanity_check_averages_over_faces_and_random_networks():
    network = untrained("mini_xception")
    random = [network.with_random_weights(seed) for seed in (1, 2)]
    faces = [network.inputs(FACES[n : n + 1]) for n in range(2)]
    found = mean_likeness(network, random, faces, [0, 4], "guided")
    single = [
        likeness(saliency(network, face, target, "guided").heat, saliency(other, face, target, "guided").heat)
        for other in random
        for face, target in zip(faces, [0, 4], strict=True)
    ]
    assert found == Likeness(
        pytest.approx(np.mean([each.rank_correlation for each in single])),
        pytest.approx(np.mean([each.ssim for each in single])),
    )


def test_lpq_shows_a_code_for_every_pixel_with_a_whole_window():
    view = lpq_view(FACES[0])
    assert view.codes.shape == (42, 42)
    counts = np.bincount(view.codes.ravel(), minlength=256)
    assert np.allclose(view.histogram, counts / counts.sum())


def test_each_level_of_phog_adds_up_to_the_one_above():
    view = phog_view(FACES[0], Phog(levels=2))
    assert [level.shape for level in view.levels] == [(1, 1, 8), (2, 2, 8), (4, 4, 8)]
    assert np.allclose(view.levels[1].sum((0, 1)), view.levels[0][0, 0])
    quarters = view.levels[2].reshape(2, 2, 2, 2, 8).sum((1, 3))
    assert np.allclose(quarters, view.levels[1])
    assert view.edges.shape == (48, 48)


def test_a_network_tells_which_descriptors_it_learnt_from():
    assert [each.name for each in used_descriptors(untrained("lpq_phog_mlp"))] == ["lpq", "phog"]
    assert [each.name for each in default_descriptors()] == ["lpq", "phog"]
    with pytest.raises(FerError, match="linear learns from pixels"):
        used_descriptors(untrained("linear"))
