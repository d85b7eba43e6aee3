"""Batch normalisation whose gradient is quick on several threads of a CPU where there are few channels."""

from typing import Any

import torch
from torch import Tensor, nn

LINE = 64  # bytes of a cache line, which only one core can write at a time
FOLDS = (16, 8, 4, 2)  # pixels side by side that count as one with so many times the channels


class BatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` in its results.

    In PyTorch's gradient each thread sums into a row of its own, of as many float32 as there are channels. Rows that
    do not fill whole cache lines share one, for which the threads wait in turn: with 8 or 24 channels, two threads
    take two to seven times as long as one. Here the rows are whole lines. Elsewhere this is `nn.BatchNorm2d` itself.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name is nn.Module's)
        """(B, C, H, W) -> (B, C, H, W)."""
        if not self._is_slow(input):
            return super().forward(input)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        statistics = (self.running_mean, self.running_var)
        normalised: Tensor = _Folded.apply(input, self.weight, self.bias, *statistics, self.momentum, self.eps)
        return normalised

    def _is_slow(self, maps: Tensor) -> bool:
        return (
            self.training
            and self.affine
            and self.track_running_stats
            and self.momentum is not None
            and maps.device.type == "cpu"
            and torch.is_grad_enabled()
            and torch.get_num_threads() > 1
            and self.num_features * torch.float32.itemsize % LINE > 0
            and maps.is_contiguous(memory_format=torch.channels_last)
            and maps.numel() // self.num_features % FOLDS[-1] == 0
        )


class _Folded(torch.autograd.Function):
    """Batch normalisation whose gradient is `folded_gradients`."""

    @staticmethod
    def forward(
        context: Any,
        maps: Tensor,
        weight: Tensor,
        bias: Tensor,
        running_mean: Tensor,
        running_variance: Tensor,
        momentum: float,
        epsilon: float,
    ) -> Tensor:
        """The maps (B, C, H, W) normalised; moves the running statistics."""
        statistics = (running_mean, running_variance)
        normalised, mean, inverse = torch.native_batch_norm(maps, weight, bias, *statistics, True, momentum, epsilon)
        context.save_for_backward(maps, weight, mean, inverse)
        return normalised

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the maps, the weight and the bias."""
        return *folded_gradients(gradients[0], *context.saved_tensors), None, None, None, None


def folded_gradients(
    gradient: Tensor, maps: Tensor, weight: Tensor, mean: Tensor, inverse: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of `maps` (B, C, H, W), of the weight (C,) and of the bias (C,), of the `gradient` of the output.

    `mean` and `inverse` (C,) are the batch's mean and the inverse of its standard deviation. Both maps are
    channels_last, and their B·H·W pixels are as many as one of FOLDS divides.
    """
    channels = len(weight)
    pixels = maps.numel() // channels
    fold = next(each for each in FOLDS if pixels % each == 0)
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    # (B·H·W / fold, C·fold, 1, 1): the same memory, seen as fewer pixels with more channels
    back, seen = (each.permute(0, 2, 3, 1).reshape(-1, channels * fold, 1, 1) for each in (gradient, maps))
    wide = [each.repeat(fold) for each in (weight, mean, inverse)]
    _, of_weights, of_biases = torch.ops.aten.native_batch_norm_backward(
        back, seen, wide[0], None, None, wide[1], wide[2], True, 0.0, [False, True, True]
    )
    of_weight, of_bias = (each.view(fold, channels).sum(0) for each in (of_weights, of_biases))
    # of a pixel x with the gradient g: w·i·(g - of_bias/n - (x - mean)·i·of_weight/n) = scale·g + slope·x + offset
    scale = weight * inverse
    slope = -scale * inverse * of_weight / pixels
    offset = -scale * of_bias / pixels - slope * mean
    scale, slope, offset = (each.repeat(fold)[:, None, None] for each in (scale, slope, offset))
    of_maps = torch.addcmul(offset, back, scale).addcmul_(seen, slope).to(maps.dtype)
    batch, _, height, width = maps.shape
    return of_maps.view(batch, height, width, channels).permute(0, 3, 1, 2), of_weight, of_bias
