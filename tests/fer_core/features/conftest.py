"""Images that the feature tests share."""

from typing import Any

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from skimage.color import rgb2gray


def _photos() -> dict[str, NDArray[np.uint8]]:
    colour = {"astronaut": skimage.data.astronaut(), "cat": skimage.data.chelsea(), "coffee": skimage.data.coffee()}
    gray = {name: np.rint(rgb2gray(photo) * 255).astype(np.uint8) for name, photo in colour.items()}
    return {name: photo[:200, 100:300] for name, photo in {**gray, "camera": skimage.data.camera()}.items()}


@pytest.fixture(scope="session")
def photos() -> dict[str, NDArray[np.uint8]]:
    """Parts of real photos, uint8 (200, 200), by name."""
    return _photos()


@pytest.fixture(scope="session")
def batch(photos: dict[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Constant, sloping, noisy and photographed images, uint8 (N, 64, 80)."""
    rng = np.random.default_rng(0)
    slope = np.tile(np.arange(80, dtype=np.uint8) * 3, (64, 1))
    flat = [np.full((64, 80), level, np.uint8) for level in (0, 7, 255)]
    return np.stack(
        [*flat, slope, *rng.integers(0, 256, (3, 64, 80), np.uint8), *(p[:64, :80] for p in photos.values())]
    )


@pytest.fixture
def edge() -> Any:
    """A function (direction) -> uint8 (1, 64, 64): one edge whose bright side lies in that direction."""

    def draw(direction: str) -> NDArray[np.uint8]:
        image = np.full((64, 64), 40, np.uint8)
        half = slice(31, None) if direction in ("right", "down") else slice(None, 31)
        image[(slice(None), half) if direction in ("right", "left") else (half, slice(None))] = 200
        return image[None]

    return draw
