"""What a face detector is, and the registry of all."""

from functools import cache
from typing import ClassVar, Literal, Protocol, get_args

import numpy as np

from fer_core.errors import FerError
from fer_core.inference.boxes import FaceBox
from fer_core.registry import Registry

DEFAULT_DETECTOR = "haar"

# How a face is cut out: as the picture stands, as the faces of FER2013 were, or turned until its eyes are level.
Alignment = Literal["upright", "level"]
UPRIGHT, LEVEL = ALIGNMENTS = get_args(Alignment)


class Detector(Protocol):
    """Finds faces; one instance may serve several threads."""

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a uint8 picture (H, W) or RGB (H, W, 3), largest first."""
        ...


class RegisteredDetector(Detector, Protocol):
    """A detector that can be chosen by name.

    `label` names it for people; `finds_eyes`: its boxes have the roll of the eyes' line. Making one raises FerError,
    which says what to install, where something is missing.
    """

    label: ClassVar[str]
    finds_eyes: ClassVar[bool]

    def __init__(self) -> None: ...


class _Upright:
    """A detector whose boxes are not turned."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        return [box.upright() for box in self.detector.detect(image)]


DETECTORS: Registry[type[RegisteredDetector]] = Registry("face detector")


def get_detector(name: str = DEFAULT_DETECTOR, alignment: Alignment = "upright") -> Detector:
    """The shared detector called `name`, made at its first use; with "level" its boxes have the roll of the eyes.

    Raises UnknownNameError, which lists the choices, or FerError, which says what to install, or which detectors
    find eyes.
    """
    return _shared(name, alignment)


def find_faces(image: np.ndarray, detector: str = DEFAULT_DETECTOR, alignment: Alignment = "upright") -> list[FaceBox]:
    """The faces in a uint8 picture (H, W) or RGB (H, W, 3), largest first; see `get_detector` for the choices."""
    return get_detector(detector, alignment).detect(image)


def reduced_side(detector: Detector) -> int | None:
    """The pixels of the longer side to which `detector` reduces a larger picture; None where it reduces none."""
    finder = detector.detector if isinstance(detector, _Upright) else detector
    return getattr(finder, "max_side", None)


def detector_obstacle(name: str) -> str:
    """Why a registered detector cannot be used here, with what to install; the empty string where it can."""
    try:
        get_detector(name)
    except FerError as error:
        return str(error)
    return ""


@cache
def _shared(name: str, alignment: Alignment) -> Detector:
    if alignment not in ALIGNMENTS:
        raise FerError(f"unknown alignment {alignment!r}; choose from {', '.join(ALIGNMENTS)}")
    kind = DETECTORS.get(name)
    if alignment == LEVEL and not kind.finds_eyes:
        able = [each for each in DETECTORS.names() if DETECTORS.get(each).finds_eyes]
        raise FerError(f"detector {name!r} finds no eyes to level; choose from {', '.join(able)}")
    if not kind.finds_eyes:
        return kind()
    return _Upright(_shared(name, LEVEL)) if alignment == UPRIGHT else kind()
