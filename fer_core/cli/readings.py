"""What `predict` reads of files: the faces of photos, many together, and of videos, frame by frame.

A video's frames are handed on as they are read, and not kept: memory does not grow with its length.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from fer_core.errors import FerError
from fer_core.inference import (
    Detector,
    FaceBox,
    FaceDetector,
    FaceReader,
    ImageError,
    Picture,
    Prediction,
    Source,
    find_sources,
    mark_faces,
    read_picture,
)
from fer_core.inference.detectors import reduced_side
from fer_core.inference.video import SUFFIX, Frame, Video, VideoFacts, predict_video

ANNOTATED_SIDE = 4096  # pixels: as large as a photo is read
TOGETHER = 256  # photos whose faces go through the network together, if they have no more than these pixels
TOGETHER_PIXELS = 16_000_000  # 48 MB


@dataclass(frozen=True)
class Row:
    """What the run called `run` reads in one face of one file: in a video with the frame's number and its second."""

    number: int
    run: str
    face: Prediction
    frame: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Photo:
    """One picture, and what each run, by its id, reads in its faces.

    `width` and `height` are the upright picture's in the file, in whose pixels the boxes are.
    """

    path: str
    width: int
    height: int
    readings: dict[str, list[Prediction]]
    notes: tuple[str, ...] = ()

    def rows(self) -> Iterator[Row]:
        """Face by face, and run by run for each."""
        for number, faces in enumerate(zip(*self.readings.values(), strict=True), start=1):
            yield from (Row(number, run, face) for run, face in zip(self.readings, faces, strict=True))


@dataclass(frozen=True)
class Film:
    """One video, and the frames that are looked at, which can be taken once: they are read while they are taken."""

    path: str
    facts: VideoFacts
    runs: tuple[str, ...]
    frames: Iterator[Frame]

    def rows(self) -> Iterator[Row]:
        """Frame by frame, face by face, and run by run for each."""
        for frame in self.frames:
            for number, faces in enumerate(zip(*frame.readings, strict=True), start=1):
                for run, face in zip(self.runs, faces, strict=True):
                    yield Row(number, run, face, frame.number, round(frame.seconds, 3))


@dataclass(frozen=True)
class Refused:
    """A file, folder or archive that could not be read, and why, in a sentence."""

    path: str
    reason: str


@dataclass(frozen=True)
class GivenBoxes:
    """The same boxes in every picture, in place of a detector."""

    boxes: tuple[FaceBox, ...]

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The boxes; raises FerError where one is not wholly within the picture."""
        return self.within(*image.shape[1::-1])

    def within(self, width: int, height: int) -> list[FaceBox]:
        """The boxes; raises FerError where one is not wholly within a picture of that size."""
        for box in self.boxes:
            if box.x < 0 or box.y < 0 or box.x + box.width > width or box.y + box.height > height:
                raise FerError(f"the box {written(box)} does not lie within a picture of {width} × {height} pixels")
        return list(self.boxes)


@dataclass(frozen=True, eq=False)
class _Found:
    """A photo whose faces are found and wait for being read: `boxes` in the pixels read, `told` in the file's."""

    name: str
    picture: Picture
    boxes: list[FaceBox]
    told: list[FaceBox]


@dataclass(frozen=True)
class Reader:
    """What all files are read with: several readers read the same faces, the first names them in annotated files.

    What cannot be read is told, passed over, and listed in `refused`.
    """

    readers: Sequence[FaceReader]
    detector: Detector
    annotate: Path | None = None
    every: int = 1
    with_bar: bool = True  # on how far a video is
    refused: list[Refused] = field(default_factory=list)

    def read(self, paths: Iterable[Path]) -> Iterator[Photo | Film]:
        """The faces of every picture and video that the paths name, in their order.

        The frames of a video are to be taken before the next file: what is left of them is lost then.
        """
        waiting: list[_Found] = []
        for path in paths:
            with self._passed_over(str(path)):
                for source in find_sources([path]):
                    with self._passed_over(source.name):
                        yield from self._looked_at(source, waiting)
                    if len(waiting) >= TOGETHER or _pixels(waiting) >= TOGETHER_PIXELS:
                        yield from self._photos(waiting)
        yield from self._photos(waiting)

    def _looked_at(self, source: Source, waiting: list[_Found]) -> Iterator[Photo | Film]:
        """A photo joins those that wait; a video is read at once, after them."""
        if source.refusal:
            raise ImageError(source.refusal)
        if source.is_video:
            yield from self._photos(waiting)
            yield from self._film(source)
        else:
            waiting.append(self._found(source))

    def _found(self, source: Source) -> _Found:
        picture = read_picture(source.content, called=Path(source.name).name)
        across, down = picture.scale
        if isinstance(self.detector, GivenBoxes):
            told = self.detector.within(picture.width, picture.height)
            boxes = [box.scaled(1 / across, 1 / down) for box in told]
        else:
            boxes = self.detector.detect(picture.pixels)
            told = [box.scaled(across, down) for box in boxes]
        hint = "" if boxes else _hint(self.detector, picture)
        if hint:
            picture = replace(picture, notes=(*picture.notes, hint))
        for note in picture.notes:
            typer.echo(f"note: '{source.name}': {note}", err=True)
        return _Found(source.name, picture, boxes, told)

    def _photos(self, waiting: list[_Found]) -> Iterator[Photo]:
        """The photos that wait, read together; then none waits."""
        photos = waiting.copy()
        waiting.clear()
        images, boxes = [each.picture.pixels for each in photos], [each.boxes for each in photos]
        read = [reader.predict_many(images, boxes=boxes) for reader in self.readers]
        for each, *readings in zip(photos, *read, strict=True):
            if self.annotate:
                marked = mark_faces(each.picture.pixels, readings[0], ANNOTATED_SIDE)
                Image.fromarray(marked).save(self._target(each.name, ".png"))
            told = [_told_in(each.told, faces) for faces in readings]
            picture, by_run = each.picture, dict(zip(self._runs, told, strict=True))
            yield Photo(each.name, picture.width, picture.height, by_run, picture.notes)

    def _film(self, source: Source) -> Iterator[Film]:
        assert isinstance(source.content, Path)  # of an archive, a video has a refusal
        video = Video(source.content)
        target = self._target(source.name, SUFFIX) if self.annotate else None
        frames = predict_video(self.readers, video, self.detector, every=self.every, annotate=target)
        try:
            with closing(frames):  # type: ignore[type-var]  # it is a generator
                begun = chain([next(frames)], frames)  # before anything is told of a video that has no frame
                shown = _shown(begun, source.name, video.facts.length_s) if self.with_bar else begun
                yield Film(source.name, video.facts, self._runs, self._told(shown, source.name))
        finally:
            video.close()

    def _told(self, frames: Iterator[Frame], name: str) -> Iterator[Frame]:
        """The frames until one cannot be read, which is told."""
        with self._passed_over(name):
            yield from frames

    @property
    def _runs(self) -> tuple[str, ...]:
        return tuple(reader.run_id for reader in self.readers)

    def _target(self, name: str, suffix: str) -> Path:
        """A name in the folder for annotated files that no other file there has."""
        assert self.annotate is not None
        stem, number = Path(name).stem, 1
        while (target := self.annotate / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}").exists():
            number += 1
        return target

    @contextmanager
    def _passed_over(self, name: str) -> Iterator[None]:
        try:
            yield
        except FerError as error:
            reason = _naming(name, str(error))
            self.refused.append(Refused(name, reason))
            typer.echo(f"error: {reason}", err=True)


def _naming(path: str, reason: str) -> str:
    """The sentence with the file's whole path in it: who reads a file tells no more than its own name."""
    own = f"'{Path(path).name}'"
    if reason.startswith(own):
        return f"'{path}'{reason.removeprefix(own)}"
    return reason if f"'{path}'" in reason else f"'{path}': {reason}"


def _hint(detector: Detector, picture: Picture) -> str:
    """What helps where no face was found in a picture that a detector looks at reduced; empty for a small one."""
    longer, looked_at = max(picture.width, picture.height), reduced_side(detector)
    if looked_at is None or longer <= looked_at:
        return ""
    if isinstance(detector, FaceDetector):
        smallest = math.ceil(detector.min_side * longer / looked_at)
        return (
            f"No face of at least {smallest:,} pixels was found, and smaller ones are not looked for in a picture of "
            "this size; cut it into parts, or try `--detector mtcnn`."
        )
    return "No face was found; small ones are passed over in a picture of this size, so cut it into parts."


def _pixels(photos: Iterable[_Found]) -> int:
    return sum(each.picture.pixels.size for each in photos) // 3  # RGB


def _told_in(boxes: Sequence[FaceBox], faces: Sequence[Prediction]) -> list[Prediction]:
    """The faces with these boxes in place of theirs."""
    return [replace(face, box=box) for face, box in zip(faces, boxes, strict=True)]


def written(box: FaceBox) -> str:
    """A box as it is typed: x,y,width,height."""
    return f"{box.x},{box.y},{box.width},{box.height}"


def _shown(frames: Iterable[Frame], name: str, length_s: float) -> Iterator[Frame]:
    """The frames, with a bar for people while they come; what is written to stdout meanwhile stays there."""
    with Progress(console=Console(stderr=True, emoji=False), transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(escape(Path(name).name), total=length_s or None)
        for frame in frames:
            progress.update(task, completed=frame.seconds)
            yield frame
