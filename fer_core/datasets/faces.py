"""Pictures of people cut down to their faces, before they become a dataset."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from fer_core.datasets.errors import SourceError
from fer_core.datasets.geometry import Wanted, as_shown, covering
from fer_core.datasets.progress import Progress
from fer_core.datasets.spool import Spool
from fer_core.haar import FRONTAL_ALT2, PROFILE, Square, find_squares
from fer_core.labels import EMOTIONS

MARGIN = 0.1  # of the found square's side, added on each side: the cascade cuts chins and foreheads
SEARCH_SIDES = (144, 720)  # the short side is at least, the long side at most this long where faces are looked for


@dataclass(frozen=True)
class Pass:
    """One look at a picture with one cascade.

    `min_share` is the smallest face as a share of the picture's short side. The picture is looked at turned
    counter-clockwise by `tilt` degrees, or as in a mirror: the profile cascade knows one side of a face.
    """

    name: str
    cascade: str
    scale_factor: float
    min_neighbors: int
    min_share: float
    tilt: float = 0.0
    mirrored: bool = False

    def largest(self, gray: np.ndarray) -> Square | None:
        """The largest face in a uint8 picture (H, W), or None; of a tilted face the upright square around it."""
        height, width = gray.shape
        turn = self._turn(height, width)
        found = find_squares(
            cv2.warpAffine(gray, turn, (width, height)),
            self.cascade,
            scale_factor=self.scale_factor,
            min_neighbors=self.min_neighbors,
            min_side=round(self.min_share * min(height, width)),
        )
        if not found:
            return None
        x, y, side = found[0]
        middle = (side - 1) / 2  # of the outermost pixels' centres
        left, top = cv2.invertAffineTransform(turn) @ (x + middle, y + middle, 1.0) - middle
        return Square(round(left), round(top), side)

    def _turn(self, height: int, width: int) -> np.ndarray:
        if self.mirrored:
            return np.array([[-1.0, 0.0, width - 1], [0.0, 1.0, 0.0]])
        return cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), self.tilt, 1.0)


# Chosen by eye on SFEW's 675 film stills. The first finds 472 faces, 7 of them wrongly; the others, in pictures without
# one yet, 113 more, 6 of them wrongly. What is found wrongly is mostly small, so that fewer hits need a larger face.
PASSES = (
    Pass("frontal", FRONTAL_ALT2, 1.1, 5, 1 / 10),
    Pass("frontal with fewer hits", FRONTAL_ALT2, 1.1, 3, 1 / 6),
    Pass("tilted left", FRONTAL_ALT2, 1.1, 4, 1 / 6, tilt=-20.0),
    Pass("tilted right", FRONTAL_ALT2, 1.1, 4, 1 / 6, tilt=20.0),
    Pass("profile", PROFILE, 1.1, 4, 1 / 6),
    Pass("mirrored profile", PROFILE, 1.1, 4, 1 / 6, mirrored=True),
    Pass("frontal in finer steps", FRONTAL_ALT2, 1.05, 4, 1 / 5),
)


def crop_faces(
    pictures: Spool, rows: Sequence[int], faces: Spool, wanted: Wanted, source: str, progress: Progress
) -> None:
    """Append to `faces`, for each of `rows`, the largest face as a square of `wanted.size`, and say so in its remarks.

    Without a found face the picture's centre is kept, or the picture dropped, or SourceError raised, as
    `wanted.without_face` says; SourceError, too, where no picture has one.
    """
    assert wanted.size is not None  # Wanted refuses faces without a size
    found: Counter[str] = Counter()
    missed: list[str] = []
    for number, row in enumerate(rows, start=1):
        picture, place = as_shown(pictures.read(row), wanted.aspect), pictures.places[row]
        name, square = find_face(picture)
        if square is None:
            missed.append(place.id)
        else:
            found[name] += 1
        if square is not None or wanted.without_face == "keep":
            faces.append(_crop(picture, square, wanted.size))
            faces.places.append(place)
            faces.originals.append(pictures.shapes[row])
        progress(number / len(rows), number)
    _check(found, missed, source, wanted)
    _check_classes(faces, source)
    faces.flush()
    faces.format, faces.is_fer2013, faces.notes = pictures.format, pictures.is_fer2013, pictures.notes
    faces.remarks = [*_remarks(found, missed, wanted), *pictures.remarks]


def find_face(picture: np.ndarray) -> tuple[str, Square | None]:
    """The largest face of a uint8 picture (H, W) or (H, W, 3), and the name of the pass that found it."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    height, width = gray.shape
    least, most = SEARCH_SIDES
    factor = max(least / min(height, width), 1.0) if max(height, width) <= most else most / max(height, width)
    if factor != 1.0:
        interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        gray = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=interpolation)
    for each in PASSES:
        square = each.largest(gray)
        if square is not None:
            return each.name, Square(*(round(value / factor) for value in square))
    return "", None


def _crop(picture: np.ndarray, square: Square | None, size: int) -> np.ndarray:
    """The square with its margin, moved inside the picture, or the picture's centre, as (size, size)."""
    if square is None:
        return covering(picture, size, size)
    height, width = picture.shape[:2]
    side = min(round(square.side * (1 + 2 * MARGIN)), height, width)
    left, top = (
        min(max(0, round(start + (square.side - side) / 2)), limit - side)
        for start, limit in ((square.x, width), (square.y, height))
    )
    return covering(picture[top : top + side, left : left + side], size, size)


def _check(found: Counter[str], missed: Sequence[str], source: str, wanted: Wanted) -> None:
    if not found:
        raise SourceError(f"no face was found in any picture of {source}; prepare it without --faces")
    if missed and wanted.without_face == "refuse":
        raise SourceError(
            f"no face was found in {len(missed):,} of the {found.total() + len(missed):,} pictures of {source}, "
            f"the first is '{missed[0]}'; choose --without-face keep (their centre) or drop (leave them out)"
        )


def _check_classes(faces: Spool, source: str) -> None:
    labels = {place.label for place in faces.places}
    if len(labels) < 2:
        raise SourceError(
            f"faces were found in a single class of {source}, {EMOTIONS[labels.pop()]}; choose --without-face keep"
        )


def _remarks(found: Counter[str], missed: Sequence[str], wanted: Wanted) -> list[str]:
    pictures = found.total() + len(missed)
    passes = ", ".join(f"{found[each.name]:,} {each.name}" for each in PASSES if found[each.name])
    told = [
        f"{found.total():,} of {pictures:,} pictures cropped to their largest face with a margin of {MARGIN:.0%} "
        f"(Haar cascades: {passes}) as {wanted.size}x{wanted.size}"
    ]
    if wanted.aspect:
        told.append(f"{pictures:,} pictures widened to {wanted.aspect:.3g} times their height before")
    if missed:
        fate = "dropped" if wanted.without_face == "drop" else "their centre square kept"
        told.append(f"{len(missed):,} of {pictures:,} pictures without a found face: {fate}")
    return told
