"""Convolution whose gradient is quick on a CPU where many channels meet a small map."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SMALL = 6  # the side of a map up to which multiplying matrices beat PyTorch's own weight gradient (3 to 9 times)


class Conv2d(nn.Conv2d):
    """`nn.Conv2d` in its results; in bfloat16 on a CPU, the gradient of its weights is a product of matrices.

    oneDNN's own runs at a tenth of the processor's speed on the 6×6 and 3×3 maps of `deep_cnn` and
    `deeper_cnn`, where it took half of a training step. Elsewhere this is `nn.Conv2d` itself.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name is nn.Module's)
        """(B, C, H, W) -> (B, F, H', W')."""
        if not self._is_slow(input):
            return super().forward(input)
        # cast here, so that autograd casts the gradients back
        return _SmallMap.apply(input.bfloat16(), self.weight.bfloat16(), int(self.padding[0]))

    def _is_slow(self, faces: Tensor) -> bool:
        same = self.bias is None and self.stride == (1, 1) and self.groups == 1 and self.dilation == (1, 1)
        return (
            same
            and faces.device.type == "cpu"
            and torch.is_grad_enabled()
            and torch.is_autocast_enabled("cpu")
            and torch.get_autocast_dtype("cpu") == torch.bfloat16
            and max(faces.shape[-2:]) <= SMALL
            and self.padding[0] == self.padding[1] == (self.kernel_size[0] - 1) // 2 == (self.kernel_size[1] - 1) // 2
        )


class _SmallMap(torch.autograd.Function):
    """A convolution of a small map whose kernels' gradient is `weight_gradient`."""

    @staticmethod
    def forward(context: Any, faces: Tensor, weight: Tensor, padding: int) -> Tensor:
        """(B, F, H', W') for faces (B, C, H, W) and kernels (F, C, K, K), with stride 1."""
        context.save_for_backward(faces, weight)
        context.padding = padding
        return F.conv2d(faces, weight, padding=padding)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        """The gradients of the faces, which PyTorch computes fast, and of the kernels."""
        (gradient,) = gradients
        faces, weight = context.saved_tensors
        of_faces = input_gradient(faces, gradient, weight, padding=context.padding)
        return of_faces, weight_gradient(faces, gradient, weight.shape[-1], context.padding), None


def input_gradient(
    faces: Tensor, gradient: Tensor, weight: Tensor, stride: tuple[int, int] = (1, 1), padding: int = 0
) -> Tensor:
    """PyTorch's own gradient (B, C, H, W) of `faces` alone, which went into the convolution with `weight`."""
    found: Tensor
    found, *_ = torch.ops.aten.convolution_backward(
        *(gradient, faces, weight, None, stride, [padding] * 2, [1, 1], False, [0, 0], 1), [True, False, False]
    )
    return found


def weight_gradient(faces: Tensor, gradient: Tensor, kernel: int, padding: int) -> Tensor:
    """The gradient (F, C, K, K) of the kernels: for each of their places, the product over all faces and pixels.

    `faces` (B, C, H, W) went into the convolution with stride 1, `gradient` (B, F, H', W') came back.
    """
    height, width = gradient.shape[-2:]
    pixels = F.pad(faces, [padding] * 4).permute(0, 2, 3, 1)  # channels last: what the products sum over comes first
    back = gradient.permute(0, 2, 3, 1).flatten(0, 2).T
    places = [
        back @ pixels[:, row : row + height, column : column + width].reshape(-1, faces.shape[1])
        for row in range(kernel)
        for column in range(kernel)
    ]
    return torch.stack(places).unflatten(0, (kernel, kernel)).permute(2, 3, 0, 1)
