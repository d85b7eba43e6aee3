"""Helpers that several steps share: to grey levels, tables of grey levels, borders, luminance."""

from collections.abc import Callable

import torch
from torch import Tensor

LEVELS = 256


def deviations_to_grey(deviations: Tensor, limit: float) -> Tensor:
    """Map deviations from a mean to grey levels: `-limit..limit` to 0..255, zero to the middle.

    `deviations`: float32 of any shape, may be overwritten; returns uint8.
    """
    return round_to_grey(deviations.mul_(127.5 / limit).add_(127.5))


def round_to_grey(values: Tensor) -> Tensor:
    """Round (halves to even, as OpenCV's saturate_cast) and clip to uint8; `values` may be overwritten."""
    return values.round_().clamp_(0, LEVELS - 1).to(torch.uint8)


def table_keys(images: Tensor, tables: Tensor | None = None) -> Tensor:
    """Flat positions `table * 256 + grey level`, one a pixel, int32.

    `images`: uint8 (N, L); `tables`: int32, broadcast to (N, L), the number of each pixel's table;
    without it every image has its own.
    """
    if tables is None:
        tables = torch.arange(images.shape[0], dtype=torch.int32, device=images.device)[:, None]
    return (images + tables * LEVELS).flatten()


def histograms(keys: Tensor, count: int) -> Tensor:
    """Histograms (count, 256) from the flat keys of `table_keys`."""
    if torch.compiler.is_exporting():  # ONNX has no bincount
        counts = torch.zeros(count * LEVELS, dtype=torch.int64, device=keys.device)
        return counts.scatter_add(0, keys.long(), torch.ones_like(keys, dtype=torch.int64)).view(count, LEVELS)
    return torch.bincount(keys, minlength=count * LEVELS).view(count, LEVELS)


def pad_index(length: int, before: int, after: int, border: str, device: torch.device) -> Tensor:
    """Source positions of a padded axis, int64 (before + length + after).

    `border` is `replicate` (aaa|abcd|ddd) or `reflect101` (dcb|abcd|cba), as OpenCV names them.
    """
    positions = torch.arange(-before, length + after, device=device)
    if border == "replicate" or length == 1:
        return positions.clamp(0, length - 1)
    period = 2 * (length - 1)
    wrapped = positions.remainder(period)
    return torch.minimum(wrapped, period - wrapped)


def pad(images: Tensor, rows: tuple[int, int], columns: tuple[int, int], border: str) -> Tensor:
    """Pad (…, H, W) by `rows` (above, below) and `columns` (left, right); see `pad_index` for `border`."""
    height, width = images.shape[-2:]
    taller = images.index_select(-2, pad_index(height, *rows, border, images.device))
    return taller.index_select(-1, pad_index(width, *columns, border, images.device))


def on_luminance(function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Apply `function` to gray images, or to the luminance of colour ones, leaving the colour as it is.

    `images`: uint8 (N, 1, H, W) or RGB (N, 3, H, W); `function` maps uint8 (N, 1, H, W) to the same.
    The colour space is YCrCb in OpenCV's 14-bit fixed point (`cv2.COLOR_RGB2YCrCb`).
    """
    if images.shape[1] == 1:
        return function(images)
    red, green, blue = images.to(torch.int32).unbind(1)
    luminance = _descale(red * 4899 + green * 9617 + blue * 1868)
    red_difference = (_descale((red - luminance) * 11682) + 128).clamp_(0, 255) - 128
    blue_difference = (_descale((blue - luminance) * 9241) + 128).clamp_(0, 255) - 128
    mapped = function(luminance.to(torch.uint8)[:, None])[:, 0].to(torch.int32)
    channels = (
        mapped + _descale(red_difference * 22987),
        mapped + _descale(red_difference * -11698 + blue_difference * -5636),
        mapped + _descale(blue_difference * 29049),
    )
    return torch.stack(channels, 1).clamp_(0, 255).to(torch.uint8)


def _descale(values: Tensor) -> Tensor:
    return (values + (1 << 13)) >> 14
