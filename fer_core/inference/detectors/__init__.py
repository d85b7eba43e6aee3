"""Face detectors, one file each; a new file registers itself in `DETECTORS`."""

from fer_core.inference.detectors.base import DEFAULT_DETECTOR, DETECTORS, Detector, get_detector
from fer_core.inference.detectors.haar import FaceDetector
from fer_core.registry import import_submodules

__all__ = ["DEFAULT_DETECTOR", "DETECTORS", "Detector", "FaceDetector", "get_detector"]

import_submodules(__name__, list(__path__))
