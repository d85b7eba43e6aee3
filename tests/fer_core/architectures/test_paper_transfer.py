"""torchvision's networks: what they are given, what is frozen, and where their weights come from."""

import urllib.error

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fer_core.architectures import ARCHITECTURES, build, parameter_counts, rebuild
from fer_core.architectures.torchvision_nets import TransferNet
from fer_core.errors import FerError
from fer_core.registry import UnknownNameError
from fer_core.runs.weights import pack_weights


class Looker(nn.Module):
    """A network that remembers what it was given."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 1000)

    def forward(self, faces):
        self.seen = faces
        return self.last(faces.mean(dim=(2, 3)))


@pytest.fixture
def offline(monkeypatch):
    """No network, and nothing downloaded before."""

    def refuse(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)


@pytest.fixture
def offline_cache(offline, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


@pytest.fixture
def backbone_file(tmp_path):
    """A state dict of torchvision's resnet18, as for ImageNet."""
    from torchvision.models import resnet18

    torch.manual_seed(1)
    network = resnet18()
    torch.save(network.state_dict(), tmp_path / "resnet18.pth")
    return tmp_path / "resnet18.pth"


# published for 1000 classes (torchvision's tables); the last layer becomes one of 7 classes
@pytest.mark.parametrize(
    ("name", "published", "features"),
    [("resnet18", 11_689_512, 512), ("resnet50", 25_557_032, 2048), ("resnet101", 44_549_160, 2048)],
)
def test_only_the_last_layer_differs_from_the_published_network(name, published, features):
    expected = published - (features * 1000 + 1000) + (features * 7 + 7)
    assert parameter_counts(build(name, channels=3))[1] == expected
    assert parameter_counts(build(name, frozen="backbone"))[1] == features * 7 + 7


def test_the_mean_and_deviation_are_no_parameters():
    model = build("resnet18")
    statistics = sum(2 * layer.num_features for layer in model.modules() if isinstance(layer, nn.BatchNorm2d))
    every, trainable = parameter_counts(model)
    assert every == trainable + statistics


def test_gray_faces_reach_the_network_as_three_equal_channels_in_the_same_range():
    looker = Looker()
    faces = torch.rand(2, 1, 8, 8) * 2 - 1
    TransferNet(looker, 7, normalization="symmetric", frozen="none", input_size=0)(faces)
    assert torch.equal(looker.seen, faces.expand(2, 3, 8, 8))


def test_imagenet_weights_get_imagenets_normalisation():
    from torchvision.transforms.functional import normalize

    looker = Looker()
    pixels = torch.rand(2, 3, 8, 8)
    TransferNet(looker, 7, normalization="imagenet", frozen="none", input_size=0)(pixels * 2 - 1)
    expected = normalize(pixels, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    torch.testing.assert_close(looker.seen, expected, atol=1e-5, rtol=1e-5)


def test_faces_are_enlarged_to_the_input_size():
    looker = Looker()
    TransferNet(looker, 7, normalization="symmetric", frozen="none", input_size=32)(torch.full((1, 1, 8, 8), 0.25))
    assert torch.equal(looker.seen, torch.full((1, 3, 32, 32), 0.25))


def test_one_step_with_a_frozen_backbone_changes_the_last_layer_alone():
    torch.manual_seed(0)
    model = build("resnet18", frozen="backbone", size=32).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    nn.functional.cross_entropy(model(torch.randn(4, 1, 32, 32)), torch.arange(4)).backward()
    optimizer.step()
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    # batch normalisation's statistics are not among them either
    assert changed == {"network.fc.weight", "network.fc.bias"}


def test_dropout_before_the_last_layer_still_drops_when_the_backbone_is_frozen():
    model = build("torchvision:squeezenet1_1", frozen="backbone").train()
    modes = {layer.training for layer in model.modules() if isinstance(layer, nn.Dropout)}
    assert modes == {True}
    assert not any(layer.training for layer in model.network.features)
    assert not any(layer.training for layer in model.eval().modules())


@pytest.mark.parametrize("kind", ["pth", "safetensors", "checkpoint", "half precision of our own run"])
def test_a_state_dict_file_fills_everything_but_the_last_layer(kind, backbone_file, tmp_path):
    state = torch.load(backbone_file, weights_only=True)
    file = tmp_path / ("weights.safetensors" if kind in ("safetensors", "half precision of our own run") else "w.pth")
    if kind == "safetensors":
        save_file(state, file)
    elif kind == "pth":
        torch.save(state, file)
    elif kind == "checkpoint":
        torch.save({"state_dict": {f"module.{name}": t for name, t in state.items()}, "epoch": 3}, file)
    else:
        run = build("resnet18", weights=str(backbone_file), classes=5)
        save_file({n: t.half() if t.ndim > 1 else t for n, t in run.state_dict().items()}, file)
    model = build("resnet18", weights=str(file))
    tolerance = 1e-3 if kind.startswith("half") else 0
    for name in ("conv1.weight", "layer4.1.bn2.running_var"):
        torch.testing.assert_close(model.network.state_dict()[name], state[name], atol=tolerance, rtol=0)
    assert model.network.fc.weight.shape == (7, 512)
    assert model.mean.tolist() == pytest.approx([0.485, 0.456, 0.406])


def test_a_runs_own_file_of_eight_bits_is_refused_and_the_run_named_instead(backbone_file, tmp_path):
    file = tmp_path / "weights.safetensors"
    file.write_bytes(pack_weights(build("resnet18", weights=str(backbone_file), classes=5).state_dict()))
    with pytest.raises(FerError, match="those of one of our own runs; start from that run by its name"):
        build("resnet18", weights=str(file))


def test_a_trained_run_is_rebuilt_without_the_weights_it_started_from(backbone_file):
    trained = build("resnet18", weights=str(backbone_file), frozen="backbone").eval()
    backbone_file.unlink()
    rebuilt = rebuild("resnet18", weights=str(backbone_file), frozen="backbone").eval()
    rebuilt.load_state_dict(trained.state_dict())
    faces = torch.rand(2, 1, 48, 48) * 2 - 1
    assert torch.equal(rebuilt(faces), trained(faces))


def test_without_a_network_the_sentence_names_what_works(offline_cache):
    with pytest.raises(FerError, match=r"resnet18 cannot be downloaded .*choose weights=none, or weights=FILE"):
        build("resnet18", weights="imagenet")


def test_a_file_of_another_network_says_where_it_does_not_fit(backbone_file):
    with pytest.raises(FerError, match=r"do not fit this network: they (lack|have an unknown|have another shape of) "):
        build("resnet50", weights=str(backbone_file))


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    file = tmp_path / "evil.pth"
    torch.save({"weight": Looker()}, file)
    with pytest.raises(FerError, match=r"evil.pth' cannot be read"):
        build("resnet18", weights=str(file))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("broken.safetensors", b"not this", "cannot be read"),
        ("broken.pth", b"not this", "cannot be read"),
        ("absent.pth", None, "there is no file of weights"),
        ("imagnet", None, "unknown weights .*choose none, imagenet or a file"),
    ],
)
def test_a_bad_file_of_weights_is_one_sentence(name, content, sentence, tmp_path):
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FerError, match=sentence):
        build("resnet18", weights=str(tmp_path / name))


def test_a_file_that_holds_no_state_dict_says_so(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "other.pth")
    with pytest.raises(FerError, match="are no state dict"):
        build("resnet18", weights=str(tmp_path / "other.pth"))


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2_x0_5", "squeezenet1_1", "mnasnet0_5"])
def test_any_network_of_torchvision_is_built_for_faces(name):
    model = build(f"torchvision:{name}", classes=6).eval()
    assert model(torch.zeros(2, 1, 48, 48)).shape == (2, 6)
    assert ARCHITECTURES.get(f"torchvision:{name}").summary.endswith(".")


def test_torchvisions_networks_do_not_fill_the_list():
    assert not any(name.startswith("torchvision") for name in ARCHITECTURES.names())


def test_an_unknown_name_of_torchvision_lists_close_ones():
    with pytest.raises(UnknownNameError, match=r"no network 'efficientnet_b9' .*efficientnet_b7"):
        build("torchvision:efficientnet_b9")


def test_an_unknown_architecture_mentions_the_family():
    with pytest.raises(UnknownNameError, match=r"did you mean 'resnet18'.*any torchvision:NAME"):
        build("resnet19")


def test_faces_that_a_network_cannot_take_are_refused_in_a_sentence():
    with pytest.raises(FerError, match=r"alexnet cannot take 16×16 pixels; try input_size=224"):
        build("torchvision:alexnet", size=16)


def test_only_gray_and_colour_faces_are_taken():
    with pytest.raises(FerError, match="resnet18 takes gray or RGB faces, got 2 channels"):
        build("resnet18", channels=2)
