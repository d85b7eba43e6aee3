"""Rectangles of faces, as masks."""

import torch
from torch import Tensor


def rectangle_mask(faces: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Mask (B, 1, H, W) of one rectangle a face, given in pixels as (B,) each; parts outside are cut.

    A pixel belongs to it if its index is at least `top` (`left`) and below `top + height` (`left + width`).
    """
    rows = torch.arange(faces.shape[2], device=faces.device)
    columns = torch.arange(faces.shape[3], device=faces.device)
    in_rows = _between(rows, top.to(faces.device), height.to(faces.device))  # (B, H)
    in_columns = _between(columns, left.to(faces.device), width.to(faces.device))  # (B, W)
    return (in_rows[:, :, None] & in_columns[:, None, :])[:, None]


def _between(positions: Tensor, start: Tensor, length: Tensor) -> Tensor:
    return (positions >= start[:, None]) & (positions < (start + length)[:, None])
