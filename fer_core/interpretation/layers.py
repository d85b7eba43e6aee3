"""The layers of a live network: what each gives and sees, and how its parameters are counted."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from fer_core.interpretation.trace import Step, trace_steps


@dataclass(frozen=True)
class LayerRow:
    """One layer: `output_shape` without the batch, and its parameters with their arithmetic.

    `parameters` counts batch normalisation's running statistics too, as Keras does; `arithmetic` is
    empty where there is nothing to count, and `(3·3·1 + 1)·32 = 320` for a convolution of 32 filters.
    `macs` counts multiplications with weights for one face; `receptive_field` is the side, in pixels of the
    face, of what one value can depend on. `inputs` are the rows that it takes, -1 the face.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    arithmetic: str
    kernel: str = ""
    macs: int = 0
    receptive_field: int = 0
    inputs: tuple[int, ...] = ()

    @property
    def is_spatial(self) -> bool:
        """Whether it gives maps (F, H, W) of more than one pixel."""
        return len(self.output_shape) == 3 and min(self.output_shape[1:]) > 1


def layer_table(model: nn.Module, channels: int, size: int) -> list[LayerRow]:
    """Every layer in the order in which one face (`channels`, `size`, `size`) passes it.

    Functions between layers, such as the sum where branches meet, have rows of their own. A layer that is
    passed twice has two rows, and its parameters in the first. Parameters that belong to no layer of their own
    come last, so that the rows always add up to the network's parameters. The model is left as it was.
    """
    counted: set[int] = set()
    rows = [_row(step, counted, size) for step in trace_steps(model, channels, size)]
    return rows + list(_parameters_beside(model, counted))


def _row(step: Step, counted: set[int], size: int) -> LayerRow:
    tensors = [tensor for tensor in _tensors(step.module) if id(tensor) not in counted]
    counted.update(map(id, tensors))
    parameters = sum(tensor.numel() for tensor in tensors)
    return LayerRow(
        step.name,
        step.kind,
        step.output_shape,
        parameters,
        f"{_product(step.module)} = {parameters:,}" if parameters and step.module else "",
        step.kernel,
        step.macs,
        step.field.within(size),
        step.inputs,
    )


def _tensors(module: nn.Module | None) -> list[Tensor]:
    if module is None:
        return []
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
