"""How much of the face one value of a layer can depend on."""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class Field:
    """A receptive field: `side` pixels of the face, and `jump` pixels between neighbouring values.

    A value that depends on the whole face, whatever its size, has an infinite side.
    """

    side: float = 1.0
    jump: float = 1.0

    def windowed(self, kernel: int, stride: int, dilation: int = 1) -> "Field":
        """After a window of `kernel` values that moves by `stride`."""
        return Field(self.side + (kernel - 1) * dilation * self.jump, self.jump * stride)

    def resized(self, factor: float) -> "Field":
        """After bilinear resizing by `factor`: each value mixes two neighbours."""
        return Field(self.side + self.jump, self.jump / factor)

    def within(self, size: int) -> int:
        """The side in whole pixels of a face of `size`."""
        return size if math.isinf(self.side) else min(size, math.ceil(self.side))


WHOLE = Field(math.inf, 0.0)


def widest(fields: "list[Field]") -> Field:
    """Where branches meet, a value depends on what any of them saw."""
    return max(fields, key=lambda field: (field.side, field.jump), default=WHOLE)


def after_module(field: Field, module: nn.Module, output_ndim: int) -> Field:
    """The field of a layer's values, which see `field` of the face; `output_ndim` counts the batch."""
    if isinstance(module, nn.Conv2d):
        return _window(field, module.kernel_size, module.stride, module.dilation)
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return _window(field, module.kernel_size, module.stride, getattr(module, "dilation", 1))
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d | nn.Linear) or output_ndim < 4:
        return field if isinstance(module, _POINTWISE) else WHOLE
    return field


# values that keep their place, although a dense layer's have none
_POINTWISE = (nn.BatchNorm1d, nn.Dropout, nn.ReLU, nn.Sigmoid, nn.Flatten, nn.Identity)


def after_function(
    fields: "list[Field]", name: str, arguments: dict[str, Any], shapes: "list[tuple[int, ...]]"
) -> Field:
    """The field after a function called `name`; `shapes` are those of its input and output, with the batch."""
    field = widest(fields)
    if name in ("max_pool2d", "avg_pool2d"):
        kernel = arguments["kernel_size"]
        return _window(field, kernel, arguments.get("stride") or kernel, arguments.get("dilation", 1))
    if name == "interpolate":
        return field.resized(shapes[1][-1] / shapes[0][-1])
    if name in _GLOBAL or len(shapes[1]) < 4:
        return WHOLE
    return field


_GLOBAL = ("mean", "sum", "amax", "adaptive_avg_pool2d", "adaptive_max_pool2d", "linear", "matmul",
           "scaled_dot_product_attention")  # fmt: skip


def _window(field: Field, kernel: Any, stride: Any, dilation: Any) -> Field:
    return field.windowed(_side(kernel), _side(stride), _side(dilation))


def _side(value: Any) -> int:
    """The larger side of a window that is given as one number or as two."""
    return max(value) if isinstance(value, tuple | list) else int(value)
