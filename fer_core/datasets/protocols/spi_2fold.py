"""Paper 3's protocol: strictly person independent, as far as the films' names tell."""

import re

import numpy as np

from fer_core.datasets.errors import ProtocolError
from fer_core.datasets.face_dataset import FaceDataset
from fer_core.datasets.protocols.base import PROTOCOLS, Split
from fer_core.datasets.protocols.drawing import balanced_groups, require_classes
from fer_core.labels import EMOTIONS

# SFEW's frames: "Airheads_000519240_00000005", but also "OceansThirteen-010619400_00000087"
_FRAME = re.compile(r"^(?P<film>.+?)[_-]\d{9}_+\d{8}$")
# sequels share their actors, so that a series is one subject
SERIES = ("HarryPotter", "Oceans")
VALID_SHARE = 0.15
NOTE = (
    "the authors' halves are not published: these share no film and no series of films; "
    "the epoch is chosen on about 15 % of the training half, again by film"
)


REPETITIONS = 10


@PROTOCOLS.register("spi_2fold")
def spi_2fold(dataset: FaceDataset, seed: int) -> list[Split]:
    """Paper 3 on SFEW: two halves, balanced by class, that share no film; about 15 % of the training half is valid.

    Each half is trained on in turn and tested on the other. Of a table of descriptors the halves are drawn
    ten times, as in the paper: folds "1.1", "1.2" … "10.2".
    """
    stranger = next((sample for sample in dataset.ids if not subject(sample)), None)
    if stranger is not None:
        raise ProtocolError(f"it needs SFEW's file names (film_number_number), and '{stranger}' is none")
    subjects = np.array([subject(sample) for sample in dataset.ids])
    rng = np.random.default_rng(seed)
    if not dataset.is_table:
        return _halves(dataset, subjects, "", rng)
    return [fold for time in range(REPETITIONS) for fold in _halves(dataset, subjects, f"{time + 1}.", rng)]


def _halves(dataset: FaceDataset, subjects: np.ndarray, prefix: str, rng: np.random.Generator) -> list[Split]:
    first = _rows_of(subjects, dataset.labels, 0.5, np.arange(len(dataset)), rng)
    second = np.setdiff1d(np.arange(len(dataset)), first)
    require_classes(dataset.labels, {"one half": first, "the other half": second})
    folds = ((f"{prefix}1", first, second), (f"{prefix}2", second, first))
    return [_fold(fold, subjects, dataset.labels, half, test, rng) for fold, half, test in folds]


def subject(sample: str) -> str:
    """The film, or series of films, that an SFEW sample's id names; empty for another dataset's id."""
    frame = _FRAME.match(sample.rpartition("/")[2])
    film = frame["film"] if frame else ""
    return next((series for series in SERIES if film.startswith(series)), film)


def _fold(
    fold: str,
    subjects: np.ndarray,
    labels: np.ndarray,
    half: np.ndarray,
    test: np.ndarray,
    rng: np.random.Generator,
) -> Split:
    valid = _rows_of(subjects, labels, VALID_SHARE, half, rng)
    train = np.setdiff1d(half, valid)
    require_classes(labels, {"train": train, "test": test})
    if not len(valid):
        raise ProtocolError(f"the films of half {fold} are too few to hold out validation images")
    return Split(fold, train, valid, test, NOTE)


def _rows_of(
    subjects: np.ndarray, labels: np.ndarray, share: float, rows: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Those of `rows` whose subjects together hold about `share` of each class, sorted."""
    _, group = np.unique(subjects[rows], return_inverse=True)
    counts = np.zeros((group.max() + 1, len(EMOTIONS)))
    np.add.at(counts, (group, labels[rows]), 1)
    return rows[balanced_groups(counts, share, rng)[group]]
