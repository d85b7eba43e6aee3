"""All commands together, and how their errors reach a person: one sentence, exit status 2.

A command's module is imported when the command is called: listing runs need not wait for torch.
"""

import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from fer_core.errors import FerError, is_full_disk

# name on the command line -> module in fer_core.cli; the command is its function of that name, or its `app`
COMMANDS = {
    "data": "data",
    "list": "listing",
    "train": "train",
    "grid": "grid",
    "resume": "train",
    "crossval": "crossval",
    "evaluate": "evaluate",
    "runs": "runs",
    "predict": "predict",
    "ensemble": "ensemble",
    "export": "export",
    "queue": "queue",
    "worker": "worker",
}


class LazyGroup(TyperGroup):
    """Commands that are imported when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return load(cmd_name) if cmd_name in COMMANDS else None


def load(name: str) -> Any:
    """The command `name` as typer's own machinery runs it."""
    module = import_module(f"fer_core.cli.{COMMANDS[name]}")
    if hasattr(module, "app"):
        command = typer.main.get_group(module.app)
    else:
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(name)(getattr(module, "list_names" if name == "list" else name))
        command = typer.main.get_command(single)  # type: ignore[assignment]
    command.name = name
    return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def group() -> None:
    """Train, evaluate and use facial-expression models."""


def main() -> None:
    """Entry point of `python -m fer_core` and of the console script."""
    try:
        app()
    except FerError as error:
        _fail(str(error))
    except OSError as error:
        if not is_full_disk(error):
            raise
        _fail("a disk is full; make room, and give the same command again")


def _fail(sentence: str) -> NoReturn:
    Console(stderr=True, soft_wrap=True, emoji=False).print(f"[bold red]error:[/] {escape(sentence)}", highlight=False)
    sys.exit(2)
