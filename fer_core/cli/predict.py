"""`predict RUN PATH…`: every face of every picture and video, with its box and probabilities."""

import csv as tables
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image
from rich.markup import escape
from rich.progress import Progress

from fer_core.cli.options import Device, RunsFolder
from fer_core.cli.output import JsonOption, print_json, print_table
from fer_core.cli.runs import RunName
from fer_core.devices import resolve_device
from fer_core.errors import FerError
from fer_core.inference import Prediction, Predictor, Source, find_sources, get_detector, mark_faces, read_image
from fer_core.inference.detectors import DEFAULT_DETECTOR, DETECTORS, Detector
from fer_core.inference.video import SUFFIX, Frame, Video, VideoFacts, predict_video
from fer_core.runs import RunStore

ANNOTATED_SIDE = 4096  # pixels: as large as a photo is read


@dataclass(frozen=True)
class Photo:
    """One picture and its faces; boxes are in pixels of a picture of `width` × `height`."""

    path: str
    width: int
    height: int
    faces: list[Prediction]

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, as plain JSON types."""
        faces = [face.to_json() for face in self.faces]
        return {"path": self.path, "width": self.width, "height": self.height, "faces": faces}

    def rows(self) -> Iterator[tuple[int | str, float | str, int, Prediction]]:
        """Frame and second (empty), number of the face, face."""
        return (("", "", number, face) for number, face in enumerate(self.faces, start=1))


@dataclass(frozen=True)
class Film:
    """One video, and the faces of the frames that were looked at."""

    path: str
    facts: VideoFacts
    frames: list[Frame] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, as plain JSON types."""
        return {"path": self.path, **asdict(self.facts), "looked_at": [frame.to_json() for frame in self.frames]}

    def rows(self) -> Iterator[tuple[int | str, float | str, int, Prediction]]:
        """Frame, second, number of the face, face."""
        for frame in self.frames:
            for number, face in enumerate(frame.faces, start=1):
                yield frame.number, round(frame.seconds, 3), number, face


@dataclass(frozen=True)
class _Reader:
    """What all files are read with."""

    predictor: Predictor
    detector: Detector
    annotate: Path | None
    every: int

    def read(self, source: Source) -> Photo | Film:
        """The faces of a picture or a video; raises FerError where it is neither."""
        return self._film(source) if source.is_video else self._photo(source)

    def _photo(self, source: Source) -> Photo:
        image = read_image(source.content)
        faces = self.predictor.predict(image, detector=self.detector)
        if self.annotate:
            Image.fromarray(mark_faces(image, faces, ANNOTATED_SIDE)).save(self._target(source, ".png"))
        return Photo(source.name, image.shape[1], image.shape[0], faces)

    def _film(self, source: Source) -> Film:
        if isinstance(source.content, bytes):
            raise FerError(f"'{source.name}' is a video inside a zip; unpack it first")
        video = Video(source.content)
        target = self._target(source, SUFFIX) if self.annotate else None
        film = Film(source.name, video.facts)
        try:
            frames = predict_video(self.predictor, video, self.detector, every=self.every, annotate=target)
            film.frames.extend(_shown(frames, source.name, video.facts.frames // self.every))
        finally:
            video.close()
        return film

    def _target(self, source: Source, suffix: str) -> Path:
        """A name in the folder for annotated files that no other file there has."""
        assert self.annotate is not None
        stem, number = Path(source.name).stem, 1
        while (target := self.annotate / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}").exists():
            number += 1
        return target


def predict(
    run: RunName,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Photos, videos, folders, patterns such as '*.jpg', zips.")
    ],
    runs: RunsFolder = None,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a line for each face, as CSV.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(help="Folder for the pictures and videos with their faces framed.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Look at every so many frames of a video.")] = 1,
    detector: Annotated[
        str, typer.Option(help=f"How faces are found: {', '.join(DETECTORS.names())}.")
    ] = DEFAULT_DETECTOR,
    device: Device = "cpu",
) -> None:
    """Predict the emotion of every face in photos and videos."""
    finder = get_detector(detector)
    predictor = Predictor.from_run(RunStore(runs).get(run), resolve_device(device))
    if annotate:
        annotate.mkdir(parents=True, exist_ok=True)
    sources = list(find_sources(paths)) if not any(path.suffix.lower() == ".zip" for path in paths) else None
    alone = sources is not None and len(sources) == 1
    reader = _Reader(predictor, finder, annotate, every)
    failed: list[str] = []
    read = _readings(reader, sources if sources is not None else find_sources(paths), alone, failed)
    if csv:
        _print_csv(predictor, read)
    else:
        _print(predictor, list(read), json)
    if failed:
        raise typer.Exit(1)


def _readings(reader: _Reader, sources: Iterable[Source], alone: bool, failed: list[str]) -> Iterator[Photo | Film]:
    """What was read, one file after the other; a bad one among several is told and passed over."""
    for source in sources:
        try:
            yield reader.read(source)
        except FerError as error:
            if alone:
                raise
            failed.append(source.name)
            typer.echo(f"error: {error}", err=True)


def _shown(frames: Iterable[Frame], name: str, total: int) -> Iterator[Frame]:
    """The frames, with a bar for people while they come."""
    from rich.console import Console

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(Path(name).name), total=total or None)
        for frame in frames:
            progress.advance(task)
            yield frame


def _print(predictor: Predictor, read: list[Photo | Film], json: bool) -> None:
    if json:
        films = [each.to_json() for each in read if isinstance(each, Film)]
        photos = [each.to_json() for each in read if isinstance(each, Photo)]
        print_json({"run": predictor.run_id, "photos": photos, **({"videos": films} if films else {})})
    elif read:
        columns = ("file", "face box", "emotion", "%", "others, %")
        print_table(predictor.run_id, columns, [row for each in read for row in _cells(each)], right=("%",))


def _print_csv(predictor: Predictor, read: Iterable[Photo | Film]) -> None:
    box = ("x", "y", "width", "height")
    writer = tables.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("file", "frame", "seconds", "face", *box, "emotion", "confidence", *predictor.emotions))
    for each in read:
        for frame, seconds, number, face in each.rows():
            place = [face.box.to_json()[key] for key in box]
            shares = [f"{face.probabilities[emotion]:.4f}" for emotion in predictor.emotions]
            writer.writerow(
                (each.path, frame, seconds, number, *place, face.emotion, f"{face.confidence:.4f}", *shares)
            )


def _cells(reading: Photo | Film) -> Sequence[tuple[str, ...]]:
    name = escape(Path(reading.path).name)
    found = [
        (f"{name}, {seconds:.2f} s" if isinstance(seconds, float) else name, *_face(face))
        for _, seconds, _, face in reading.rows()
    ]
    return found or [(name, "no face found", "", "", "")]


def _face(face: Prediction) -> tuple[str, str, str, str]:
    box = face.box
    ranked = sorted(face.probabilities.items(), key=lambda item: -item[1])
    others = ", ".join(f"{emotion} {100 * p:.1f}" for emotion, p in ranked if emotion != face.emotion)
    place = f"{box.width}×{box.height} at {box.x}, {box.y}"
    return place, face.emotion, f"{100 * face.confidence:.1f}", others
