"""Sheets of pictures on the page, each with its downloads."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from dashboard import components as ui
from dashboard.network import images
from dashboard.network.form import SIZES
from dashboard.pictures import npz, png
from dashboard.theme import scheme

STRIP = 372  # pixels: what a phone is wide


def sheet(
    pictures: Sequence[np.ndarray], labels: Sequence[str], size: str, alt: str, name: str,
    arrays: Mapping[str, np.ndarray],
) -> None:  # fmt: skip
    """Pictures with their labels in one of SIZES, and the buttons that save them with the numbers behind them."""
    side, columns = SIZES[size]
    strips(pictures, labels, side, alt)
    downloads(images.sheet(pictures, labels, side, columns, scheme()), name, arrays)


def strips(pictures: Sequence[np.ndarray], labels: Sequence[str], side: int, alt: str) -> None:
    """Pictures in strips that a phone shows one below the other, and a wide screen side by side."""
    each = max(1, (STRIP + images.GAP) // (side + images.GAP))
    with st.container(horizontal=True, gap="xsmall"):
        for start in range(0, len(pictures), each):
            part = slice(start, start + each)
            strip = images.sheet(pictures[part], labels[part], side, each, scheme())
            last = min(start + each, len(pictures))
            show(strip, f"{alt}, {start + 1} to {last} of {len(pictures)}")


def show(picture: np.ndarray, alt: str) -> None:
    """A sheet in its size on the page, or as wide as there is room."""
    st.image(png(picture), width=picture.shape[1] // images.FINE, alt=alt)


def downloads(picture: np.ndarray, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Buttons that save a picture as it is seen, and the numbers behind it in full."""
    with st.container(horizontal=True, gap="small"):
        ui.save_button("PNG", name, "png", lambda: png(picture))
        numbers(name, arrays)


def numbers(name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """A button that saves arrays."""
    ui.save_button("NPZ", name, "npz", lambda: npz(arrays))
