"""What `predict` reads of files: the faces of photos, many together, and of videos, frame by frame."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from fer_core.errors import FerError
from fer_core.inference import Detector, FaceBox, FaceReader, Prediction, Source, find_sources, mark_faces, read_picture
from fer_core.inference.video import SUFFIX, Frame, Video, VideoFacts, predict_video

ANNOTATED_SIDE = 4096  # pixels: as large as a photo is read
TOGETHER = 256  # photos whose faces go through the network together, if they have no more than these pixels
TOGETHER_PIXELS = 16_000_000  # 48 MB


@dataclass(frozen=True)
class Row:
    """One face of one file: in a video with the frame's number and its second."""

    number: int
    face: Prediction
    frame: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Photo:
    """One picture and its faces; boxes are in pixels of a picture of `width` × `height`."""

    path: str
    width: int
    height: int
    faces: list[Prediction]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, as plain JSON types."""
        faces = [face.to_json() for face in self.faces]
        notes = {"notes": list(self.notes)} if self.notes else {}
        return {"path": self.path, "width": self.width, "height": self.height, **notes, "faces": faces}

    def rows(self) -> Iterator[Row]:
        return (Row(number, face) for number, face in enumerate(self.faces, start=1))


@dataclass(frozen=True)
class Film:
    """One video, and the faces of the frames that were looked at."""

    path: str
    facts: VideoFacts
    frames: list[Frame] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, as plain JSON types."""
        return {"path": self.path, **asdict(self.facts), "looked_at": [frame.to_json() for frame in self.frames]}

    def rows(self) -> Iterator[Row]:
        for frame in self.frames:
            for number, face in enumerate(frame.faces, start=1):
                yield Row(number, face, frame.number, round(frame.seconds, 3))


@dataclass(frozen=True)
class GivenBoxes:
    """The same boxes in every picture, in place of a detector."""

    boxes: tuple[FaceBox, ...]

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The boxes; raises FerError where one is not wholly within the picture."""
        height, width = image.shape[:2]
        for box in self.boxes:
            if box.x < 0 or box.y < 0 or box.x + box.width > width or box.y + box.height > height:
                raise FerError(f"the box {written(box)} does not lie within a picture of {width} × {height} pixels")
        return list(self.boxes)


@dataclass(frozen=True, eq=False)
class _Found:
    """A photo whose faces are found and wait for being read."""

    name: str
    pixels: np.ndarray
    notes: tuple[str, ...]
    boxes: list[FaceBox]


@dataclass(frozen=True)
class Reader:
    """What all files are read with; what cannot be read is told, passed over, and listed in `failed`."""

    predictor: FaceReader
    detector: Detector
    annotate: Path | None = None
    every: int = 1
    failed: list[str] = field(default_factory=list)

    def read(self, paths: Iterable[Path]) -> Iterator[Photo | Film]:
        """The faces of every picture and video that the paths name, in their order."""
        waiting: list[_Found] = []
        for path in paths:
            with self._passed_over(str(path)):
                for source in find_sources([path]):
                    with self._passed_over(source.name):
                        if source.is_video:
                            yield from self._photos(waiting)
                            yield self._film(source)
                        else:
                            waiting.append(self._found(source))
                    if len(waiting) >= TOGETHER or sum(each.pixels.size for each in waiting) >= 3 * TOGETHER_PIXELS:
                        yield from self._photos(waiting)
        yield from self._photos(waiting)

    def _found(self, source: Source) -> _Found:
        picture = read_picture(source.content)
        return _Found(source.name, picture.pixels, picture.notes, self.detector.detect(picture.pixels))

    def _photos(self, waiting: list[_Found]) -> Iterator[Photo]:
        """The photos that wait, read together; then none waits."""
        photos = waiting.copy()
        waiting.clear()
        read = self.predictor.predict_many((each.pixels for each in photos), boxes=(each.boxes for each in photos))
        for each, faces in zip(photos, read, strict=True):
            if self.annotate:
                marked = mark_faces(each.pixels, faces, ANNOTATED_SIDE)
                Image.fromarray(marked).save(self._target(each.name, ".png"))
            height, width = each.pixels.shape[:2]
            yield Photo(each.name, width, height, faces, each.notes)

    def _film(self, source: Source) -> Film:
        if isinstance(source.content, bytes):
            raise FerError(f"'{source.name}' is a video inside a zip; unpack it first")
        video = Video(source.content)
        target = self._target(source.name, SUFFIX) if self.annotate else None
        film = Film(source.name, video.facts)
        try:
            frames = predict_video(self.predictor, video, self.detector, every=self.every, annotate=target)
            film.frames.extend(_shown(frames, source.name, video.facts.frames // self.every))
        finally:
            video.close()
        return film

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
            self.failed.append(name)
            typer.echo(f"error: {error}", err=True)


def written(box: FaceBox) -> str:
    """A box as it is typed: x,y,width,height."""
    return f"{box.x},{box.y},{box.width},{box.height}"


def _shown(frames: Iterable[Frame], name: str, total: int) -> Iterator[Frame]:
    """The frames, with a bar for people while they come."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(Path(name).name), total=total or None)
        for frame in frames:
            progress.advance(task)
            yield frame
