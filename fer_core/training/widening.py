"""A wider network that answers as a narrower one does, to train on from there.

Chen, Goodfellow, Shlens (2016), Net2Net, arXiv 1511.05641: each layer's further outputs repeat its first ones, and
the next layer's weights share what the repeated ones bring.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

SAME = 1e-3  # of the largest logit: what the order of sums may change
NOISE = 0.5  # of a layer's deviation, by which copies are told apart


def can_widen(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> bool:
    """Whether `wanted` has the same layers, some of them with more outputs, and reads the same faces and classes."""
    if set(given) != set(wanted):
        return False
    shapes = [(tuple(given[name].shape), tuple(tensor.shape)) for name, tensor in wanted.items()]
    layers = [(narrow, wide) for narrow, wide in shapes if len(narrow) > 1]
    if not all(_fits(narrow, wide) for narrow, wide in shapes) or layers[0][0][1:] != layers[0][1][1:]:
        return False
    grown: set[tuple[int, int]] = set()
    for narrow, wide in layers:
        if narrow[1] != wide[1] and not any(_is_read(outputs, (narrow[1], wide[1])) for outputs in grown):
            return False
        grown |= {(narrow[0], wide[0])} if narrow[0] < wide[0] else set()
    return bool(grown) and layers[-1][0][0] == layers[-1][1][0]


def widen(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights `given` in the shapes of `wanted`, which `can_widen`.

    What the network answers stays the same where each layer's outputs go whole and in their order into the next ones,
    and are normalised each by itself; shapes do not tell that, so `answers_alike` should be asked. Copies of an output
    are equal at first; the weights that read them differ by drawn numbers whose sum over the copies is zero, so that
    training tells them apart.
    """
    return {name: _widened(tensor, wanted[name].shape) for name, tensor in given.items()}


def answers_alike(narrow: nn.Module, wide: nn.Module, faces: Tensor) -> bool:
    """Whether both networks give the same logits for `faces`, as they stand in prediction."""
    were_training = [model.training for model in (narrow, wide)]
    with torch.no_grad():
        expected, found = (model.eval()(faces) for model in (narrow, wide))
    for model, was_training in zip((narrow, wide), were_training, strict=True):
        model.train(was_training)
    return torch.allclose(found, expected, rtol=0, atol=SAME * float(expected.abs().max()))


def _fits(narrow: tuple[int, ...], wide: tuple[int, ...]) -> bool:
    return (
        len(narrow) == len(wide) and narrow[2:] == wide[2:] and all(a <= b for a, b in zip(narrow, wide, strict=True))
    )


def _is_read(outputs: tuple[int, int], inputs: tuple[int, int]) -> bool:
    """Whether inputs grow as the outputs of an earlier layer do, each of which may be a map of several values."""
    return inputs[0] * outputs[1] == inputs[1] * outputs[0] and inputs[0] % outputs[0] == 0


def _widened(tensor: Tensor, shape: torch.Size) -> Tensor:
    """Outputs (the first dimension) are repeated; inputs (the second) share what they had."""
    if tensor.ndim and shape[0] > tensor.shape[0]:
        tensor = tensor[torch.arange(shape[0]) % tensor.shape[0]]
    if tensor.ndim < 2 or shape[1] == tensor.shape[1]:
        return tensor.clone()
    sources = torch.arange(shape[1]) % tensor.shape[1]
    copies = torch.bincount(sources).to(tensor.dtype)
    noise = NOISE * tensor.std() * torch.randn(shape)
    mean = torch.zeros_like(tensor).index_add_(1, sources, noise) / _along_inputs(copies, tensor)
    shares = tensor / _along_inputs(copies, tensor) - mean
    return shares[:, sources] + noise


def _along_inputs(values: Tensor, like: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (like.ndim - 2))
