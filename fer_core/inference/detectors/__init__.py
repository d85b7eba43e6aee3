"""Face detectors, one file each; a new file registers itself in `DETECTORS`."""

from fer_core.inference.detectors.base import (
    ALIGNMENTS,
    DEFAULT_DETECTOR,
    DETECTORS,
    Alignment,
    Detector,
    detector_obstacle,
    find_faces,
    get_detector,
    reduced_side,
)
from fer_core.inference.detectors.haar import FaceDetector
from fer_core.registry import import_submodules

__all__ = [
    "ALIGNMENTS",
    "DEFAULT_DETECTOR",
    "DETECTORS",
    "Alignment",
    "Detector",
    "FaceDetector",
    "detector_obstacle",
    "find_faces",
    "get_detector",
    "reduced_side",
]

import_submodules(__name__, list(__path__))
