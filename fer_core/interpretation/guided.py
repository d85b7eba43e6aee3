"""Guided backpropagation: gradients that pass a rectifier only where they and what it gave are positive.

Springenberg, Dosovitskiy, Brox, Riedmiller, "Striving for simplicity", 2014. Captum's hooks see the module `nn.ReLU`
alone, and miss `torch.relu` and ReLU6, which networks here use; functions are caught here instead. Where captum's
sees all, tests hold both equal.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_RELU = frozenset((F.relu, torch.relu, Tensor.relu))
_RELU6 = frozenset((F.relu6,))
# rectifiers that work in place outside of a module, and what bends without cutting off: their gradient stays plain
_OTHERS = frozenset(
    ("relu_", "silu", "gelu", "elu", "selu", "celu", "leaky_relu", "prelu", "rrelu", "hardswish", "mish", "softplus")
)


class GuidedRectifiers(TorchFunctionMode):
    """Inside the block this thread's rectifiers guide gradients; `seen` counts them, `plain` names what does not."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.plain: set[str] = set()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        ceiling = _ceiling(func, args, given)
        if ceiling is not None:
            self.seen += 1
            return _Guided.apply(args[0] if args else given["input"], ceiling)
        name = getattr(func, "__name__", "")
        if name in _OTHERS:
            self.plain.add(name)
        return func(*args, **given)


def _ceiling(func: Any, args: tuple[Any, ...], given: dict[str, Any]) -> float | None:
    """Where the rectifier cuts off above (inf: nowhere); None for other functions."""
    if func in _RELU:
        return float("inf")
    if func in _RELU6:
        return 6.0
    if func is F.hardtanh:
        values = dict(zip(("input", "min_val", "max_val"), args, strict=False)) | given
        return float(values.get("max_val", 1.0)) if values.get("min_val", -1.0) == 0 else None
    return None


class _Guided(torch.autograd.Function):
    """`min(max(x, 0), ceiling)`, whose gradient loses its negative part."""

    @staticmethod
    def forward(context: Any, values: Tensor, ceiling: float) -> Tensor:
        context.save_for_backward((values > 0) & (values < ceiling))
        return values.clamp(0, ceiling)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (active,) = context.saved_tensors
        return gradients[0].clamp(min=0) * active, None
