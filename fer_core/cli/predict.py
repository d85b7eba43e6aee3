"""`predict RUN PATH…`: every face of every picture and video, with its box and probabilities."""

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from fer_core.cli.choices import numbers_in
from fer_core.cli.options import Device, RunsFolder
from fer_core.cli.output import JsonOption, print_json, print_table
from fer_core.cli.readings import Film, GivenBoxes, Photo, Reader, Row
from fer_core.errors import FerError
from fer_core.inference import (
    ALIGNMENTS,
    DETECTORS,
    Alignment,
    Detector,
    ExportedPredictor,
    FaceBox,
    FaceReader,
    Prediction,
    get_detector,
)
from fer_core.inference.detectors import DEFAULT_DETECTOR

BOX_COLUMNS = ("x", "y", "width", "height", "roll")


def predict(
    run: Annotated[str, typer.Argument(help="A run, as in the other commands, or the ONNX file of one.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Photos, videos, folders, patterns such as '*.jpg', zips.")
    ],
    runs: RunsFolder = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a line for each face, as CSV.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(help="Folder for the pictures and videos with their faces framed.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Look at every so many frames of a video.")] = 1,
    detector: Annotated[
        str, typer.Option(help=f"How faces are found: {', '.join(DETECTORS.names())}.")
    ] = DEFAULT_DETECTOR,
    alignment: Annotated[
        str, typer.Option(help="upright, or level: faces turned until their eyes are level.")
    ] = ALIGNMENTS[0],
    boxes: Annotated[
        list[str] | None,
        typer.Option("--box", help="A face's x,y,width,height in every picture, instead of a detector; repeatable."),
    ] = None,
    device: Device = "cpu",
) -> None:
    """Predict the emotion of every face in photos and videos."""
    if as_json and as_csv:
        raise FerError("choose one of --json and --csv")
    finder = _finder(detector, alignment, boxes)
    predictor = _predictor(run, runs, device)
    if annotate:
        annotate.mkdir(parents=True, exist_ok=True)
    reader = Reader(predictor, finder, annotate, every)
    if as_csv:
        _print_csv(predictor.emotions, reader.read(paths))
    elif as_json:
        _print_json(predictor.run_id, list(reader.read(paths)))
    else:
        _print_table(predictor.run_id, list(reader.read(paths)))
    if reader.failed:
        raise typer.Exit(1)


def _predictor(run: str, runs: Path | None, device: str) -> FaceReader:
    if run.endswith(".onnx"):
        return ExportedPredictor.from_file(Path(run))
    # these wait for torch, which an exported run does without
    from fer_core.devices import resolve_device
    from fer_core.inference import Predictor
    from fer_core.runs import RunStore

    return Predictor.from_run(RunStore(runs).get(run), resolve_device(device))


def _finder(detector: str, alignment: str, boxes: Sequence[str] | None) -> Detector:
    if not boxes:
        chosen: Alignment = alignment  # type: ignore[assignment]  # get_detector refuses all others, with the choices
        return get_detector(detector, chosen)
    return GivenBoxes(tuple(_box(text) for text in boxes))


def _box(text: str) -> FaceBox:
    numbers = numbers_in(text)
    if len(numbers) != 4:
        raise FerError(f"expected a box as x,y,width,height, got {text!r}")
    return FaceBox(*numbers)


def _print_json(run_id: str, read: list[Photo | Film]) -> None:
    films = [each.to_json() for each in read if isinstance(each, Film)]
    photos = [each.to_json() for each in read if isinstance(each, Photo)]
    print_json({"run": run_id, "photos": photos, **({"videos": films} if films else {})})


def _print_csv(emotions: Sequence[str], read: Iterable[Photo | Film]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("file", "frame", "seconds", "face", *BOX_COLUMNS, "emotion", "confidence", *emotions))
    for each in read:
        for row in each.rows():
            face, place = row.face, row.face.box.to_json()
            shares = [f"{share:.4f}" for share in (face.confidence, *(face.probabilities[name] for name in emotions))]
            box = [place[column] for column in BOX_COLUMNS]
            writer.writerow((each.path, row.frame, row.seconds, row.number, *box, face.emotion, *shares))


def _print_table(run_id: str, read: list[Photo | Film]) -> None:
    if read:
        columns = ("file", "face box", "emotion", "%", "others, %")
        print_table(run_id, columns, [row for each in read for row in _cells(each)], right=("%",))


def _cells(reading: Photo | Film) -> Sequence[tuple[str, ...]]:
    name = Path(reading.path).name
    found = [(_place(name, row), *_face(row.face)) for row in reading.rows()]
    return found or [(name, "no face found", "", "", "")]


def _place(name: str, row: Row) -> str:
    return name if row.seconds is None else f"{name}, {row.seconds:.2f} s"


def _face(face: Prediction) -> tuple[str, str, str, str]:
    box = face.box
    ranked = sorted(face.probabilities.items(), key=lambda item: -item[1])
    others = ", ".join(f"{emotion} {100 * p:.1f}" for emotion, p in ranked if emotion != face.emotion)
    place = f"{box.width}×{box.height} at {box.x}, {box.y}"
    return place, face.emotion, f"{100 * face.confidence:.1f}", others
