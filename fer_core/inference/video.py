"""A video file, frame by frame: however long it is, a few frames are in memory."""

import math
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
MOST_FPS = 125  # a header that promises more mostly tells the grid of its times, which are not evenly spaced
MOST_WRITTEN_FPS = 60  # of an annotated video, each of whose frames takes time and room
USUAL_FPS = 30.0  # of cameras and screens, where the header tells no rate
LONGEST_STILL_S = 60  # for which one frame stands in an annotated video, whatever the times in a damaged file
# Frames whose faces go through a network together, if they have no more than these pixels (24 MB); who cancels waits
# for as many.
TOGETHER = 12
TOGETHER_PIXELS = 8_000_000


@dataclass(frozen=True)
class VideoFacts:
    """Size in pixels; frames a second, frames and seconds that its header promises (0: it does not say)."""

    width: int
    height: int
    fps: float
    frames: int
    length_s: float


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
    """A video file that can be read once from its beginning; raises ImageError where it is none.

    `seconds` is the time of the frame that was read last.
    """

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
        self.facts = _facts(width, height, get(cv2.CAP_PROP_FPS), max(0, int(get(cv2.CAP_PROP_FRAME_COUNT))))
        self._clock = _Clock(self.facts.fps)

    @property
    def seconds(self) -> float:
        return self._clock.seconds

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames upright, uint8 RGB (H, W, 3); raises ImageError where there is not one."""
        found = False
        while True:
            read, frame = self._capture.read()
            if not read:
                break
            found = True
            self._clock.take(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if not found:
            raise ImageError(f"'{self.path.name}' has no frame that can be read")

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()


def _facts(width: int, height: int, fps: float, frames: int) -> VideoFacts:
    """What of a header can be believed: where it tells its length, it counts frames by it, at its own rate."""
    length_s = round(frames / fps, 3) if fps > 0 and frames > 1 else 0.0  # an MPEG's promises one frame
    is_rate = 0 < fps <= MOST_FPS
    return VideoFacts(width, height, fps if is_rate else 0.0, frames if is_rate else 0, length_s)


class _Clock:
    """The time of each frame: its position in the file, and a step on where that stands still or goes back.

    Positions that go back and stay there begin anew; a single one is a wrong time, and those behind it count as before.
    """

    def __init__(self, fps: float) -> None:
        self.seconds = 0.0
        self._step = 1 / (fps or USUAL_FPS)
        self._position = -math.inf
        self._highest = -math.inf
        self._behind = self._before = 0.0  # what is added to positions, now and before the last one that went back
        self._went_back = False

    def take(self, position: float) -> None:
        """The next frame, at a second of the file."""
        if position > self._position:
            if self._went_back and position > self._highest:
                self._behind = self._before
            self._highest = position if self._went_back else max(self._highest, position)
            self.seconds = max(self.seconds, position + self._behind)
        else:
            self.seconds += self._step
            if position < self._position:
                self._before, self._behind = self._behind, self.seconds - position
        self._went_back = position < self._position
        self._position = position


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
            looked = [image for number, _, image in images if number % every == 0]
            read = iter(_read(several, looked, detector))
            for number, seconds, image in images:
                if number % every == 0:
                    readings = next(read)
                    faces = readings[shown]
                    yield Frame(number, seconds, readings)
                if annotate_while():
                    write(image, seconds, faces)


def _together(video: Video) -> Iterator[list[tuple[int, float, np.ndarray]]]:
    """The frames' numbers, times and pixels, as many at once as may be in memory; one of them where they are large."""
    most = max(1, min(TOGETHER, TOGETHER_PIXELS // (video.facts.width * video.facts.height)))
    waiting: list[tuple[int, float, np.ndarray]] = []
    for number, image in enumerate(video):
        waiting.append((number, video.seconds, image))
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
def _writer(path: Path | None, facts: VideoFacts) -> Iterator[Callable[[np.ndarray, float, list[Prediction]], None]]:
    """Writes a frame at its time: all have the same length there, so some are repeated, and some left out."""
    if path is None:
        yield lambda image, seconds, faces: None
        return
    fps = min(facts.fps or USUAL_FPS, MOST_WRITTEN_FPS)
    scale = min(1.0, LONGEST_SIDE / max(facts.width, facts.height))
    size = [max(2, round(length * scale)) // 2 * 2 for length in (facts.width, facts.height)]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODEC), fps, size)
    if not writer.isOpened():
        raise FerError(f"the annotated video '{path}' cannot be written")

    before: np.ndarray | None = None
    ends = 0  # the place in the file behind the last frame

    def write(image: np.ndarray, seconds: float, faces: list[Prediction]) -> None:
        """A frame at its second, with its faces; the frame before stands until then."""
        nonlocal before, ends
        marked = mark_faces(image, faces, LONGEST_SIDE)
        height, width = marked.shape[:2]
        if (width, height) != tuple(size):
            marked = cv2.resize(marked, size, interpolation=cv2.INTER_AREA)
        frame = cv2.cvtColor(marked, cv2.COLOR_RGB2BGR)
        place = round(seconds * fps)
        for _ in range(min(place - ends, round(LONGEST_STILL_S * fps))):
            writer.write(frame if before is None else before)
        if place >= ends:
            writer.write(frame)
        before, ends = frame, max(ends, place + 1)

    try:
        yield write
    finally:
        writer.release()
