"""PHOG on images whose answer is known."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.feature import canny
from skimage.filters import gaussian, sobel_h, sobel_v

from fer_core.features import edge_map
from fer_core.features.phog import Phog, _sobel

Draw = Callable[[str], NDArray[np.uint8]]


def test_a_constant_image_has_only_zeros() -> None:
    images = np.stack([np.full((30, 40), level, np.uint8) for level in (0, 9, 255)])
    assert not Phog().describe(images).any()
    assert not Phog().describe(images * 0.1).any()
    assert not edge_map(images).any()


@pytest.mark.parametrize(("direction", "expected"), [("right", 0), ("down", 2), ("left", 4), ("up", 6)])
def test_a_single_edge_lies_in_the_bin_of_its_direction(direction: str, expected: int, edge: Draw) -> None:
    whole = Phog(levels=0).describe(edge(direction))[0]
    assert whole.tolist() == np.eye(8)[expected].tolist()


@pytest.mark.parametrize(("rows", "columns", "expected"), [(1, 1, 1), (1, -1, 3), (-1, -1, 5), (-1, 1, 7)])
def test_a_slanting_slope_lies_between_the_axes(rows: int, columns: int, expected: int) -> None:
    # 2:1 slopes: 45 degrees would be the border of two bins
    row, column = np.mgrid[:64, :64]
    height = rows * (row - 31) * 2 + columns * (column - 31) * 1.7
    whole = Phog(levels=0).describe(np.where(height > 0.3, 200.0, 40.0)[None])[0]
    assert whole.argmax() in (expected, (expected + 1) % 8, (expected - 1) % 8)
    assert whole[[(expected + turn) % 8 for turn in (-1, 0, 1)]].sum() == pytest.approx(1)


def test_a_vertical_edge_is_found_once_along_its_whole_length(edge: Draw) -> None:
    edges = edge_map(edge("right"))[0]
    assert edges[1:-1].sum(1).tolist() == [1] * 62
    assert set(np.nonzero(edges)[1]) <= {30, 31}


def test_every_level_holds_the_same_edges_in_smaller_cells(edge: Draw) -> None:
    values = Phog().describe(edge("right"))[0]
    ends = np.cumsum([8, 32, 128, 512])
    for level, part in enumerate(np.split(values, ends[:-1])):
        cells = part.reshape(2**level, 2**level, 8)
        assert cells.sum() == pytest.approx(0.25)
        assert not cells[..., 1:].any()
        columns = np.flatnonzero(cells.sum((0, 2)))
        # the edge between columns 30 and 31 lies in the left half, in its last cell
        assert columns.tolist() == [max(0, 2**level // 2 - 1)]
        np.testing.assert_allclose(cells[:, columns[0], 0], cells[:, columns[0], 0].mean(), rtol=0.2)


def test_an_edge_in_a_corner_fills_only_that_corner() -> None:
    image = np.zeros((1, 64, 64), np.uint8)
    image[0, 4:28, 40:60] = 200
    cells = Phog(levels=1).describe(image)[0][8:].reshape(2, 2, 8)
    assert cells[0, 1].sum() == pytest.approx(0.5)
    assert cells.sum() == pytest.approx(0.5)
    assert cells[0, 1, 0] > 0
    assert cells[0, 1, 4] > 0


def test_strong_edges_count_more_than_weak_ones() -> None:
    image = np.zeros((1, 60, 60), np.uint8)
    image[0, :, 20:40] = 50
    image[0, :, 40:] = 150
    image[0, :, 55:] = 120
    values = Phog(levels=0).describe(image)[0]
    assert values[0] == pytest.approx(150 / 180)
    assert values[4] == pytest.approx(30 / 180)


def test_only_pixels_on_an_edge_count(photos: dict[str, NDArray[np.uint8]]) -> None:
    photo = photos["astronaut"]
    on_edge = edge_map(photo[None])[0]
    across, down = (gradient[0][on_edge] for gradient in _sobel(photo[None].astype(np.float64)))
    angles = np.degrees(np.arctan2(down, across)) % 360
    expected, _ = np.histogram(angles, 8, (0, 360), weights=np.hypot(across, down))
    np.testing.assert_allclose(Phog(levels=0).describe(photo[None])[0], expected / expected.sum(), atol=1e-12)
    assert 0.02 < on_edge.mean() < 0.3


def test_the_gradients_are_sobels(photos: dict[str, NDArray[np.uint8]]) -> None:
    photo = photos["cat"].astype(np.float64)
    across, down = (gradient[0] for gradient in _sobel(photo[None]))
    inner = (slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(across[inner], 4 * sobel_v(photo)[inner])
    np.testing.assert_allclose(down[inner], 4 * sobel_h(photo)[inner])


@pytest.mark.parametrize("name", ["astronaut", "camera", "cat", "coffee"])
def test_the_edges_agree_with_scikit_image_at_the_same_thresholds(
    name: str, photos: dict[str, NDArray[np.uint8]]
) -> None:
    photo = photos[name].astype(np.float64)
    smooth = gaussian(photo, 2**0.5, mode="nearest", preserve_range=True)
    high = np.quantile(4 * np.hypot(sobel_v(smooth), sobel_h(smooth)), 0.7)
    theirs = canny(photo, 2**0.5, 0.4 * high, high, mode="nearest")[2:-2, 2:-2]
    ours = edge_map(photo[None])[0][2:-2, 2:-2]
    assert (ours & theirs).sum() > 0.75 * (ours | theirs).sum()


def test_a_quarter_turn_turns_the_bins(photos: dict[str, NDArray[np.uint8]]) -> None:
    photo = photos["astronaut"].astype(np.float64)
    upright, turned = Phog(levels=0).describe(np.stack([photo, np.rot90(photo, -1)]))
    # clockwise by 90 degrees: what brightened to the right now brightens downwards
    np.testing.assert_allclose(turned, np.roll(upright, 2), atol=0.03)
    assert np.abs(turned - upright).max() > 0.03
