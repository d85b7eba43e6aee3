"""What one or several runs say of the same images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fer_core.errors import FerError


@dataclass(frozen=True, eq=False)
class Answers:
    """Probabilities of R runs for the same N test images of C classes; arrays are read-only.

    `ids` str (N,), `labels` int64 (N,), `probabilities` float32 (R, N, C); `tested` says how many test predictions each
    run has, of which N are those of all: of an image that repeated folds predict several times, the first.
    """

    runs: tuple[str, ...]
    emotions: tuple[str, ...]
    ids: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    tested: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def called(self) -> np.ndarray:
        """The class that each run gives each image, int64 (R, N)."""
        called: np.ndarray = self.probabilities.argmax(axis=2)
        return called

    @property
    def right(self) -> np.ndarray:
        """Whether each run recognises each image, bool (R, N)."""
        right: np.ndarray = self.called == self.labels
        return right

    @property
    def of_label(self) -> np.ndarray:
        """The probability that each run gives the true class of each image, (R, N)."""
        given: np.ndarray = self.probabilities[:, np.arange(len(self)), self.labels]
        return given

    @property
    def is_partial(self) -> bool:
        """Whether a run has predictions that are not here: of images that another has not, or of later repetitions."""
        return any(number > len(self) for number in self.tested)

    def place(self, run: str) -> int:
        """Where a run stands in `runs`; raises FerError where it does not."""
        if run not in self.runs:
            raise FerError(f"run {run} is not among {', '.join(self.runs)}")
        return self.runs.index(run)

    def only(self, runs: Sequence[str]) -> "Answers":
        """The same images, as some of the runs see them."""
        places = [self.place(run) for run in runs]
        tested = tuple(self.tested[place] for place in places)
        return replace(self, runs=tuple(runs), probabilities=_frozen(self.probabilities[places]), tested=tested)


def answers_of(run: str, predictions: Mapping[str, np.ndarray], emotions: Sequence[str]) -> Answers:
    """All test predictions of one run (see Run.predictions); repeated folds give an image several times."""
    rows = np.arange(len(predictions["test_ids"]))
    return _gather({run: predictions}, emotions, [rows], len(rows))


def shared_answers(predictions: Mapping[str, Mapping[str, np.ndarray]], emotions: Sequence[str]) -> Answers:
    """The images that all runs were tested on, in the order of the first; of several predictions the first.

    The first prediction of an image is that of a run's first repetition, whose networks have seen none of its
    test images. Raises FerError where no image is common, or where runs do not agree what an image shows.
    """
    if not predictions:
        raise FerError("no run was given whose predictions could be put side by side")
    places = [_first_rows(arrays["test_ids"]) for arrays in predictions.values()]
    common = [image for image in places[0] if all(image in each for each in places[1:])]
    if not common:
        raise FerError(f"the {len(predictions)} runs were tested on different images, none of which all have seen")
    rows = [np.array([each[image] for image in common]) for each in places]
    found = _gather(predictions, emotions, rows, *(len(arrays["test_ids"]) for arrays in predictions.values()))
    for (run, arrays), chosen in zip(predictions.items(), rows, strict=True):
        if not np.array_equal(arrays["test_labels"][chosen], found.labels):
            raise FerError(f"run {run} was tested with other labels of the same images")
    return found


def _first_rows(ids: np.ndarray) -> dict[str, int]:
    found: dict[str, int] = {}
    for row, image in enumerate(ids.tolist()):
        found.setdefault(image, row)
    return found


def _gather(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    emotions: Sequence[str],
    rows: Sequence[np.ndarray],
    *tested: int,
) -> Answers:
    classes = {run: arrays["test_probabilities"].shape[1] for run, arrays in predictions.items()}
    for run, number in classes.items():
        if number != len(emotions):
            raise FerError(f"run {run} tells {number} classes apart and not {len(emotions)}")
    first, chosen = next(iter(predictions.values())), rows[0]
    probabilities = [
        arrays["test_probabilities"][places] for arrays, places in zip(predictions.values(), rows, strict=True)
    ]
    return Answers(
        runs=tuple(predictions),
        emotions=tuple(emotions),
        ids=_frozen(first["test_ids"][chosen]),
        labels=_frozen(first["test_labels"][chosen].astype(np.int64)),
        probabilities=_frozen(np.stack(probabilities).astype(np.float32)),
        tested=tested,
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
