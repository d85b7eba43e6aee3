"""The layers of a live network: what each gives, and how its parameters are counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LayerRow:
    """One layer: `output_shape` without the batch, and its parameters with their arithmetic.

    `parameters` counts batch normalisation's running statistics too, as Keras does; `arithmetic` is
    empty where there is nothing to count, and `(3·3·1 + 1)·32 = 320` for a convolution of 32 filters.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    arithmetic: str


@dataclass(frozen=True)
class _Call:
    """One use of a module in a forward pass."""

    name: str
    module: nn.Module
    output_shape: tuple[int, ...]


def layer_table(model: nn.Module, channels: int, size: int) -> list[LayerRow]:
    """Every layer in the order in which one face (`channels`, `size`, `size`) passes it.

    A layer that is passed twice has two rows, and its parameters in the first. Parameters that belong
    to no layer of their own come last, so that the rows always add up to the network's parameters.
    The model is left as it was.
    """
    face = torch.zeros(1, channels, size, size, device=next(model.parameters()).device)
    with _evaluating(model), _recorded(model) as calls, torch.no_grad():
        model(face)
    counted: set[int] = set()
    rows = [_row(call, counted) for call in calls]
    return rows + list(_parameters_beside(model, counted))


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout and batch statistics off, as for one face, and back to what each module had."""
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def _recorded(model: nn.Module) -> Iterator[list[_Call]]:
    calls: list[_Call] = []

    def recorder(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def record(module: nn.Module, _inputs: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            calls.append(_Call(name, module, tuple(first.shape[1:])))

        return record

    layers = [(name, module) for name, module in model.named_modules() if not any(module.children())]
    handles = [module.register_forward_hook(recorder(name)) for name, module in layers]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _row(call: _Call, counted: set[int]) -> LayerRow:
    tensors = [tensor for tensor in _tensors(call.module) if id(tensor) not in counted]
    counted.update(map(id, tensors))
    parameters = sum(tensor.numel() for tensor in tensors)
    arithmetic = f"{_product(call.module)} = {parameters:,}" if parameters else ""
    return LayerRow(call.name, type(call.module).__name__, call.output_shape, parameters, arithmetic)


def _tensors(module: nn.Module) -> list[Tensor]:
    statistics = [buffer for name, buffer in module.named_buffers(recurse=False) if name.startswith("running_")]
    return [*module.parameters(recurse=False), *statistics]


def _product(module: nn.Module) -> str:
    """How a layer's parameters are counted, without the result."""
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        return _weights(f"{height}·{width}·{module.in_channels // module.groups:,}", module.out_channels, module.bias)
    if isinstance(module, nn.Linear):
        return _weights(f"{module.in_features:,}", module.out_features, module.bias)
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return f"{len(_tensors(module))}·{module.num_features:,}"
    return " + ".join(_sides(tensor) for tensor in _tensors(module))


def _weights(inputs: str, outputs: int, bias: Tensor | None) -> str:
    """Each of the outputs has a weight for every input, and a bias."""
    return f"{inputs}·{outputs:,}" if bias is None else f"({inputs} + 1)·{outputs:,}"


def _sides(tensor: Tensor) -> str:
    return "·".join(f"{side:,}" for side in tensor.shape) or "1"


def _parameters_beside(model: nn.Module, counted: set[int]) -> Iterator[LayerRow]:
    for name, module in model.named_modules():
        for short, tensor in module.named_parameters(recurse=False):
            if id(tensor) not in counted:
                counted.add(id(tensor))
                whole = f"{name}.{short}" if name else short
                arithmetic = f"{_sides(tensor)} = {tensor.numel():,}"
                yield LayerRow(whole, "Parameter", tuple(tensor.shape), tensor.numel(), arithmetic)
