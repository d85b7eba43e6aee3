"""From a photo to the emotion of every face in it: reading, detection, and a run's predictions."""

from fer_core.inference.boxes import FaceBox, crop_face
from fer_core.inference.detectors import DETECTORS, Detector, FaceDetector, get_detector
from fer_core.inference.files import Source, find_sources, unpack
from fer_core.inference.images import ImageError, read_image
from fer_core.inference.marks import mark_faces
from fer_core.inference.predictor import Prediction, Predictor

__all__ = [
    "DETECTORS",
    "Detector",
    "FaceBox",
    "FaceDetector",
    "ImageError",
    "Prediction",
    "Predictor",
    "Source",
    "crop_face",
    "find_sources",
    "get_detector",
    "mark_faces",
    "read_image",
    "unpack",
]
