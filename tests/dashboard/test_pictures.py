"""Pictures and numbers as files, and numbers as pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from dashboard.pictures import flat, gray, levels, mixed, npz, png, seen
from fer_core.preprocessing import scale_to_symmetric


def test_files_hold_the_picture_and_the_numbers() -> None:
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(picture)))), picture)
    loaded = np.load(io.BytesIO(npz({"maps": picture, "stem.0": picture[0]})))
    assert np.array_equal(loaded["maps"], picture)
    assert np.array_equal(loaded["stem.0"], picture[0])


@pytest.mark.parametrize("channels", [1, 3])
def test_every_grey_level_comes_back_from_the_scale_of_a_network(channels: int) -> None:
    import torch

    faces = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).repeat(1, channels, 1, 1)
    picture = seen(scale_to_symmetric(faces)[0].numpy())
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, flat(faces[0].permute(1, 2, 0).numpy()))
    assert picture.ndim == (2 if channels == 1 else 3)


def test_values_beyond_the_scale_of_a_network_are_cut() -> None:
    assert levels(np.array([-7.0, -1.0, 0.0, 1.0, 7.0])).tolist() == [0, 0, 128, 255, 255]


def test_a_colour_picture_is_gray_in_its_luminance_and_a_gray_one_stays() -> None:
    colors = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert gray(colors).tolist() == [[76, 150, 29, 255]]
    assert gray(colors[:, :, 0]).tolist() == [[255, 0, 0, 255]]


def test_a_ramp_is_met_at_its_colours_and_mixed_between_them() -> None:
    places = np.array([0, 0.25, 0.5, 1])
    assert mixed(["#FF0000", "#FFFFFF", "#0000FF"], places).tolist() == [
        [255, 0, 0], [255, 128, 128], [255, 255, 255], [0, 0, 255],
    ]  # fmt: skip
