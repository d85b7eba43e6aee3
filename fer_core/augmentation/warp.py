"""One resampling for all geometric steps of a chain."""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from fer_core.augmentation.base import GeometricStep


def warp(faces: Tensor, steps: Sequence[GeometricStep], generator: torch.Generator) -> Tensor:
    """Draw the `steps`, compose them in their order and resample `faces` (B, C, H, W) once.

    Bilinear; beyond the border its nearest pixel goes on. Where all steps only mirror, pixels move
    without resampling.
    """
    count, _, height, width = faces.shape
    drawn = [step.matrices(count, height, width, generator) for step in steps]
    # Each matrix leads from the result back to its source, so the first step stands leftmost.
    matrices = reduce(torch.bmm, drawn).to(faces)
    if all(step.only_mirrors for step in steps):
        return torch.where(matrices[:, 0, 0].view(-1, 1, 1, 1) < 0, faces.flip(-1), faces)
    grid = _sampling_grid(matrices, height, width)
    # The grid is clamped, so that no padding is ever seen: devices without border padding serve with zeros, and on CUDA
    # the border keeps to PyTorch's own kernel, where cuDNN's takes no batches of 65,536 faces.
    padding = "border" if faces.is_cuda else "zeros"
    return functional.grid_sample(faces, grid, mode="bilinear", padding_mode=padding, align_corners=True)


def _sampling_grid(matrices: Tensor, height: int, width: int) -> Tensor:
    """Positions (B, H, W, 2) in grid_sample's coordinates, -1 and 1 being the outermost pixel centres."""
    x = torch.arange(width, device=matrices.device, dtype=matrices.dtype) - (width - 1) / 2
    y = torch.arange(height, device=matrices.device, dtype=matrices.dtype) - (height - 1) / 2
    halves = max(width - 1, 1) / 2, max(height - 1, 1) / 2
    scaled = torch.stack([matrices[:, row] / half for row, half in enumerate(halves)], 1)  # (B, 2, 3)
    by_column = scaled[:, None, None, :, 0] * x[:, None]  # (B, 1, W, 2)
    by_row = scaled[:, None, None, :, 1] * y[:, None, None] + scaled[:, None, None, :, 2]  # (B, H, 1, 2)
    return (by_column + by_row).clamp_(-1, 1)
