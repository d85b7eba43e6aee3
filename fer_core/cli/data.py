"""`python -m fer_core data …`: prepare, download and audit datasets."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fer_core.cli.options import path
from fer_core.datasets import FaceDataset, Wanted, audit, load_dataset, prepare, refused_protocols, served_protocols
from fer_core.datasets import progress as reading
from fer_core.datasets.auditing import Audit
from fer_core.datasets.download import download
from fer_core.datasets.preparation import AS_IS
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS

app = typer.Typer(no_args_is_help=True, help="Prepare, download and audit datasets.")

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        parser=path,
        envvar="FER_DATA_DIR",
        help="Folder of the prepared datasets.",
        show_default=".data",
    ),
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Replace a prepared dataset of that name, though it holds something else.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@app.command("prepare")
def prepare_command(
    source: Annotated[
        Path, typer.Argument(parser=path, help="Kaggle zip or folder, fer2013.csv, class folders, tar …")
    ],
    name: Annotated[str | None, typer.Option(help="Name of the dataset; default: the source's own.")] = None,
    faces: Annotated[
        int | None, typer.Option(help="Crop the largest face of each picture to this many pixels a side.")
    ] = None,
    without_face: Annotated[
        str | None,
        typer.Option(help="Pictures without a found face: keep (their centre), drop or refuse.", show_default="keep"),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Make each image a square of this many pixels; default: the size most have.")
    ] = None,
    gray: Annotated[bool, typer.Option("--gray", help="Make each image gray; default: as most are.")] = False,
    shown_as: Annotated[
        str | None,
        typer.Option(help="width:height that pictures are meant to be shown at, such as 16:9."),
    ] = None,
    replace: Replace = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read SOURCE into the cache: one array, ids, labels, official split and a manifest."""
    _prepare(source, name, data_dir, as_json, replace, _wanted(faces, without_face, size, gray, shown_as))


@app.command("download")
def download_command(
    dataset: Annotated[str, typer.Argument(help="Dataset to download: fer2013.")],
    name: Annotated[str | None, typer.Option(help="Name of the prepared dataset; default: the same.")] = None,
    replace: Replace = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Download a public dataset through kagglehub and prepare it."""
    _prepare(download(dataset), dataset if name is None else name, data_dir, as_json, replace)


@app.command("audit")
def audit_command(
    dataset: Annotated[str, typer.Argument(help="A prepared dataset, or synthetic.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Count images, exact copies, contradicting labels and leakage between splits."""
    report = audit(load_dataset(dataset, data_dir))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(report), indent=2))
    else:
        _print_audit(report)


def _wanted(faces: int | None, without_face: str | None, size: int | None, gray: bool, shown_as: str | None) -> Wanted:
    if faces is None and without_face is not None:
        raise FerError("--without-face belongs to --faces SIZE; give both or neither")
    if faces is None and size is None and shown_as is not None:
        raise FerError("--shown-as belongs to --faces SIZE or --size SIZE; give one of them, too")
    if faces is not None and size is not None:
        raise FerError("--faces says the size already; leave out --size")
    fate = None if faces is None else without_face or "keep"
    aspect = None if shown_as is None else _aspect(shown_as)
    return Wanted(size if faces is None else faces, "gray" if gray else "as most", fate, aspect)


def _aspect(text: str) -> float:
    width, _, height = text.partition(":")
    try:
        return float(width) / float(height)
    except (ValueError, ZeroDivisionError):
        raise FerError(f"expected width:height such as 16:9, got {text!r}") from None


def _prepare(
    source: Path, name: str | None, data_dir: Path | None, as_json: bool, replace: bool, wanted: Wanted = AS_IS
) -> None:
    with _progress_bar(source.name) as show:
        dataset = prepare(source, name, data_dir, show, wanted, replace=replace)
    protocols = served_protocols(dataset)
    if as_json:
        typer.echo(json.dumps({**dataset.manifest, "protocols": protocols}, indent=2))
    else:
        _print_prepared(dataset, protocols)


@contextmanager
def _progress_bar(source: str) -> Iterator[reading.Progress]:
    # On stderr, so that --json leaves nothing but JSON on stdout.
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True, emoji=False), transient=True) as bar:
        task = bar.add_task(f"reading {escape(source)}", total=1.0)

        def show(fraction: float, images: int) -> None:
            if images % 8 == 0 or fraction == 1.0:
                bar.update(task, completed=fraction, description=f"reading {escape(source)}: {images:,} images")

        yield show


def _print_prepared(dataset: FaceDataset, protocols: list[str]) -> None:
    console = Console(emoji=False)
    manifest = dataset.manifest
    console.print(_count_table(f"{dataset.name}: {len(dataset):,} images", manifest["counts"]))
    for sentence in manifest["conversions"]:
        console.print(f"  {escape(sentence)}", highlight=False)
    for sentence in manifest["missing"]:
        console.print(f"[yellow]missing:[/yellow] {escape(sentence)}", highlight=False)
    if not protocols:
        console.print("[yellow]no protocol can be served:[/yellow]")
        for name, reason in refused_protocols(dataset).items():
            console.print(f"  {name}: {escape(reason)}", highlight=False)
    else:
        console.print(f"protocols it can serve: {', '.join(protocols)}")
    console.print(f"sha256 {manifest['sha256']}", highlight=False)


def _print_audit(report: Audit) -> None:
    console = Console(emoji=False)
    console.print(_count_table(f"{report.dataset}: {report.images:,} images", report.counts))
    table = Table(title="exact copies", title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("how many", justify="right")
    for what, count in _findings(report):
        table.add_row(what, f"{count:,}")
    console.print(table)


def _findings(report: Audit) -> list[tuple[str, int]]:
    return [
        ("groups of exactly equal images", report.groups),
        ("surplus copies (all but one of each group)", report.surplus_copies),
        ("groups with conflicting labels", report.conflicting_groups),
        ("groups across splits", report.cross_split_groups),
        ("test images with a copy in train", report.test_in_train),
        ("valid images with a copy in train", report.valid_in_train),
        ("constant images (a single gray level)", report.constant_images),
    ]


def _count_table(title: str, counts: dict[str, dict[str, int]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("split")
    for column in (*EMOTIONS, "total"):
        table.add_column(column, justify="right")
    for split, classes in counts.items():
        table.add_row(split or "(none)", *_cells(classes))
    return table


def _cells(classes: dict[str, Any]) -> list[str]:
    return [f"{count:,}" for count in (*(classes[emotion] for emotion in EMOTIONS), sum(classes.values()))]
