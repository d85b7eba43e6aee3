"""Weights to start from: downloaded ImageNet ones, or a state dict in a file."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from fer_core.errors import FerError

NONE, IMAGENET = "none", "imagenet"
SUFFIXES = (".safetensors", ".pth", ".pt")
# mean and deviation of each channel of an image in [0, 1]; "symmetric" leaves faces in [-1, 1] as they are
NORMALIZATIONS = {
    "symmetric": ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    IMAGENET: ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    # of levels in 0..255: 127 and 128
    "efficientnet_lite": ([127 / 255] * 3, [128 / 255] * 3),
}
# training in parallel, and our own runs, put these before every name
PREFIXES = ("module.", "network.")
# what our own runs hold beside the network
NORMALIZING = ("mean", "deviation")
SCALE = ".scale"  # beside each weight in a run's file, which holds eight bits a number: see `runs.weights`
# heads that some networks have for training on ImageNet alone
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")


def pretrained_weights(network: str, weights: str) -> dict[str, Tensor]:
    """The state dict that `weights` names: of torchvision's ImageNet `network`, or of a file.

    Raises FerError where it cannot be had, with what else to choose.
    """
    return imagenet_weights(network) if weights == IMAGENET else file_weights(weights)


def imagenet_weights(network: str) -> dict[str, Tensor]:
    """Torchvision's first ImageNet weights of `network` (those of the papers), downloaded once and checked."""
    from torchvision.models import get_model_weights  # type: ignore[import-untyped]

    choices = get_model_weights(network)
    chosen = choices["IMAGENET1K_V1"] if "IMAGENET1K_V1" in choices.__members__ else next(iter(choices))
    try:
        return dict(chosen.get_state_dict(progress=False, check_hash=True, weights_only=True))
    except (OSError, RuntimeError) as error:
        raise FerError(
            f"the ImageNet weights of {network} cannot be downloaded ({error}); "
            "choose weights=none, or weights=FILE with a state dict (.safetensors, .pth)"
        ) from error


def file_weights(weights: str) -> dict[str, Tensor]:
    """The state dict in a file; pickles are read as tensors and plain types alone."""
    path = Path(weights).expanduser()
    if path.suffix not in SUFFIXES:
        raise FerError(f"unknown weights {weights!r}; choose none, imagenet or a file ({', '.join(SUFFIXES)})")
    if not path.is_file():
        raise FerError(f"there is no file of weights {weights!r}; choose none, imagenet or another file")
    try:
        state = _read(path)
    except Exception as error:  # safetensors, zip and pickle raise their own, unrelated classes
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise FerError(f"the weights {weights!r} cannot be read: {reason}") from error
    if not isinstance(state, Mapping) or not state or not all(isinstance(t, Tensor) for t in state.values()):
        raise FerError(f"the weights {weights!r} are no state dict (names and tensors)")
    if any(f"{name}{SCALE}" in state for name in state):
        raise FerError(f"the weights {weights!r} are those of one of our own runs; start from that run by its name")
    return {_plain(name): tensor for name, tensor in state.items()}


def load_backbone(network: nn.Module, state: Mapping[str, Tensor], last_layer: str, origin: str) -> None:
    """Copy all of `state` but the last layer into `network`; raises FerError, naming `origin`, where it does not fit.

    Our own runs keep their normalisation beside the network: it is left out, with the heads for ImageNet alone.
    """
    left_out = (f"{last_layer}.", *AUXILIARY)
    expected = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(left_out)}
    given = {name: t for name, t in state.items() if not name.startswith(left_out) and name not in NORMALIZING}
    # files older than PyTorch 0.4.1 lack this counter, which nothing here reads
    missing = [name for name in expected if name not in given and not name.endswith("num_batches_tracked")]
    unknown = [name for name in given if name not in expected]
    other = [name for name in expected if name in given and given[name].shape != expected[name].shape]
    for names, problem in ((missing, "lack"), (unknown, "have an unknown"), (other, "have another shape of")):
        if names:
            raise FerError(f"the weights {origin!r} do not fit this network: they {problem} {names[0]}")
    network.load_state_dict(given, strict=False)


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    content = torch.load(path, map_location="cpu", weights_only=True)
    for wrapper in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            return content[wrapper]
    return content


def _plain(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name
