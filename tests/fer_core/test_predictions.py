import numpy as np
import pytest

from fer_core.predictions import pack_predictions, unpack_predictions


@pytest.fixture
def probabilities() -> np.ndarray:
    """As of a network: (3000, 7), some rows sure, some not, values from 1 to 1e-6."""
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(0, rng.uniform(0.01, 6, (3000, 1)), (3000, 7)))
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float16)


def read_back(tmp_path, probabilities: np.ndarray) -> np.ndarray:
    path = tmp_path / "predictions.npz"
    path.write_bytes(pack_predictions({"test_probabilities": probabilities}))
    return unpack_predictions(path)["test_probabilities"]


def test_probabilities_are_kept_within_two_thousandths_and_within_a_sixteenth_of_themselves(tmp_path, probabilities):
    kept, given = (each.astype(float) for each in (read_back(tmp_path, probabilities), probabilities))
    assert np.abs(kept - given).max() <= 2**-9
    assert (np.abs(kept - given) <= 2**-4 * given).all()
    assert (kept != given).mean() > 0.5


def test_no_prediction_changes(tmp_path, probabilities):
    close = np.full((7, 7), 0.0625, np.float16)
    close[np.arange(7), np.arange(7)] = np.nextafter(np.float16(0.0625), np.float16(1))
    given = np.vstack([probabilities, close])
    kept = read_back(tmp_path, given)
    np.testing.assert_array_equal(kept.argmax(axis=1), given.argmax(axis=1))
    # of equal classes the first is taken: only where it is the best one may a row become equal
    np.testing.assert_array_equal(kept[-6:], close[1:])


def test_packing_what_was_packed_changes_nothing_more(tmp_path, probabilities):
    kept = read_back(tmp_path, probabilities)
    np.testing.assert_array_equal(read_back(tmp_path, kept), kept)


def test_probabilities_of_no_image_and_of_no_emotion_are_kept(tmp_path):
    assert read_back(tmp_path, np.zeros((0, 7), np.float16)).shape == (0, 7)
    assert (read_back(tmp_path, np.array([[0, 1.0]], np.float16)) == [[0, 1]]).all()
