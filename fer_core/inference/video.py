"""A video file, frame by frame: however long it is, one frame is in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_core.errors import FerError
from fer_core.inference.detectors import Detector
from fer_core.inference.images import MAX_SIDE, ImageError
from fer_core.inference.marks import mark_faces
from fer_core.inference.reader import FaceReader, Prediction

CODEC, SUFFIX = "VP80", ".webm"  # comes with OpenCV's wheels, and every browser plays it
LONGEST_SIDE = 1280  # pixels of an annotated video


@dataclass(frozen=True)
class VideoFacts:
    """Size in pixels, frames a second, and how many frames its header promises (0: it does not say)."""

    width: int
    height: int
    fps: float
    frames: int


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: its number from 0, its time in seconds, and the faces in it."""

    number: int
    seconds: float
    faces: list[Prediction]

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, as plain JSON types."""
        faces = [face.to_json() for face in self.faces]
        return {"frame": self.number, "seconds": round(self.seconds, 3), "faces": faces}


class Video:
    """A video file that can be read once from its beginning; raises ImageError where it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise ImageError(f"there is no file '{path}'")
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        get = self._capture.get
        width, height = int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT))
        if not self._capture.isOpened() or not width or not height:
            raise ImageError(f"'{path.name}' is no video that can be read; MP4, MOV, AVI, MKV and WebM are")
        if max(width, height) > 2 * MAX_SIDE:
            raise ImageError(f"'{path.name}' has frames of {width} × {height} pixels; at most {2 * MAX_SIDE} a side")
        fps = get(cv2.CAP_PROP_FPS)
        frames = max(0, int(get(cv2.CAP_PROP_FRAME_COUNT)))
        self.facts = VideoFacts(width, height, fps if 0 < fps < 1000 else 25.0, frames)

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames upright, uint8 RGB (H, W, 3); raises ImageError where there is not one."""
        found = False
        while True:
            read, frame = self._capture.read()
            if not read:
                break
            found = True
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if not found:
            raise ImageError(f"'{self.path.name}' has no frame that can be read")

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()


def predict_video(
    predictor: FaceReader, video: Video, detector: Detector, *, every: int = 1, annotate: Path | None = None
) -> Iterator[Frame]:
    """The faces of every `every`-th frame; with `annotate`, a file ending in .webm, all frames with the last faces.

    The annotated video grows while the frames are taken; whoever stops taking them leaves what was made so far.
    """
    if every < 1:
        raise FerError(f"every must be at least 1, got {every}")
    faces: list[Prediction] = []
    with _writer(annotate, video.facts) as write:
        for number, image in enumerate(video):
            if number % every == 0:
                faces = predictor.predict(image, detector=detector)
                yield Frame(number, number / video.facts.fps, faces)
            write(image, faces)


@contextmanager
def _writer(path: Path | None, facts: VideoFacts) -> Iterator[Callable[[np.ndarray, list[Prediction]], None]]:
    if path is None:
        yield lambda image, faces: None
        return
    scale = min(1.0, LONGEST_SIDE / max(facts.width, facts.height))
    size = [max(2, round(length * scale)) // 2 * 2 for length in (facts.width, facts.height)]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODEC), facts.fps, size)
    if not writer.isOpened():
        raise FerError(f"the annotated video '{path}' cannot be written")

    def write(image: np.ndarray, faces: list[Prediction]) -> None:
        marked = mark_faces(image, faces, LONGEST_SIDE)
        height, width = marked.shape[:2]
        if (width, height) != tuple(size):
            marked = cv2.resize(marked, size, interpolation=cv2.INTER_AREA)
        writer.write(cv2.cvtColor(marked, cv2.COLOR_RGB2BGR))

    try:
        yield write
    finally:
        writer.release()
