"""Our steps beside OpenCV, scikit-image and the papers' formulas, on drawn images and on real faces."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import skimage.filters
import torch
from numpy.typing import NDArray

from fer_core.preprocessing import Pipeline

Image = NDArray[np.uint8]
Filter = Callable[[Image], NDArray[np.generic]]


def ours(pipeline: str, images: Image) -> NDArray[np.int64]:
    """Gray (N, H, W) or colour (N, H, W, 3) through our pipeline."""
    batch = torch.from_numpy(images)
    batch = batch[:, None] if images.ndim == 3 else batch.permute(0, 3, 1, 2)
    result = Pipeline.parse(pipeline).apply(batch).permute(0, 2, 3, 1).numpy()
    return result.reshape(images.shape).astype(np.int64)


def largest_difference(pipeline: str, reference: Filter, images: Image) -> int:
    theirs = np.stack([reference(image) for image in images]).astype(np.int64)
    return int(np.abs(ours(pipeline, images) - theirs).max())


def median(ksize: int) -> Filter:
    return lambda image: cv2.medianBlur(image, ksize)


def gaussian(ksize: int, sigma: float) -> Filter:
    return lambda image: cv2.GaussianBlur(image, (ksize, ksize), sigma)


def clahe(clip_limit: float, tiles: int) -> Filter:
    return cv2.createCLAHE(clip_limit, (tiles, tiles)).apply


EXACT: list[tuple[str, Filter]] = [
    ("hist_eq", cv2.equalizeHist),
    ("median", median(3)),
    ("median(5)", median(5)),
    ("median(7)", median(7)),
    ("gaussian", gaussian(3, 0)),
]
WITHIN_ONE_LEVEL: list[tuple[str, Filter]] = [
    *((f"gaussian({ksize})", gaussian(ksize, 0)) for ksize in (5, 7, 11, 31)),
    ("gaussian(7,1.3)", gaussian(7, 1.3)),
    ("clahe", clahe(2.0, 4)),
    ("clahe(tiles=8)", clahe(2.0, 8)),
    ("clahe(4,7)", clahe(4.0, 7)),
    ("clahe(0)", clahe(0.0, 4)),
    ("clahe(40,1)", clahe(40.0, 1)),
]


def named(cases: list[tuple[str, Filter]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("pipeline", "reference"), cases, ids=[text for text, _ in cases])


@named(EXACT)
def test_equalisation_median_and_3x3_gaussian_equal_opencv(
    pipeline: str, reference: Filter, gray_images: Image
) -> None:
    assert largest_difference(pipeline, reference, gray_images) == 0


@named(WITHIN_ONE_LEVEL)
def test_gaussian_and_clahe_are_within_one_level_of_opencv(
    pipeline: str, reference: Filter, gray_images: Image
) -> None:
    assert largest_difference(pipeline, reference, gray_images) <= 1


@pytest.mark.parametrize("shape", [(37, 53), (3, 70), (96, 64)])
@named([case for case in EXACT + WITHIN_ONE_LEVEL if "(" not in case[0] or case[0] == "clahe(4,7)"])
def test_other_sizes_agree_with_opencv_too(pipeline: str, reference: Filter, shape: tuple[int, int]) -> None:
    images = np.random.default_rng(1).integers(0, 200, (4, *shape), dtype=np.uint8)
    assert largest_difference(pipeline, reference, images) <= 1


@named([("hist_eq", cv2.equalizeHist), ("clahe", clahe(2.0, 4))])
def test_colour_images_are_equalised_in_their_luminance(pipeline: str, reference: Filter) -> None:
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (8, 48, 48, 3), dtype=np.uint8)
    smooth = [np.asarray(cv2.GaussianBlur(image, (15, 15), 0), np.uint8) for image in noise]
    images = np.concatenate([noise, np.stack(smooth)])

    def in_luminance(image: Image) -> NDArray[np.generic]:
        converted = np.array(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb), np.uint8)
        converted[..., 0] = reference(converted[..., 0])
        return np.asarray(cv2.cvtColor(converted, cv2.COLOR_YCrCb2RGB))

    assert largest_difference(pipeline, in_luminance, images) <= 1


@pytest.mark.parametrize("pipeline", ["median", "gaussian", "local_norm"])
def test_colour_images_are_filtered_channel_by_channel(pipeline: str) -> None:
    images = np.random.default_rng(3).integers(0, 256, (4, 20, 24, 3), dtype=np.uint8)
    channels = [ours(pipeline, images[..., channel]) for channel in range(3)]
    assert np.array_equal(ours(pipeline, images), np.stack(channels, -1))


def test_the_median_equals_scikit_image(gray_images: Image) -> None:
    square = np.ones((3, 3), bool)
    assert (
        largest_difference("median", lambda x: skimage.filters.median(x, square, mode="nearest"), gray_images[:60]) == 0
    )


def paper_gcn(image: Image, s: float = 1.0, lam: float = 10.0, eps: float = 1e-8) -> NDArray[np.generic]:
    centred = image - np.mean(image, dtype=np.float64)
    z = s * centred / max(eps, np.sqrt(lam + np.mean(centred**2)))
    return np.clip(np.round(127.5 + 127.5 * z / 3), 0, 255)


def test_gcn_is_the_papers_formula_in_grey_levels(gray_images: Image) -> None:
    assert largest_difference("gcn", paper_gcn, gray_images) <= 1
    assert largest_difference("gcn(s=0.5,lam=0)", lambda x: paper_gcn(x, s=0.5, lam=0.0), gray_images) <= 1
    colour = np.stack([gray_images[0:4], gray_images[4:8], gray_images[8:12]], -1)
    assert largest_difference("gcn", paper_gcn, colour) <= 1


def test_gcn_makes_brightness_and_contrast_the_same() -> None:
    face = np.random.default_rng(4).normal(0, 1, (48, 48))
    darker, brighter = (np.clip(np.round(mean + dev * face), 0, 255) for mean, dev in ((70, 15), (140, 30)))
    dark, bright = ours("gcn(lam=0)", np.stack([darker, brighter]).astype(np.uint8))
    assert np.abs(dark - bright).max() <= 4  # the rounding of the darker one to whole levels
    assert np.std(dark) == pytest.approx(127.5 / 3, abs=1)


def window_norm(image: Image, window: int, eps: float) -> NDArray[np.generic]:
    values = image.astype(np.float64)
    mean = cv2.boxFilter(values, -1, (window, window))
    variance = cv2.boxFilter(values**2, -1, (window, window)) - mean**2
    z = (values - mean) / np.maximum(eps, np.sqrt(np.maximum(variance, 0)))
    return np.clip(np.round(127.5 + 127.5 * z / 3), 0, 255)


@pytest.mark.parametrize(("pipeline", "window", "eps"), [("local_norm", 15, 4.0), ("local_norm(63,0.5)", 63, 0.5)])
def test_local_norm_is_its_formula_with_opencvs_windows(
    pipeline: str, window: int, eps: float, gray_images: Image
) -> None:
    assert largest_difference(pipeline, lambda image: window_norm(image, window, eps), gray_images) <= 1
