"""OpenCV's Haar cascades (Viola and Jones, 2001): the one place that loads them and looks through pictures."""

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from fer_core.errors import FerError

FRONTAL = "haarcascade_frontalface_default.xml"
FRONTAL_ALT2 = "haarcascade_frontalface_alt2.xml"
PROFILE = "haarcascade_profileface.xml"

# A cascade keeps the picture it works on, so that no two threads may use one at once; loading one takes as long
# as looking through several small pictures, so that they are kept.
_idle: defaultdict[str, deque["cv2.CascadeClassifier"]] = defaultdict(deque)


class Square(NamedTuple):
    """A found face in pixels of the picture; (x, y) is its upper left corner."""

    x: int
    y: int
    side: int


def find_squares(
    gray: np.ndarray, cascade: str = FRONTAL, *, scale_factor: float, min_neighbors: int, min_side: int = 0
) -> list[Square]:
    """The faces that a cascade finds in a uint8 picture (H, W), largest first.

    `scale_factor` is the step between the sizes looked for (> 1), `min_neighbors` how many overlapping hits
    make a face (>= 0), `min_side` the smallest side in pixels; none is below the cascade's own window of 20
    or 24. Raises FerError where OpenCV came without the cascade.
    """
    with _borrowed(cascade) as classifier:
        found = classifier.detectMultiScale(gray, scale_factor, min_neighbors, minSize=(min_side, min_side))
    squares = [Square(int(x), int(y), int(side)) for x, y, side, _ in found]
    # Ties by place, as the order in which they are found depends on OpenCV's threads.
    return sorted(squares, key=lambda square: (-square.side, square.y, square.x))


def require_cascade(name: str = FRONTAL) -> None:
    """Raise FerError, which says what to install, unless the cascade `name` can be used."""
    with _borrowed(name):
        return


@contextmanager
def _borrowed(name: str) -> Iterator["cv2.CascadeClassifier"]:
    if not hasattr(cv2, "CascadeClassifier"):
        raise FerError(f"OpenCV {cv2.__version__} has no Haar cascades; install 'opencv-python-headless>=4.13,<5'")
    try:
        classifier = _idle[name].pop()
    except IndexError:
        classifier = _load(name)
    try:
        yield classifier
    finally:
        _idle[name].append(classifier)


def _load(name: str) -> "cv2.CascadeClassifier":
    classifier = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))
    if classifier.empty():
        raise FerError(f"OpenCV {cv2.__version__} came without {name}; install opencv-python-headless again")
    return classifier
