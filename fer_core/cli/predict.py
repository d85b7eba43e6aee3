"""`predict RUN IMAGE…`: every face of every picture, with its box and probabilities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from fer_core.cli.options import Device, RunsFolder
from fer_core.cli.output import JsonOption, print_json, print_table
from fer_core.cli.runs import RunName
from fer_core.devices import resolve_device
from fer_core.errors import FerError
from fer_core.inference import Prediction, Predictor, get_detector, read_image
from fer_core.inference.detectors import DEFAULT_DETECTOR, DETECTORS, Detector
from fer_core.runs import RunStore


@dataclass(frozen=True)
class Photo:
    """One picture and its faces; boxes are in pixels of a picture of `width` × `height`."""

    path: Path
    width: int
    height: int
    faces: list[Prediction]

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, as plain JSON types."""
        faces = [face.to_json() for face in self.faces]
        return {"path": str(self.path), "width": self.width, "height": self.height, "faces": faces}


def predict(
    run: RunName,
    paths: Annotated[list[Path], typer.Argument(metavar="IMAGE…", help="Photos with any number of faces.")],
    runs: RunsFolder = None,
    json: JsonOption = False,
    detector: Annotated[
        str, typer.Option(help=f"How faces are found: {', '.join(DETECTORS.names())}.")
    ] = DEFAULT_DETECTOR,
    device: Device = "cpu",
) -> None:
    """Predict the emotion of every face in photos."""
    finder = get_detector(detector)
    predictor = Predictor.from_run(RunStore(runs).get(run), resolve_device(device))
    photos = [_predict_photo(predictor, finder, path, len(paths)) for path in paths]
    read = [photo for photo in photos if photo is not None]
    if json:
        print_json({"run": predictor.run_id, "photos": [photo.to_json() for photo in read]})
    elif read:
        columns = ("photo", "face box", "emotion", "%", "others, %")
        rows = [row for photo in read for row in _rows(photo)]
        print_table(predictor.run_id, columns, rows, right=("%",))
    if len(read) < len(photos):
        raise typer.Exit(1)


def _predict_photo(predictor: Predictor, detector: Detector, path: Path, count: int) -> Photo | None:
    """The faces of one picture; one bad picture among several is told and passed over."""
    try:
        image = read_image(path)
        faces = predictor.predict(image, detector=detector)
    except FerError as error:
        if count == 1:
            raise
        typer.echo(f"error: {error}", err=True)
        return None
    return Photo(path, image.shape[1], image.shape[0], faces)


def _rows(photo: Photo) -> list[tuple[str, ...]]:
    name = escape(photo.path.name)
    return [(name, *_cells(face)) for face in photo.faces] or [(name, "no face found", "", "", "")]


def _cells(face: Prediction) -> tuple[str, str, str, str]:
    box = face.box
    ranked = sorted(face.probabilities.items(), key=lambda item: -item[1])
    others = ", ".join(f"{emotion} {100 * p:.1f}" for emotion, p in ranked if emotion != face.emotion)
    place = f"{box.width}×{box.height} at {box.x}, {box.y}"
    return place, face.emotion, f"{100 * face.confidence:.1f}", others
