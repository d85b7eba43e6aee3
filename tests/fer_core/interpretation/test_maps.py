import numpy as np
import pytest
import torch

from fer_core.errors import FerError
from fer_core.interpretation import at_depth, convolutions, feature_maps, filters, paper_views, pixel_weights, walk
from fer_core.interpretation.maps import FeatureMaps, Filters, batches
from fer_core.interpretation.paper_views import PAPER_VIEWS
from tests.fer_core.interpretation.conftest import untrained


def test_the_maps_of_a_layer_are_what_it_gives(face):
    network = untrained("conv_relu_ann")
    found = feature_maps(network, face, "0.0")
    with torch.no_grad():
        expected = network.model[0][0](face)[0].numpy()
    assert np.allclose(found.maps, expected, atol=1e-6)
    assert (found.kind, found.is_spatial) == ("Conv2d", True)


def test_a_dense_layer_gives_one_value_a_unit(face):
    found = feature_maps(untrained("conv_relu_ann"), face, "1.1")
    assert found.maps.shape == (512, 1, 1)
    assert not found.is_spatial


def test_the_strongest_maps_come_first_and_silent_ones_are_counted():
    maps = np.stack([np.zeros((2, 2)), np.full((2, 2), -3.0), np.array([[1.0, 0.0], [0.0, 1.0]])]).astype(np.float32)
    found = FeatureMaps("layer", "ReLU", maps)
    assert found.chosen(2).tolist() == [1, 2]
    assert found.chosen(9, "network").tolist() == [0, 1, 2]
    assert found.silent == pytest.approx(10 / 12)
    assert found.dead == 2, "two maps hold one value only"


def test_a_rectifier_s_silence_is_that_of_its_input(face):
    network = untrained("mini_xception")
    before, after = (feature_maps(network, face, name) for name in ("stem.1", "stem.2"))
    assert after.silent == before.silent > 0
    assert after.maps.min() == 0


def test_a_walk_goes_from_the_first_layer_to_the_logits(face):
    network = untrained("se_resnet")
    found = walk(network, face)
    assert [each.layer for each in found] == [step.name for step in network.trunk]
    assert np.allclose(found[0].maps, feature_maps(network, face, "0").maps)
    assert np.allclose(
        torch.softmax(torch.tensor(found[-1].maps[:, 0, 0]), 0), network.probabilities(face)[0], atol=1e-6
    )


def test_a_long_walk_leaves_steps_out_evenly_and_keeps_both_ends(face):
    network = untrained("se_resnet")
    found = [each.layer for each in walk(network, face, 5)]
    names = [step.name for step in network.trunk]
    assert (len(found), found[0], found[-1]) == (5, names[0], names[-1])


def test_what_goes_through_a_whole_network_leaves_an_ensemble_to_its_members(ensemble, face):
    for look in (lambda: walk(ensemble, face), lambda: at_depth(ensemble, 0.5), lambda: pixel_weights(ensemble)):
        with pytest.raises(FerError, match="an ensemble's members each have layers of their own"):
            look()


def test_filters_are_the_weights():
    network = untrained("two_block_cnn")
    found = filters(network, "5")
    weights = network.model[5].weight.numpy()
    assert np.array_equal(found.weights, weights)
    assert np.array_equal(found.images(3), weights[:, 3])
    assert np.allclose(found.images(), weights.mean(1))
    assert np.allclose(found.strength, np.linalg.norm(weights.reshape(len(weights), -1), axis=1), rtol=1e-5)


def test_a_channel_that_filters_do_not_read_is_refused():
    with pytest.raises(FerError, match="read the channels 0 to 1"):
        Filters("0", np.zeros((4, 2, 3, 3), np.float32)).images(2)


def test_what_has_no_filters_says_so():
    with pytest.raises(FerError, match="stem.1 is no convolution and has no kernels; choose from stem.0, stem.3"):
        filters(untrained("mini_xception"), "stem.1")
    with pytest.raises(FerError, match="linear has no convolution"):
        filters(untrained("linear"), "1")
    assert convolutions(untrained("linear")) == []


def test_a_network_of_one_layer_shows_a_weight_for_each_pixel(face):
    network = untrained("linear")
    weights = pixel_weights(network)
    with torch.no_grad():
        logits = network.model(face) - network.model[1].bias
    assert np.allclose((weights * face.numpy()).sum((1, 2, 3)), logits[0].numpy(), atol=1e-4)
    with pytest.raises(FerError, match="does not weigh pixels one by one"):
        pixel_weights(untrained("conv_relu_ann"))


def test_depth_goes_from_the_first_map_to_the_last():
    network = untrained("mini_xception")
    assert at_depth(network, 0.0).name == "stem.0"
    assert at_depth(network, 1.0).name == "classifier"
    assert at_depth(untrained("linear"), 0.5).name in ("0", "1")


@pytest.mark.parametrize("architecture", sorted(PAPER_VIEWS))
def test_the_layers_that_papers_show_exist(architecture):
    network = untrained(architecture)
    for view in paper_views(architecture):
        steps = [network.step(name) for name in view.layers]
        assert all(step.is_spatial for step in steps)
        if view.view == "filters":
            assert set(steps) <= set(convolutions(network))


def test_paper_1_s_layers_are_all_convolutions_as_in_keras_numbering():
    network = untrained("mini_xception")
    assert [network.step(name).kind for name in paper_views("mini_xception")[0].layers] == ["Conv2d"] * 6


def test_many_faces_are_taken_in_parts_that_fit():
    network = untrained("conv_relu_ann")
    parts = batches(network, 300)
    assert [part.start for part in parts] == list(range(0, 300, parts[0].stop))
    assert parts[0].stop * network.values <= 24_000_000
