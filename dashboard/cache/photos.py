"""Photos, and the faces that a run's network finds in them."""

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.photos.faces import Box, DetectorChoice, Finder, Found, Photo, Unpacked
from dashboard.pictures import png, seen
from dashboard.summaries import RunSummary, Stamp
from fer_core.errors import FerError
from fer_core.runs import Run

if TYPE_CHECKING:
    # these import torch, which takes seconds: only the page that predicts waits for it
    import numpy as np

    from fer_core.inference import Picture, Prediction, Predictor
    from fer_core.inference.detectors import Detector

PREDICTORS = 5  # networks kept in memory at once: four side by side, and one
SHOWN_SIDE = 1200  # pixels of the longer side: more than a page shows, and quick to send
SAVED_SIDE = 4096  # pixels of the longer side of a picture that is saved: as large as photos are read
JPEG_QUALITY = 90
ARCHIVES = 2  # zips kept unpacked in memory, for each viewer
MOST_UNPACKED = 500 * 2**20  # bytes of all pictures of a zip
PHOTOS = 6  # photos kept as pixels in memory, for each viewer: some forty megabytes each
SHOWN = 24  # pictures as a page shows them, some hundred kilobytes each
LOOKED = 2000  # photos whose faces are known; and readings of a photo by a run


@st.cache_resource(max_entries=PREDICTORS, show_spinner=False)
def predictor(folder: str, stamp: Stamp) -> "Predictor":
    """The network of a run's folder as it was at `stamp`; shared by all viewers, so hook a copy."""
    from fer_core.inference import Predictor

    return Predictor.from_run(Run(Path(folder)), device="cpu")


def predictor_of(run: RunSummary) -> "Predictor":
    """The network of a run; raises FerError where it reads no photos, or its weights cannot be read."""
    if not run.can_predict:
        raise FerError(f"run {run.id} {run.obstacle}")
    return predictor(str(run.path), run.stamp)


@st.cache_data(max_entries=1, show_spinner=False)
def detectors() -> dict[str, DetectorChoice]:
    """The registered face detectors by name, the default one first."""
    from fer_core.inference.detectors import DEFAULT_DETECTOR, DETECTORS, detector_obstacle

    names = [DEFAULT_DETECTOR, *(name for name in DETECTORS.names() if name != DEFAULT_DETECTOR)]
    kinds = {name: DETECTORS.get(name) for name in names}
    return {name: DetectorChoice(kind.label, kind.finds_eyes, detector_obstacle(name)) for name, kind in kinds.items()}


def detector(finder: Finder) -> "Detector":
    """The shared detector that is chosen; raises FerError where there is none."""
    from fer_core.inference import get_detector

    return get_detector(finder.detector, "level" if finder.is_level else "upright")


def photo(source: bytes) -> "np.ndarray":
    """A photo's bytes as uint8 RGB (H, W, 3); raises FerError where they are no picture."""
    return _picture(_digest(source), source).pixels


@st.cache_data(max_entries=PHOTOS, show_spinner=False, scope="session")
def _picture(key: str, _source: bytes) -> "Picture":
    from fer_core.inference import read_picture

    return read_picture(_source)


def _digest(source: bytes) -> str:
    return hashlib.sha256(source).hexdigest()


@st.cache_data(max_entries=ARCHIVES, show_spinner=False, scope="session")
def unpacked(archive: bytes, name: str) -> Unpacked:
    """The pictures of a zip; raises FerError where it is damaged, empty or far too large."""
    from fer_core.inference import unpack

    found, refused = {}, {}
    size = 0
    for source in unpack(archive, name):
        if source.refusal or not isinstance(source.content, bytes):
            refused[source.name] = source.refusal
            continue
        size += len(source.content)
        if size > MOST_UNPACKED:
            raise FerError(f"'{name}' holds more than {MOST_UNPACKED // 2**20} MB of pictures; make several zips of it")
        found[source.name] = source.content
    return Unpacked(found, refused)


def refusal(name: str) -> str:
    """Why a file of this name is not read, in a sentence; the empty string for one that may be a picture."""
    from fer_core.inference.files import refusal

    return refusal(name)


def video_types() -> list[str]:
    """How the names of videos end, without the dot."""
    from fer_core.inference.files import VIDEOS

    return [each.removeprefix(".") for each in VIDEOS]


@st.cache_data(max_entries=1, show_spinner=False)
def sample_photo() -> bytes:
    """A smiling face: Eileen Collins, NASA, public domain; comes with scikit-image. PNG."""
    from skimage.data import astronaut

    return png(astronaut())


@st.cache_data(max_entries=1, show_spinner=False)
def sample_video() -> bytes:
    """Four seconds in which the camera goes along the sample photo, and its face leaves and comes back. WebM."""
    import tempfile

    import cv2
    from skimage.data import astronaut

    image = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR)
    side, steps = 300, 48
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.webm"
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP80"), 12, (side, side))
        for step in range(steps):
            left = round((image.shape[1] - side) * abs(1 - 2 * step / steps))
            writer.write(cv2.convertScaleAbs(image[:side, left : left + side], alpha=1 - 0.4 * step / steps))
        writer.release()
        return path.read_bytes()


def found(photo: Photo, finder: Finder) -> Found:
    """A photo's size, and where `finder` finds faces in it; raises FerError where it cannot be read."""
    known = _found(photo.key, photo.source, finder)
    if isinstance(known, str):
        raise FerError(known)
    return known


@st.cache_data(max_entries=LOOKED, show_spinner=False, scope="session")
def _found(key: str, _source: bytes, finder: Finder) -> Found | str:
    """What is found, or why the photo cannot be read: a refusal takes as long as a reading, and is kept as well."""
    from fer_core.inference import ImageError

    detect = detector(finder).detect
    try:
        picture = _picture(key, _source)
    except ImageError as error:
        return str(error)
    boxes = [Box(box.x, box.y, box.width, box.height, box.roll) for box in detect(picture.pixels)]
    height, width = picture.pixels.shape[:2]
    return Found(width, height, tuple(boxes), picture.notes, picture.scale)


def readings(run: RunSummary, photo: Photo, boxes: Sequence[Box]) -> "list[Prediction]":
    """What `run` reads in each of the `boxes` of a photo; `face` is what its network sees, see `faces`."""
    predictor_of(run)
    return _readings(str(run.path), run.stamp, photo.key, photo.source, tuple(boxes))


@st.cache_data(max_entries=LOOKED, show_spinner=False, scope="session")
def _readings(folder: str, stamp: Stamp, key: str, _source: bytes, boxes: tuple[Box, ...]) -> "list[Prediction]":
    from fer_core.inference import FaceBox

    reader = predictor(folder, stamp)
    return _as_seen(reader, reader.predict(_picture(key, _source).pixels, boxes=[FaceBox(*box) for box in boxes]))


def faces(run: RunSummary, source: bytes, detector: str) -> "list[Prediction]":
    """Every face that `detector` finds in a photo, with its probabilities by `run`.

    Each `face` is what the network sees: uint8 (S, S) or (S, S, 3), after the run's preprocessing.
    Raises FerError where the photo or the run's weights cannot be read.
    """
    given = Photo("", _digest(source), source)
    predictor_of(run)
    return readings(run, given, found(given, Finder(detector)).boxes)


def _as_seen(reader: "Predictor", predictions: "Sequence[Prediction]") -> "list[Prediction]":
    """The predictions with their faces as the network sees them: after preprocessing."""
    return [replace(each, face=seen(reader.inputs(each.face[None])[0].numpy())) for each in predictions]


def marked(source: bytes, faces: "Sequence[Prediction]") -> "np.ndarray":
    """A photo with its faces framed, numbered and named, as large as a page shows it: uint8 (H, W, 3)."""
    from fer_core.inference import mark_faces

    return mark_faces(photo(source), faces, SHOWN_SIDE)


def marked_picture(photo: Photo, faces: "Sequence[Prediction]", unsure_below: float) -> bytes:
    """A photo as large as it is read, its faces framed, numbered and named, those below the limit marked: a JPEG.

    Reads it anew: a picture is made when someone saves it, outside of the page's run, where no cache can be asked.
    """
    from fer_core.inference import mark_faces, read_image

    return _jpeg(mark_faces(read_image(photo.source), faces, SAVED_SIDE, unsure_below))


@st.cache_data(max_entries=SHOWN, show_spinner=False, scope="session")
def _shown(key: str, _source: bytes) -> str:
    import cv2

    image = _picture(key, _source).pixels
    scale = SHOWN_SIDE / max(image.shape[:2])
    if scale < 1:
        size = [max(1, round(length * scale)) for length in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return f"data:image/jpeg;base64,{base64.b64encode(_jpeg(image)).decode()}"


def shown_picture(photo: Photo) -> str:
    """A photo as large as a page shows it, as an address that holds it: nothing is stored for it anywhere."""
    return _shown(photo.key, photo.source)


def _jpeg(image: "np.ndarray") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
