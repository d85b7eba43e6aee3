"""What every command prints through."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from fer_core.cli.columns import drawn

console = Console(emoji=False)  # :x: in a path or a tag is no picture
NO_WORKER = "No worker is at work; start one with `python -m fer_core worker`."
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(data: Any) -> None:
    """Print plain JSON, for scripts."""
    typer.echo(json.dumps(data, indent=2))


def say(text: str) -> None:
    """Print one line as it is: square brackets in it are no markup, and it is not broken where the terminal ends."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def say_aside(text: str) -> None:
    """Print one line to stderr: a remark that is no part of what the command was asked for, nor of its JSON."""
    typer.echo(text, err=True)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> None:
    """Print rows under their columns; those in `right` hold numbers.

    Where the terminal is too narrow, other columns than those in `right` and `whole` take several lines a cell.
    """
    cells = [[str(cell) for cell in row] for row in rows]
    head, body = drawn(columns, cells, right, {*right, *whole}, console.width)
    console.print(Text(title, style="table.title"))
    console.print(Text(head, style="table.header"), soft_wrap=True)
    if body:
        console.print(Text(body), soft_wrap=True)


def moment(iso: str) -> str:
    """A time of ISO 8601 as `2026-11-30 00:00`, in UTC; what is no such time stays as it is."""
    try:
        return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M}"
    except ValueError:
        return iso


def progress(state: str, epoch: str) -> str:
    """`running 12/30`: a state with the epochs behind and in all, where they say more than the state."""
    return state if state == "finished" or epoch.startswith(("0/", "/")) or not epoch else f"{state} {epoch}"


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal, or a dash."""
    return "–" if share is None else f"{share:.1%}"


def duration(seconds: float | None) -> str:
    """Seconds as a person says them: 42 s, 3 min, 1 h 20 min."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
