"""`export RUN`: ONNX with the preprocessing inside the graph."""

from pathlib import Path
from typing import Annotated

import typer

from fer_core.cli.choices import names_in, runs_in
from fer_core.cli.options import RunsFolder, path
from fer_core.cli.output import JsonOption, percent, print_json, print_table
from fer_core.cli.runs import RunName
from fer_core.export import VARIANTS, export_run


def export(
    run: RunName,
    out: Annotated[
        Path | None, typer.Option(parser=path, help="Folder for the files; the run's own if left out.")
    ] = None,
    variants: Annotated[str, typer.Option(help=f"Joined by commas: {', '.join(VARIANTS)}.")] = VARIANTS[0],
    runs: RunsFolder = None,
    json: JsonOption = False,
) -> None:
    """Write a run as ONNX: gray face crops in, calibrated probabilities out; checked against PyTorch first."""
    written = export_run(runs_in(runs).get(run), out, tuple(names_in(variants)))
    if json:
        print_json([each.to_json() for each in written])
        return
    columns = ("file", "numbers", "KB", "difference", "test accuracy")
    rows = [
        (each.path.name, each.variant, f"{each.bytes / 1024:.0f}", f"{each.difference:.1e}", percent(each.accuracy))
        for each in written
    ]
    title = f"checked against PyTorch on {written[0].checked_on}; in {written[0].path.parent}"
    print_table(title, columns, rows, right=("KB", "difference", "test accuracy"))
