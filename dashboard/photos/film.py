"""A video that is read in a thread of its own, so that a page can show how far it is, and cancel it.

A few decoded frames are in memory, whatever the video's length; of each face that was read some dozens of bytes are
kept (see record.py), and the annotated video up to MOST_ANNOTATED.
OpenCV reads and writes files only: both lie in a temporary folder, the video's own is removed as soon as it is open,
and the folder when the reading ends, in whatever way.
"""

import logging
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dashboard.photos.record import Record, to_json
from dashboard.photos.tracks import Tracker
from fer_core.errors import FerError

if TYPE_CHECKING:
    # importing these would import torch
    from fer_core.inference import Predictor
    from fer_core.inference.detectors import Detector
    from fer_core.inference.video import Frame, Video

State = Literal["waiting", "reading", "finished", "cancelled", "failed"]
AT_ONCE = 2  # videos read at the same time, of all viewers
ABANDONED_S = 150  # after which a video at which nobody looks is given up; a hidden tab asks once a minute
MOST_ANNOTATED = 200 * 2**20  # bytes of an annotated video, which is kept in memory: some ten minutes of 640 × 480
NEARLY = 1.1  # of the length in its header a video may last
logger = logging.getLogger(__name__)
_free = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Reader:
    """What a video is read with: each of the `predictors` reads the same faces of every `every`-th frame.

    `annotate` makes a video with framed faces, named by the one at place `shown`.
    """

    predictors: "Sequence[Predictor]"
    detector: "Detector"
    every: int = 1
    annotate: bool = True
    shown: int = 0


@dataclass(eq=False)
class Film:
    """A video and what was read in it so far: `frame` frames, until second `at_s` of `length_s`.

    `fps`, `frames` and `length_s` are what its header promises, 0 where it does not; a length that is not true is 0.
    """

    name: str
    state: State = "waiting"
    reason: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    frames: int = 0
    length_s: float = 0.0
    frame: int = 0
    at_s: float = 0.0
    looked_at: int = 0
    record: Record = field(default_factory=lambda: Record(()))
    annotated: bytes = b""
    annotated_s: float | None = None  # the second at which the annotated video ends, if that is before the video does
    seconds: float = 0.0
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _seen: float = field(default_factory=time.monotonic)

    @property
    def is_live(self) -> bool:
        return self.state in ("waiting", "reading")

    @property
    def share(self) -> float:
        """How much of it is done, in [0, 1]; 0 where its length is not known."""
        return min(1.0, self.at_s / self.length_s) if self.length_s else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds that the rest will take at the pace so far; None where that cannot be told yet."""
        return self.seconds * (1 - self.share) / self.share if self.share else None

    def look(self) -> None:
        """Tell that someone still waits for it."""
        self._seen = time.monotonic()

    def cancel(self) -> None:
        """Ask it to end; what was read so far stays."""
        self._cancelled.set()

    def start(self, source: bytes, reader: Reader) -> threading.Thread:
        """Read the bytes of a video file, in a thread that is returned."""
        thread = threading.Thread(target=self._run, args=([source], reader), name="film", daemon=True)
        thread.start()
        return thread

    def _run(self, given: list[bytes], reader: Reader) -> None:
        """`given` holds the file's bytes until they are written, and not longer."""
        try:
            while not _free.acquire(timeout=0.5):
                if self._ends():
                    self.state = "cancelled"
                    return
            try:
                self._read(given, reader)
                self.state = "cancelled" if self._cancelled.is_set() else "finished"
            finally:
                _free.release()
        except FerError as error:
            self.state, self.reason = "failed", str(error)
        except Exception as error:
            logger.exception("a video could not be read")
            self.state, self.reason = "failed", f"the video could not be read ({type(error).__name__}: {error})"

    def _ends(self) -> bool:
        if time.monotonic() - self._seen > ABANDONED_S:
            self.reason = "nobody waited for it any more"
            self._cancelled.set()
        return self._cancelled.is_set()

    def _read(self, given: list[bytes], reader: Reader) -> None:
        from fer_core.inference.video import SUFFIX, predict_video

        with tempfile.TemporaryDirectory(prefix="fer_video_") as folder:
            target = Path(folder) / f"annotated{SUFFIX}" if reader.annotate else None
            with _opened(Path(folder) / _file_name(self.name), given) as video:
                self._begin(video, reader)
                frames = predict_video(
                    reader.predictors,
                    video,
                    reader.detector,
                    every=reader.every,
                    annotate=target,
                    annotate_while=lambda: target is not None and self._has_room(target),
                    shown=reader.shown,
                )
                with closing(frames):  # type: ignore[type-var]  # it is a generator
                    self._take(frames)
            if target:
                self.annotated = target.read_bytes()

    def _take(self, frames: "Iterator[Frame]") -> None:
        began, tracker = time.monotonic(), Tracker()
        for frame in frames:
            numbers = tracker.numbers([face.box for face in frame.faces], frame.seconds)
            for number, readings in zip(numbers, zip(*frame.readings, strict=True), strict=True):
                self.record.add(frame.number, frame.seconds, number, readings)
            self.looked_at += 1
            self.frame, self.at_s, self.seconds = frame.number + 1, frame.seconds, time.monotonic() - began
            if self.at_s > NEARLY * self.length_s:
                self.length_s = 0.0
            if self._ends():
                return

    def _has_room(self, target: Path) -> bool:
        if target.stat().st_size < MOST_ANNOTATED:
            return True
        if self.annotated_s is None:
            self.annotated_s = self.at_s
        return False

    def _begin(self, video: "Video", reader: Reader) -> None:
        facts = video.facts
        self.record = Record(tuple(each.run_id for each in reader.predictors))
        self.width, self.height, self.length_s = facts.width, facts.height, facts.length_s
        self.fps, self.frames = facts.fps, facts.frames
        self.state = "reading"

    def to_json(self, settings: Mapping[str, Any]) -> bytes:
        """Everything but the pixels, for programs; shares in [0, 1], as in the JSON of photos."""
        facts = {name: getattr(self, name) for name in ("name", "width", "height", "fps", "frames", "length_s")}
        return to_json(self.record, {**settings, **facts, "looked_at": self.looked_at})


@contextmanager
def _opened(path: Path, given: list[bytes]) -> "Iterator[Video]":
    """A video that is read from a file without a name: it is removed as soon as it is open."""
    from fer_core.inference.video import Video

    path.write_bytes(given.pop())
    try:
        video = Video(path)
    finally:
        path.unlink()
    try:
        yield video
    finally:
        video.close()


def _file_name(name: str) -> str:
    """A name that any file system takes, and that a sentence about the file may hold."""
    return re.sub(r"[^\w.\- ]", "_", name)[-80:].lstrip(".") or "video"
