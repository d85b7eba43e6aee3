"""From a photo to the emotion of every face in it: reading, detection, and a run's predictions.

    predictor = Predictor.from_run("c3858bdf")
    picture = read_picture(Path("photo.jpg"))                  # .pixels, .notes for people, .scale of a large photo
    boxes = find_faces(picture.pixels, "mtcnn", "level")       # or boxes drawn by hand
    faces = predictor.predict(picture.pixels, boxes=boxes)     # a Prediction for each

`Predictor.predict_many` takes any number of pictures, `Predictor.predict_faces` cropped faces. `ExportedPredictor`
does the same with a run's ONNX file and without torch, whose import takes longer than all the rest: so Predictor is
imported when it is asked for.
"""

from typing import TYPE_CHECKING, Any

from fer_core.inference.boxes import FaceBox, crop_face
from fer_core.inference.detectors import (
    ALIGNMENTS,
    DETECTORS,
    Alignment,
    Detector,
    FaceDetector,
    detector_obstacle,
    find_faces,
    get_detector,
)
from fer_core.inference.exported import ExportedPredictor
from fer_core.inference.files import Source, find_sources, unpack
from fer_core.inference.images import ImageError, Picture, read_image, read_picture
from fer_core.inference.marks import mark_faces
from fer_core.inference.reader import FaceReader, Prediction

if TYPE_CHECKING:
    from fer_core.inference.predictor import Predictor

__all__ = [
    "ALIGNMENTS",
    "DETECTORS",
    "Alignment",
    "Detector",
    "ExportedPredictor",
    "FaceBox",
    "FaceDetector",
    "FaceReader",
    "ImageError",
    "Picture",
    "Prediction",
    "Predictor",
    "Source",
    "crop_face",
    "detector_obstacle",
    "find_faces",
    "find_sources",
    "get_detector",
    "mark_faces",
    "read_image",
    "read_picture",
    "unpack",
]


def __getattr__(name: str) -> Any:
    if name == "Predictor":
        from fer_core.inference.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
