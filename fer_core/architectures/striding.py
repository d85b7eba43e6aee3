"""Convolution of single pixels with a stride, whose gradient oneDNN gets wrong on several threads of a CPU."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_core.architectures.convolution import input_gradient, weight_gradient

BLOCK = 16  # channels that oneDNN takes together; with fewer, it writes behind the memory that it reserved


class Conv2d(nn.Conv2d):
    """`nn.Conv2d` of 1×1 kernels with a stride, without padding and groups, in its results.

    oneDNN first gathers the pixels that such a convolution reads. For the gradient of the kernels, with fewer channels
    than BLOCK and channels_last, it reserves too little memory for them: on several threads the process dies, or the
    gradient is wrong (github.com/uxlfoundation/oneDNN/issues/6035). Here that gradient is a product of matrices.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name is nn.Module's)
        """(B, C, H, W) -> (B, F, ⌈H / stride⌉, ⌈W / stride⌉)."""
        if not (input.device.type == "cpu" and torch.is_grad_enabled() and self.weight.requires_grad):
            return super().forward(input)
        maps, weight, bias = input, self.weight, self.bias
        if torch.is_autocast_enabled("cpu"):  # cast here, so that autograd casts the gradients back
            dtype = torch.get_autocast_dtype("cpu")
            maps, weight, bias = maps.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
        out: Tensor = _Strided.apply(maps, weight, self.stride)
        return out if bias is None else out + bias[:, None, None]


class _Strided(torch.autograd.Function):
    """The convolution, with a gradient of the kernels that is summed over the gathered pixels."""

    @staticmethod
    def forward(context: Any, maps: Tensor, weight: Tensor, stride: tuple[int, int]) -> Tensor:
        """(B, F, ⌈H / stride⌉, ⌈W / stride⌉) for maps (B, C, H, W) and kernels (F, C, 1, 1)."""
        context.save_for_backward(maps, weight)
        context.stride = stride
        return F.conv2d(maps, weight, stride=stride)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, None]:
        """The gradients of the maps, which oneDNN computes well, and of the kernels."""
        (gradient,) = gradients
        maps, weight = context.saved_tensors
        needed = context.needs_input_grad[0]
        of_maps = input_gradient(maps, gradient, weight, stride=context.stride) if needed else None
        down, across = context.stride
        return of_maps, weight_gradient(maps[..., ::down, ::across], gradient, kernel=1, padding=0), None


def mend_strides(model: nn.Module) -> nn.Module:
    """The model; its convolutions that oneDNN gets wrong are `Conv2d` of this module now, with the weights they had."""
    for module in model.modules():
        if type(module) is nn.Conv2d and _is_wrong(module):
            module.__class__ = Conv2d
    return model


def _is_wrong(convolution: nn.Conv2d) -> bool:
    return (
        convolution.kernel_size == (1, 1)
        and convolution.stride != (1, 1)
        and convolution.padding in ((0, 0), "valid")
        and convolution.groups == 1
        and convolution.in_channels < BLOCK
    )
