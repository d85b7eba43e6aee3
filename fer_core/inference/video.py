"""A video file, frame by frame: however long it is, a few frames are in memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer_core.errors import FerError
from fer_core.inference.detectors import Detector
from fer_core.inference.images import MAX_SIDE, ImageError
from fer_core.inference.marks import mark_faces
from fer_core.inference.reader import FaceReader, Prediction

CODEC, SUFFIX = "VP80", ".webm"  # comes with OpenCV's wheels, and every browser plays it
LONGEST_SIDE = 1280  # pixels of an annotated video
# Frames whose faces go through a network together, if they have no more than these pixels (24 MB); who cancels waits
# for as many.
TOGETHER = 12
TOGETHER_PIXELS = 8_000_000


@dataclass(frozen=True)
class VideoFacts:
    """Size in pixels, frames a second, and how many frames its header promises (0: it does not say)."""

    width: int
    height: int
    fps: float
    frames: int


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: its number from 0, its time in seconds, and of each reader what it reads in the same faces."""

    number: int
    seconds: float
    readings: tuple[list[Prediction], ...]

    @property
    def faces(self) -> list[Prediction]:
        """What the first reader reads."""
        return self.readings[0]


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
    readers: FaceReader | Sequence[FaceReader],
    video: Video,
    detector: Detector,
    *,
    every: int = 1,
    annotate: Path | None = None,
    annotate_while: Callable[[], bool] = lambda: True,
    shown: int = 0,
) -> Iterator[Frame]:
    """What one or several readers read in the faces of every `every`-th frame; the faces are found once for all.

    With `annotate`, a file ending in .webm, all frames with the last faces, named by the reader at place `shown`.
    It grows while the frames are taken, by each for which `annotate_while` says so before; whoever stops taking them
    leaves what was made so far. The faces of up to TOGETHER frames go through a network together; at most twice as many
    frames are in memory.
    """
    several = [readers] if isinstance(readers, FaceReader) else list(readers)
    if every < 1:
        raise FerError(f"every must be at least 1, got {every}")
    if not 0 <= shown < len(several):
        raise FerError(f"shown must be the place of one of {len(several)} readers, got {shown}")
    faces: list[Prediction] = []
    with _writer(annotate, video.facts) as write:
        for images in _together(video):
            looked = [image for number, image in images if number % every == 0]
            read = iter(_read(several, looked, detector))
            for number, image in images:
                if number % every == 0:
                    readings = next(read)
                    faces = readings[shown]
                    yield Frame(number, number / video.facts.fps, readings)
                if annotate_while():
                    write(image, faces)


def _together(video: Video) -> Iterator[list[tuple[int, np.ndarray]]]:
    """The frames and their numbers, as many at once as may be in memory; one of them where they are large."""
    most = max(1, min(TOGETHER, TOGETHER_PIXELS // (video.facts.width * video.facts.height)))
    waiting: list[tuple[int, np.ndarray]] = []
    for numbered in enumerate(video):
        waiting.append(numbered)
        if len(waiting) == most:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _read(
    readers: Sequence[FaceReader], images: list[np.ndarray], detector: Detector
) -> list[tuple[list[Prediction], ...]]:
    """Of each image what each reader reads in its faces."""
    boxes = [detector.detect(image) for image in images]
    return list(zip(*(list(reader.predict_many(images, boxes=boxes)) for reader in readers), strict=True))


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
