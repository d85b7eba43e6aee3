"""Contrast-limited adaptive histogram equalisation."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.chain import argument
from fer_core.preprocessing.base import Context, Step, map_chunks, step
from fer_core.preprocessing.grey import LEVELS, histograms, on_luminance, pad, round_to_grey, table_keys


@step("clahe")
@dataclass(frozen=True)
class Clahe(Step):
    """Contrast-limited adaptive histogram equalisation: equalise tile by tile, with limited contrast.

    The algorithm of `cv2.createCLAHE(clip_limit, (tiles, tiles))`; equal on x86, at most one grey level
    apart where a compiler fuses multiplications and additions. Four tiles a side by default, not
    OpenCV's eight: in an 8x8 grid a tile of a 48-pixel face has 36 pixels, and as at least one pixel a level
    is let through, contrast could grow sevenfold whatever the limit says; with 144 pixels it is about two.
    Colour images are equalised in their luminance.
    """

    clip_limit: float = argument(2.0, "largest gain of contrast; 0 sets no limit", low=0.0, high=256.0)
    tiles: int = argument(4, "tiles along each side", low=1, high=16)

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Equalise uint8 (N, C, H, W)."""
        tables = self.tiles**2 * LEVELS
        return map_chunks(lambda chunk: on_luminance(self._equalise, chunk), images, values_per_image=tables)

    def _equalise(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        rows, columns = self._padding(height, width)
        padded = pad(images, (0, rows), (0, columns), "reflect101")
        tile_height, tile_width = (height + rows) // self.tiles, (width + columns) // self.tiles
        tables = self._tables(padded, tile_height, tile_width).flatten()
        upper, lower, down = self._neighbours(height, tile_height, images.device)
        left, right, across = self._neighbours(width, tile_width, images.device)

        def seen_through(row: Tensor, column: Tensor) -> Tensor:
            """Each pixel through the table of one of its tiles, of which `row` (H,) and `column` (W,) are the place."""
            tile = (row[:, None] * self.tiles + column).flatten()
            keys = table_keys(images.flatten(1), self._first_tables(images) + tile)
            return tables.index_select(0, keys).view_as(images).to(torch.float32)

        above = seen_through(upper, left).mul_(1 - across).add_(seen_through(upper, right).mul_(across))
        below = seen_through(lower, left).mul_(1 - across).add_(seen_through(lower, right).mul_(across))
        down = down[:, None]
        return round_to_grey(above.mul_(1 - down).add_(below.mul_(down)))

    def _padding(self, height: int, width: int) -> tuple[int, int]:
        """Rows below and columns to the right that make tiles of whole pixels.

        As in OpenCV, one side that does not divide pads both, the other by a pixel a tile.
        """
        if height % self.tiles == 0 and width % self.tiles == 0:
            return 0, 0
        return self.tiles - height % self.tiles, self.tiles - width % self.tiles

    def _first_tables(self, images: Tensor) -> Tensor:
        """Number of the first tile of each image, int32 (N, 1)."""
        return torch.arange(images.shape[0], dtype=torch.int32, device=images.device)[:, None] * self.tiles**2

    def _tables(self, padded: Tensor, tile_height: int, tile_width: int) -> Tensor:
        """New grey level for every old one, uint8 (N * tiles * tiles, 256)."""
        rows = torch.arange(padded.shape[2], dtype=torch.int32, device=padded.device) // tile_height
        columns = torch.arange(padded.shape[3], dtype=torch.int32, device=padded.device) // tile_width
        tile = (rows[:, None] * self.tiles + columns).flatten()
        keys = table_keys(padded.flatten(1), self._first_tables(padded) + tile)
        counts = histograms(keys, padded.shape[0] * self.tiles**2)
        pixels = tile_height * tile_width
        if self.clip_limit > 0:
            counts = _clip(counts, max(int(self.clip_limit * pixels / LEVELS), 1))
        scale = torch.tensor((LEVELS - 1) / pixels, dtype=torch.float32, device=padded.device)
        return round_to_grey(counts.cumsum(1).to(torch.float32).mul_(scale))

    def _neighbours(self, length: int, tile: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """For each pixel along a side the tiles (int32) before and after, and how far it lies to the latter."""
        pixels = torch.arange(length, dtype=torch.float32, device=device)
        inverse = torch.tensor(1 / tile, dtype=torch.float32, device=device)
        place = pixels * inverse - 0.5
        before = place.floor()
        after = (before + 1).clamp_(max=self.tiles - 1)
        return before.clamp(min=0).to(torch.int32), after.to(torch.int32), place - before


def _clip(counts: Tensor, limit: int) -> Tensor:
    """Cut histograms (K, 256) at `limit` and hand what was cut to all levels evenly, the rest at even steps."""
    surplus = (counts - limit).clamp_(min=0).sum(1, keepdim=True)
    level = torch.arange(LEVELS, dtype=torch.int32, device=counts.device)
    rest = level[:, None]
    stride = LEVELS // rest.clamp(min=1)
    extra = ((level % stride == 0) & (level // stride < rest)).to(torch.int32)  # (256, 256): one row for each rest
    shared = extra.index_select(0, (surplus[:, 0] % LEVELS).to(torch.int32))
    return counts.clamp(max=limit).add_(surplus // LEVELS).add_(shared)
