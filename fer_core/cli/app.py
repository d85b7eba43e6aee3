"""All commands together, and how their errors reach a person: one sentence, exit status 2."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from fer_core.cli import crossval, data, evaluate, listing, predict, runs, train
from fer_core.errors import FerError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, evaluate and use facial-expression models.",
)
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.command("list")(listing.list_names)
app.command("train")(train.train)
app.command("grid")(train.grid)
app.command("resume")(train.resume)
app.command("crossval")(crossval.crossval)
app.command("evaluate")(evaluate.evaluate)
app.command("predict")(predict.predict)


def main() -> None:
    """Entry point of `python -m fer_core` and of the console script."""
    try:
        app()
    except FerError as error:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
