"""The network that a training begins with: freshly initialised, or from another run's weights."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from fer_core.architectures import DescriptorMLP, build
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.runs import Run, RunStore
from fer_core.training.widening import answers_alike, can_widen, widen

AGREE = "size and colour of the faces must agree, and a wider network must tell the same emotions apart"
TRIED = 4  # faces of noise, which a network answers before and after it is widened
TABLE_SIZE = 48  # a table has no pixels, and its network's size does not matter


def build_model(spec: RunSpec, faces: Tensor) -> nn.Module:
    """The spec's architecture, freshly initialised for faces (N, C, H, W) or columns (N, D) like these."""
    is_table = faces.ndim == 2
    model = build(
        spec.architecture,
        channels=1 if is_table else faces.shape[1],
        size=TABLE_SIZE if is_table else faces.shape[-1],
        classes=len(spec.emotions),
        **spec.architecture_arguments,
    )
    if is_table and isinstance(model, DescriptorMLP) and model.width != faces.shape[1]:
        raise FerError(f"the table has {faces.shape[1]} columns, and {spec.architecture} here takes {model.width}")
    return model


def initial_model(spec: RunSpec, faces: Tensor, store: RunStore) -> nn.Module:
    """`build_model`, with the weights of the run that the spec starts from, if it names one."""
    model = build_model(spec, faces)
    if spec.init_from:
        take_weights(model, store.get(spec.init_from), faces, spec.emotions)
    return model


def take_weights(model: nn.Module, run: Run, faces: Tensor, emotions: Sequence[str]) -> None:
    """Copy a run's weights into `model`; the last layer stays fresh where it tells other `emotions` apart.

    A wider `model` of the same emotions, for faces like these, takes them as `widening` says. Raises FerError where
    another layer differs or the run is an ensemble, and RunError where the run has no weights.
    """
    members = run.spec.architecture_arguments.get("members")
    if members:
        names = ", ".join(str(each["run"]) for each in members)
        raise FerError(
            f"{run.id} is an ensemble, which is no one network to start from; choose from its members {names}"
        )
    given, expected = run.weights(), model.state_dict()
    is_alike = list(run.spec.emotions) == list(emotions)
    if is_alike and can_widen(given, expected):
        _take_widened(model, run, given, faces)
        return
    last = _last_layer(expected)
    wrong = _difference(given, expected, last)
    if wrong:
        raise FerError(f"the weights of {run.id}, a {run.spec.architecture}, do not fit: {wrong}")
    fresh = [] if is_alike else [name for name in expected if name.startswith(last)]
    model.load_state_dict({**expected, **{name: t for name, t in given.items() if name not in fresh}})


def _take_widened(model: nn.Module, run: Run, given: Mapping[str, Tensor], faces: Tensor) -> None:
    """Widen a run's weights into `model`, which must then answer as the run's own network does."""
    narrow = build_model(run.spec, faces)
    narrow.load_state_dict(dict(given))
    model.load_state_dict(widen(given, model.state_dict()))
    if not answers_alike(narrow, model, torch.randn(TRIED, *faces.shape[1:])):
        name = run.spec.architecture
        raise FerError(f"the weights of {run.id} do not fit: a wider {name} does not answer as the narrower one")


def _last_layer(state: Mapping[str, Tensor]) -> str:
    """The prefix of the layer that gives the classes."""
    weights = [name for name, tensor in state.items() if name.endswith(".weight") and tensor.ndim > 1]
    return weights[-1].removesuffix("weight")


def _difference(given: Mapping[str, Tensor], expected: Mapping[str, Tensor], last: str) -> str:
    """Where the tensors differ other than in the number of classes, or the empty string."""
    missing = [name for name in expected if name not in given]
    unknown = [name for name in given if name not in expected]
    if missing or unknown:
        lack = f"they lack '{missing[0]}'" if missing else f"they have '{unknown[0]}', which this network lacks"
        return f"{lack}; start from a run of the same architecture and arguments"
    for name, tensor in expected.items():
        there, here = tuple(given[name].shape), tuple(tensor.shape)
        if there != here and not (name.startswith(last) and there[1:] == here[1:]):
            return f"{name} is {there} there and {here} here; {AGREE}"
    return ""
