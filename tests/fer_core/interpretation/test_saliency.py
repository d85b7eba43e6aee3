import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop, LayerGradCam
from torch import nn

from fer_core.errors import FerError
from fer_core.interpretation import METHODS, Network, cam_layers, default_cam_layer, grad_cams, saliency
from fer_core.interpretation.guided import GuidedRectifiers
from fer_core.interpretation.saliency import BUDGET, guided_backpropagation, normalised, occlusion_grid
from tests.fer_core.interpretation.conftest import untrained

IMAGE_NETWORKS = ["linear", "mini_xception", "conv_relu_ann", "se_resnet", "resnet18"]


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
@pytest.mark.parametrize("name", ["mini_xception", "conv_relu_ann", "two_block_cnn", "resnet18"])
def test_guided_backpropagation_equals_captum_s_where_every_rectifier_is_a_module(name, face):
    network = untrained(name)
    expected = GuidedBackprop(network.model).attribute(face.clone().requires_grad_(True), target=3)
    found, rectifiers = guided_backpropagation(network, face, 3)
    assert rectifiers.seen == sum(step.kind == "ReLU" for step in network.steps)
    assert np.allclose(found, expected[0].detach().numpy(), atol=1e-6)


class AsModules(nn.Module):
    """The block of `Functional`, with a module for each rectifier."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second
        self.inner, self.outer = nn.ReLU(), nn.ReLU()

    def forward(self, faces):
        return self.outer(self.second(self.inner(self.first(faces))) + self.first(faces)).mean((2, 3))


class Functional(AsModules):
    def forward(self, faces):
        return torch.relu(self.second(torch.nn.functional.relu(self.first(faces))) + self.first(faces)).mean((2, 3))


def guided_gradient(model, face):
    face = face.clone().requires_grad_(True)
    with GuidedRectifiers() as rectifiers:
        logit = model(face)[0, 1]
    return torch.autograd.grad(logit, face)[0], rectifiers


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
def test_rectifiers_that_are_functions_guide_gradients_as_modules_do(face):
    torch.manual_seed(0)
    parts = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
    found, rectifiers = guided_gradient(Functional(*parts), face)
    expected = GuidedBackprop(AsModules(*parts)).attribute(face.clone().requires_grad_(True), target=1)
    assert rectifiers.seen == 2
    assert torch.allclose(found, expected, atol=1e-7)
    plain = GuidedBackprop(Functional(*parts)).attribute(face.clone().requires_grad_(True), target=1)
    assert not torch.allclose(found, plain, atol=1e-7), "captum's own hooks do not see these"


def test_a_rectifier_that_cuts_off_above_passes_nothing_there():
    values = torch.tensor([[-1.0, 3.0, 7.0, 5.0]], requires_grad=True)
    for layer in (nn.ReLU6(), nn.Hardtanh(0, 6)):
        with GuidedRectifiers() as rectifiers:
            outputs = layer(values)
        (gradient,) = torch.autograd.grad((outputs * torch.tensor([[1.0, 1.0, 1.0, -1.0]])).sum(), values)
        assert rectifiers.seen == 1
        assert outputs.tolist() == [[0, 3, 6, 5]]
        assert gradient.tolist() == [[0, 1, 0, 0]], "nor does a negative gradient pass"


def test_a_network_without_rectifiers_has_its_plain_gradient_and_says_so(face):
    network = untrained("linear")
    found = saliency(network, face, 2, "guided")
    weights = network.model[1].weight[2].reshape(48, 48).numpy()
    assert np.allclose(found.heat, normalised(weights)[0])
    assert "no rectifier" in found.note


def test_smooth_activations_are_named(face):
    network = untrained("torchvision:efficientnet_b0")
    found = saliency(network, face, 2, "guided")
    assert "no rectifier" in found.note or "silu" in found.note
    torch.manual_seed(0)
    mixed = nn.Sequential(nn.Conv2d(1, 4, 3), nn.SiLU(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(7))
    with GuidedRectifiers() as rectifiers:
        mixed(face)
    assert (rectifiers.seen, rectifiers.plain) == (1, {"silu"})


@pytest.mark.parametrize(
    ("name", "layer"), [("conv_relu_ann", "0.11"), ("mini_xception", "classifier"), ("two_block_cnn", "5")]
)
def test_grad_cam_equals_captum_s_where_the_layer_is_a_module(name, layer, face):
    network = untrained(name)
    wanted = LayerGradCam(network.model, network.model.get_submodule(layer))
    expected = wanted.attribute(face.clone().requires_grad_(True), target=4, relu_attributions=True)
    found = grad_cams(network, face, torch.tensor([4]), layer)
    assert found.any()
    assert torch.allclose(found, expected[:, 0].detach(), atol=1e-7)


def test_grad_cam_of_many_faces_is_that_of_each(face):
    network = untrained("mini_xception")
    faces = torch.cat([face, face.flip(3), -face])
    targets = torch.tensor([1, 5, 3])
    together = grad_cams(network, faces, targets, "modules_.2.add")
    alone = [grad_cams(network, faces[n : n + 1], targets[n : n + 1], "modules_.2.add")[0] for n in range(3)]
    assert torch.allclose(together, torch.stack(alone), atol=1e-6)


def test_grad_cam_looks_by_default_at_the_last_layer_with_a_map_of_some_size():
    assert default_cam_layer(untrained("mini_xception")) == "modules_.2.add"
    assert default_cam_layer(untrained("conv_relu_ann")) == "0.13"
    assert default_cam_layer(untrained("se_resnet")) == "9.relu"


def test_a_network_without_maps_has_no_grad_cam(face):
    with pytest.raises(FerError, match="linear has no layer that gives maps"):
        saliency(untrained("linear"), face, 0, "grad_cam")
    assert cam_layers(untrained("linear")) == []


def test_grad_cam_refuses_a_layer_without_maps(face):
    with pytest.raises(FerError, match="1.0 gives no maps; choose a layer that does, such as 0.13"):
        saliency(untrained("conv_relu_ann"), face, 0, "grad_cam", "1.0")


def test_integrated_gradients_add_up_to_what_the_face_changes(face):
    network = untrained("conv_relu_ann")
    found = saliency(network, face, 1, "integrated")
    with torch.no_grad():
        logits = network.model(torch.cat([face, torch.zeros_like(face)]))[:, 1]
    gap = float(found.note.split(" by ")[1].rstrip("."))
    assert gap < 0.05 * abs(float(logits[0] - logits[1]))


def test_occlusion_finds_the_only_part_that_counts():
    network = Network.untrained("linear")
    weights = torch.zeros(7, 48, 48)
    weights[3, 8:16, 24:32] = 1.0
    network.model[1].weight.data.copy_(weights.flatten(1))
    found = saliency(network, torch.ones(1, 1, 48, 48), 3, "occlusion")
    rows, columns = np.nonzero(found.heat > 0.99)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 15, 24, 31)
    assert not found.heat[24:].any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", IMAGE_NETWORKS)
def test_every_method_gives_a_picture_of_the_face_s_size_for_each_class(name, method, face):
    network = untrained(name)
    if method == "grad_cam" and name == "linear":
        return
    pictures = [saliency(network, face, target, method) for target in (0, 6)]
    for each in pictures:
        assert each.heat.shape == (48, 48)
        assert each.heat.dtype == np.float32
        assert (-1 if each.signed else 0) <= each.heat.min()
        assert each.heat.max() <= 1
    assert not np.array_equal(pictures[0].heat, pictures[1].heat), "another class, another picture"


def test_descriptors_leave_occlusion_alone(face):
    network = untrained("lpq_phog_mlp")
    for method in ("guided", "grad_cam", "integrated"):
        with pytest.raises(FerError, match="no gradient reaches the pixels; choose occlusion"):
            saliency(network, face, 0, method)
    assert saliency(network, face, 0, "occlusion").heat.any()


MEMBERS_HAVE_LAYERS = "an ensemble's members each have layers of their own; look into one of them"


def test_an_ensemble_is_occluded_and_its_gradients_are_left_to_its_members(ensemble, face):
    for method in ("guided", "grad_cam", "integrated"):
        with pytest.raises(FerError, match=MEMBERS_HAVE_LAYERS):
            saliency(ensemble, face, 0, method)
    assert saliency(ensemble, face, 0, "occlusion").heat.any()


def test_every_look_at_gradients_says_that_an_ensemble_s_members_have_the_layers(ensemble, face):
    layer = next(step.name for step in ensemble.steps if step.is_spatial)
    looks = {
        "grad_cams": lambda: grad_cams(ensemble, face, torch.tensor([0]), layer),
        "guided": lambda: guided_backpropagation(ensemble, face, 0),
        "layers": lambda: cam_layers(ensemble),
        "default": lambda: default_cam_layer(ensemble),
    }
    for look in looks.values():
        with pytest.raises(FerError, match=MEMBERS_HAVE_LAYERS):
            look()


def test_gradients_behind_descriptors_are_refused_for_many_faces_too(face):
    network = untrained("lpq_phog_mlp")
    with pytest.raises(FerError, match="no gradient reaches the pixels"):
        grad_cams(network, face, torch.tensor([0]), network.steps[0].name)
    with pytest.raises(FerError, match="no gradient reaches the pixels"):
        guided_backpropagation(network, face, 0)


def test_unknown_methods_and_classes_are_refused(face):
    with pytest.raises(FerError, match="unknown method 'lime'; choose from grad_cam, guided, integrated, occlusion"):
        saliency(untrained("linear"), face, 0, "lime")
    with pytest.raises(FerError, match="there is no class 7; choose from 0 to 6"):
        saliency(untrained("linear"), face, 7, "guided")


def test_gradients_leave_no_trace_on_the_weights(face):
    network = untrained("mini_xception")
    saliency(network, face, 0, "integrated")
    saliency(network, face, 0, "guided")
    assert all(parameter.grad is None for parameter in network.model.parameters())


def test_nothing_found_is_said_by_its_scale():
    heat, scale = normalised(np.zeros((4, 4), np.float32))
    assert scale == 0
    assert not heat.any()


def test_one_pixel_does_not_dim_all_others():
    values = np.ones((48, 48), np.float32)
    values[0, 0] = 1000
    assert normalised(values)[0][5, 5] == 1


def test_a_costly_network_is_occluded_in_fewer_places():
    assert occlusion_grid(untrained("mini_xception")) == (8, 4)
    network = untrained("six_conv_cnn", channels=3, size=160)
    window, stride = occlusion_grid(network)
    assert (window, stride) == (40, 40)
    assert (160 // stride) ** 2 * network.cost <= BUDGET


def test_descriptors_count_as_work():
    assert untrained("lpq_phog_mlp").cost > 50 * untrained("linear").cost
