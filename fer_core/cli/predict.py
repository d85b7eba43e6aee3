"""`predict RUN PATH…`: every face of every picture and video, with its box and probabilities."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fer_core.cli.choices import numbers_in
from fer_core.cli.options import Device, RunsFolder, path
from fer_core.cli.output import JsonOption
from fer_core.cli.predict_output import print_csv, print_json, print_results
from fer_core.cli.readings import GivenBoxes, Reader
from fer_core.errors import FerError
from fer_core.inference import (
    ALIGNMENTS,
    DETECTORS,
    Alignment,
    Detector,
    ExportedPredictor,
    FaceBox,
    FaceReader,
    get_detector,
)
from fer_core.inference.detectors import DEFAULT_DETECTOR
from fer_core.paths import check_folder, make_folder


def predict(
    run: Annotated[str, typer.Argument(help="A run, as in the other commands, or the ONNX file of one.")],
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH…", parser=path, help="Photos, videos, folders, patterns such as '*.jpg', zips."),
    ],
    beside: Annotated[
        list[str] | None, typer.Option(help="Another run, or ONNX file, that reads the same faces; repeatable.")
    ] = None,
    runs: RunsFolder = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a line for each face and run, as CSV.")] = False,
    annotate: Annotated[
        Path | None,
        typer.Option(
            parser=path,
            help="Folder for the pictures (at most 4096 pixels a side) and videos with their faces framed, as RUN "
            "names them.",
        ),
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
        typer.Option("--box", help="A face's x,y,width,height in every file, instead of a detector; repeatable."),
    ] = None,
    device: Device = "cpu",
) -> None:
    """Predict the emotion of every face in photos and videos; boxes are in pixels of the upright file."""
    if as_json and as_csv:
        raise FerError("choose one of --json and --csv")
    finder = _finder(detector, alignment, boxes)
    if annotate:
        check_folder(annotate)
    readers = _readers([run, *(beside or [])], runs, device)
    if annotate:
        make_folder(annotate)
    reader = Reader(readers, finder, annotate, every, with_bar=not (as_csv and sys.stdout.isatty()))
    names = [each.run_id for each in readers]
    if as_csv:
        print_csv(readers, reader.read(paths))
    elif as_json:
        print_json(names, reader.read(paths), reader.refused)
    else:
        print_results(names, reader.read(paths))
    if reader.refused:
        raise typer.Exit(1)


def _readers(names: Sequence[str], runs: Path | None, device: str) -> list[FaceReader]:
    readers = [_predictor(name, runs, device) for name in names]
    known = [reader.run_id for reader in readers]
    twice = next((run for run in known if known.count(run) > 1), None)
    if twice:
        raise FerError(f"run {twice} is named twice; --beside takes other runs")
    return readers


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
