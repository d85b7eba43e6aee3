"""What holds for every registered descriptor."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.errors import FerError
from fer_core.features import FEATURES, base, describe_features, parse_features

every_feature = pytest.mark.parametrize("text", [*FEATURES.names(), "lpq(window=9,rho=0.9)", "phog(bins=6,levels=2)"])


def describe(text: str, images: NDArray[np.generic]) -> NDArray[np.float64]:
    (feature,) = parse_features(text)
    return feature.describe(images)


@every_feature
def test_a_descriptor_is_finite_of_its_length_and_sums_to_one(text: str, batch: NDArray[np.uint8]) -> None:
    (feature,) = parse_features(text)
    described = feature.describe(batch)
    assert described.shape == (len(batch), feature.length)
    assert described.dtype == np.float64
    assert np.isfinite(described).all()
    assert (described >= 0).all()
    np.testing.assert_allclose(described[4:].sum(1), 1)  # before them are constant images and one without an edge


@every_feature
def test_the_same_images_give_the_same_descriptor_and_stay_as_they_are(text: str, batch: NDArray[np.uint8]) -> None:
    before = batch.copy()
    assert np.array_equal(describe(text, batch), describe(text, before.copy()))
    assert np.array_equal(batch, before)


@every_feature
def test_an_image_comes_out_the_same_alone_and_in_a_batch(
    text: str, batch: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = np.concatenate([describe(text, image[None]) for image in batch])
    monkeypatch.setattr(base, "PIXELS_PER_CHUNK", 5 * batch[0].size)
    assert np.array_equal(describe(text, batch), alone)


@every_feature
def test_different_images_have_different_descriptors(text: str, batch: NDArray[np.uint8]) -> None:
    described = describe(text, batch[4:])
    assert len(np.unique(described, axis=0)) == len(described)


@every_feature
def test_floats_are_described_as_their_grey_levels_are(text: str, batch: NDArray[np.uint8]) -> None:
    assert np.array_equal(describe(text, batch.astype(np.float32)), describe(text, batch))


@every_feature
def test_brightness_and_contrast_do_not_change_a_descriptor(text: str, batch: NDArray[np.uint8]) -> None:
    # a half and a quarter are exact in floating point
    np.testing.assert_allclose(describe(text, batch * 0.5 + 16.25), describe(text, batch), atol=1e-12)


@every_feature
def test_no_images_give_no_descriptors(text: str, batch: NDArray[np.uint8]) -> None:
    (feature,) = parse_features(text)
    assert feature.describe(batch[:0]).shape == (0, feature.length)


@every_feature
def test_images_that_no_descriptor_fits_are_refused_in_one_sentence(text: str, batch: NDArray[np.uint8]) -> None:
    with pytest.raises(FerError, match=r"gray images of shape \(N, H, W\), uint8 or float, got uint8 \(64, 80\)"):
        describe(text, batch[0])
    with pytest.raises(FerError, match="uint8 or float, got int64"):
        describe(text, batch.astype(np.int64))
    with pytest.raises(FerError, match=r"takes images of at least (\d)x\1 pixels, got 2x80"):
        describe(text, batch[:, :2])
    broken = batch.astype(np.float32)
    broken[6, 3, 3] = np.nan
    with pytest.raises(FerError, match="image 6 holds values that are not finite"):
        describe(text, broken)


@every_feature
def test_a_descriptor_reads_back_from_its_own_text(text: str) -> None:
    (feature,) = parse_features(text)
    assert str(feature) == text
    assert parse_features(str(feature)) == (feature,)


def test_descriptors_are_chained_and_listed_with_their_lengths() -> None:
    assert [feature.length for feature in parse_features("lpq(9)+phog")] == [256, 680]
    assert {each.name: each.length for each in describe_features()} == {"lpq": 256, "phog": 680}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lbp", "unknown feature 'lbp'.*; choose from lpq, phog"),
        ("lpq(window=8)", "lpq: window must be one of 3, 5, 7, .*, got 8"),
        ("lpq(rho=1)", "lpq: rho must be between 0 and 0.99, got 1"),
        ("phog(levels=9)", "phog: levels must be between 0 and 5, got 9"),
    ],
)
def test_an_impossible_descriptor_is_refused_with_the_choices(text: str, message: str) -> None:
    with pytest.raises(FerError, match=message):
        parse_features(text)
