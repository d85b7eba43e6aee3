"""Local phase quantisation on images whose answer is known."""

from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.feature import local_binary_pattern

from fer_core.features import lpq_codes
from fer_core.features.lpq import STANDARD_RHO, Lpq, _decorrelation, _phases

WINDOWS = [3, 7, 9]


def spectrum(image: NDArray[np.float64], row: int, column: int, window: int) -> NDArray[np.complex128]:
    """F(u, x) = sum over y of f(x - y) exp(-2 pi i u y), term by term as the paper writes it."""
    reach, a = window // 2, 1 / window
    found = []
    for across, down in [(a, 0), (0, a), (a, a), (-a, a)]:
        offsets = product(range(-reach, reach + 1), repeat=2)
        terms = [image[row - y, column - x] * np.exp(-2j * np.pi * (down * y + across * x)) for y, x in offsets]
        found.append(sum(terms))
    return np.array(found)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_phases_are_the_papers_sums_term_by_term(window: int) -> None:
    image = np.random.default_rng(window).uniform(0, 255, (window + 3, window + 2))
    ours = _phases(image[None], window)[:, 0]
    for row, column in product(range(4), range(3)):
        expected = spectrum(image, row + window // 2, column + window // 2, window)
        np.testing.assert_allclose(ours[0::2, row, column], expected.real, atol=1e-9)
        np.testing.assert_allclose(ours[1::2, row, column], expected.imag, atol=1e-9)


def test_a_code_holds_the_signs_of_real_and_imaginary_parts_from_the_lowest_bit_up() -> None:
    image = np.random.default_rng(1).uniform(0, 255, (7, 7))
    parts = [part for value in spectrum(image, 3, 3, 7) for part in (value.real, value.imag)]
    assert lpq_codes(image[None]).item() == sum(2**bit for bit, part in enumerate(parts) if part >= 0)


@pytest.mark.parametrize("level", [0, 1, 77, 255])
@pytest.mark.parametrize("rho", [0.0, STANDARD_RHO])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_constant_image_has_every_pixel_in_one_bin(level: int, rho: float, window: int) -> None:
    histogram = Lpq(window, rho).describe(np.full((1, 20, 30), level, np.uint8))[0]
    assert histogram[255] == 1  # all parts are zero, and zero counts as positive
    assert histogram.sum() == 1


def test_an_image_that_changes_only_from_left_to_right_says_nothing_vertically() -> None:
    image = np.tile(np.random.default_rng(2).integers(0, 256, 40, np.uint8), (30, 1))
    codes = lpq_codes(image[None])
    assert ((codes >> 2) & 3 == 3).all()
    assert (codes == codes[:, :1]).all()
    assert len(np.unique(codes & 3)) > 2


def test_a_mirrored_image_has_its_horizontal_phase_turned_around(photos: dict[str, NDArray[np.uint8]]) -> None:
    image = photos["astronaut"][None].astype(np.float64)
    phases, mirrored = _phases(image, 7), _phases(image[:, :, ::-1], 7)[..., ::-1]
    np.testing.assert_allclose(mirrored[:2], [phases[0], -phases[1]], atol=1e-8)
    np.testing.assert_allclose(mirrored[2:4], phases[2:4], atol=1e-8)


def test_the_code_image_covers_the_pixels_whose_window_fits() -> None:
    images = np.zeros((2, 20, 30), np.uint8)
    assert lpq_codes(images, Lpq(window=9)).shape == (2, 12, 22)
    assert lpq_codes(images[:0]).shape == (0, 14, 24)


def test_the_histogram_counts_the_code_image(batch: NDArray[np.uint8]) -> None:
    codes, described = lpq_codes(batch), Lpq().describe(batch)
    for code, histogram in zip(codes, described, strict=True):
        np.testing.assert_allclose(histogram, np.bincount(code.ravel(), minlength=256) / code.size)


@pytest.mark.parametrize("window", WINDOWS)
def test_decorrelated_parts_are_uncorrelated_under_the_model(window: int) -> None:
    pixels = window * window
    filters = _phases(np.eye(pixels).reshape(-1, window, window), window).reshape(8, -1)
    places = np.array(list(product(range(window), repeat=2)))
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    mixing = _decorrelation(window, STANDARD_RHO)
    covariance = mixing @ filters @ STANDARD_RHO**distances @ filters.T @ mixing.T
    apart = covariance - np.diag(np.diag(covariance))
    assert np.abs(apart).max() < 1e-5 * np.abs(covariance).max()
    np.testing.assert_allclose(mixing @ mixing.T, np.eye(8), atol=1e-12)
    plain = filters @ STANDARD_RHO**distances @ filters.T
    assert np.abs(plain - np.diag(np.diag(plain))).max() > 0.01 * np.abs(plain).max()


def test_without_correlation_there_is_nothing_to_undo() -> None:
    filters = _phases(np.eye(49).reshape(-1, 7, 7), 7).reshape(8, -1)
    covariance = filters @ filters.T
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-12)


def test_decorrelation_parts_the_phases_of_real_photos(photos: dict[str, NDArray[np.uint8]]) -> None:
    for photo in photos.values():
        parts = _phases(photo[None].astype(np.float64), 7).reshape(8, -1)
        plain, mixed = np.corrcoef(parts), np.corrcoef(_decorrelation(7, STANDARD_RHO) @ parts)
        assert np.square(mixed).sum() < np.square(plain).sum()


@pytest.mark.parametrize("rho", [0.0, STANDARD_RHO])
@pytest.mark.parametrize("name", ["astronaut", "camera", "cat", "coffee"])
def test_a_blur_moves_lpq_less_than_lbp(name: str, rho: float, photos: dict[str, NDArray[np.uint8]]) -> None:
    sharp = photos[name]
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.0))
    lpq = Lpq(rho=rho).describe(np.stack([sharp, blurred]))
    lbp = [
        np.bincount(local_binary_pattern(image, 8, 1).astype(int).ravel(), minlength=256) for image in (sharp, blurred)
    ]
    assert np.abs(lpq[0] - lpq[1]).sum() < np.abs(lbp[0] - lbp[1]).sum() / sharp.size
