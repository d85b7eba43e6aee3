"""What every command prints through."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console(emoji=False)  # :x: in a path or a tag is no picture
NO_WORKER = "No worker is at work; start one with `python -m fer_core worker`."
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(data: Any) -> None:
    """Print plain JSON, for scripts."""
    typer.echo(json.dumps(data, indent=2))


def say(text: str) -> None:
    """Print one line as it is: square brackets in it are no markup, and it is not broken where the terminal ends."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[str] = ()) -> None:
    """Print rows under their columns; the columns in `right` hold numbers."""
    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)


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
