"""Standardisation and principal components, held against scikit-learn."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from fer_core.errors import FerError
from fer_core.features import PrincipalComponents, Standardiser, reduce_descriptors


@pytest.fixture
def features() -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 30)) * np.geomspace(5, 0.1, 30) + rng.normal(size=30)


def test_standardising_is_scikit_learns(features: NDArray[np.float64]) -> None:
    ours = Standardiser.fit(features[:40]).apply(features)
    np.testing.assert_allclose(ours, StandardScaler().fit(features[:40]).transform(features))


def test_training_columns_have_mean_zero_and_deviation_one(features: NDArray[np.float64]) -> None:
    ours = Standardiser.fit(features[:40]).apply(features)
    np.testing.assert_allclose(ours[:40].mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(ours[:40].std(0), 1)
    assert np.abs(ours[40:].mean(0)).max() > 0.05


def test_a_constant_column_is_only_shifted(features: NDArray[np.float64]) -> None:
    features[:40, 3] = 0.1
    features[40:, 3] = 0.6
    ours = Standardiser.fit(features[:40]).apply(features)[:, 3]
    np.testing.assert_allclose(ours, np.repeat([0.0, 0.5], [40, 20]), atol=1e-12)


@pytest.mark.parametrize("rows", [20, 50])
def test_principal_components_are_scikit_learns(features: NDArray[np.float64], rows: int) -> None:
    ours = PrincipalComponents.fit(features[:rows], 5)
    theirs = PCA(5, svd_solver="full").fit(features[:rows])
    np.testing.assert_allclose(ours.directions, theirs.components_, atol=1e-9)
    np.testing.assert_allclose(ours.apply(features), theirs.transform(features), atol=1e-9)


def test_each_descriptor_is_reduced_by_itself_on_the_training_rows_alone(features: NDArray[np.float64]) -> None:
    training = np.arange(0, 60, 2)
    lpq, phog = features[:, :12], features[:, 12:]
    reduced = reduce_descriptors([lpq, phog], training)
    expected = [PCA(5, svd_solver="full").fit(each[training]).transform(each) for each in (lpq, phog)]
    np.testing.assert_allclose(reduced, np.hstack(expected), atol=1e-9)


def test_rows_outside_training_do_not_move_the_components(features: NDArray[np.float64]) -> None:
    training = np.arange(30)
    before = reduce_descriptors([features], training)
    features[30:] *= 1000
    assert np.array_equal(reduce_descriptors([features], training)[:30], before[:30])


@pytest.mark.parametrize("components", [0, 5])
def test_more_components_than_rows_or_values_are_refused(components: int) -> None:
    with pytest.raises(FerError, match=f"4 training rows of 9 values have between 1 and 4 .*, not {components}"):
        PrincipalComponents.fit(np.eye(4, 9), components)


def test_no_training_rows_are_refused() -> None:
    with pytest.raises(FerError, match="fitted on training rows"):
        Standardiser.fit(np.empty((0, 3)))
