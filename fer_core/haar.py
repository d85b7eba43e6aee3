"""OpenCV's Haar cascades (Viola and Jones, 2001): the one place that loads them and looks through pictures."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from fer_core.errors import FerError

FRONTAL = "haarcascade_frontalface_default.xml"
FRONTAL_ALT2 = "haarcascade_frontalface_alt2.xml"
PROFILE = "haarcascade_profileface.xml"

COARSE = 1.2  # between the sizes of the coarse look
MARGIN = 0.3  # of a spot's side: how far around it the close look goes
CLOSE = 1.45  # how much smaller or larger than its spot a face may be
SAME = 0.3  # of two squares' union: the same face, seen from two spots

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
    return _largest_first(Square(int(x), int(y), int(side)) for x, y, side, _ in found)


def find_squares_in_two_looks(
    gray: np.ndarray, cascade: str = FRONTAL, *, scale_factor: float, min_neighbors: int, min_side: int = 0
) -> list[Square]:
    """About what `find_squares` finds, several times as fast: a coarse look, then a close one where it hit.

    OpenCV moves the window by two pixels in small reductions of a picture and by one in others. Here the coarse
    look halves the picture again and again, and so always takes two pixels, with sizes COARSE apart; a single hit
    is enough for the close look, which is OpenCV's own with `scale_factor` and `min_neighbors`.
    """
    with _borrowed(cascade) as classifier:
        window = max(classifier.getOriginalWindowSize())
        least = max(min_side, window)
        spots = _spots(classifier, gray, window, least)
        found = [
            square for spot in spots for square in _around(classifier, gray, spot, least, scale_factor, min_neighbors)
        ]
    squares = _largest_first(found)
    return [square for place, square in enumerate(squares) if not any(_same_face(square, e) for e in squares[:place])]


def _spots(classifier: "cv2.CascadeClassifier", gray: np.ndarray, window: int, least: int) -> list[Square]:
    """Where any window of at least `least` pixels looks like a face; hits that overlap much are one spot."""
    sizes_in_an_octave = int(np.ceil(np.log(2) / np.log(COARSE)))
    reduction, hits = least / window, []
    while min(gray.shape) >= window * reduction:
        width, height = (round(side / reduction) for side in gray.shape[::-1])
        reduced = cv2.resize(gray, (max(width, window), max(height, window)), interpolation=cv2.INTER_AREA)
        found = classifier.detectMultiScale(reduced, COARSE, 0, minSize=(window, window), maxSize=(2 * window - 1,) * 2)
        hits += [[round(value * reduction) for value in square] for square in np.asarray(found).tolist()]
        reduction *= COARSE**sizes_in_an_octave
    grouped, _ = cv2.groupRectangles(hits + hits, 1, 0.4)  # twice each: a group of one would be dropped
    return [Square(int(x), int(y), int(side)) for x, y, side, _ in grouped]


def _around(
    classifier: "cv2.CascadeClassifier", gray: np.ndarray, spot: Square, least: int, scale_factor: float, neighbors: int
) -> list[Square]:
    """The faces of about the size of `spot` that OpenCV's own search finds there."""
    margin = int(MARGIN * spot.side)
    left, top = max(0, spot.x - margin), max(0, spot.y - margin)
    part = gray[top : spot.y + spot.side + margin, left : spot.x + spot.side + margin]
    smallest, largest = max(least, int(spot.side / CLOSE)), int(spot.side * CLOSE)
    found = classifier.detectMultiScale(
        part, scale_factor, neighbors, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    return [Square(left + int(x), top + int(y), int(side)) for x, y, side, _ in found]


def _largest_first(squares: Iterable[Square]) -> list[Square]:
    """Ties by place, as the order in which they are found depends on OpenCV's threads."""
    return sorted(squares, key=lambda square: (-square.side, square.y, square.x))


def _same_face(a: Square, b: Square) -> bool:
    """Whether the squares share more than SAME of what they cover together."""
    width = min(a.x + a.side, b.x + b.side) - max(a.x, b.x)
    height = min(a.y + a.side, b.y + b.side) - max(a.y, b.y)
    shared = max(0, width) * max(0, height)
    return shared > SAME * (a.side**2 + b.side**2 - shared)


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
