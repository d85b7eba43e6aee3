"""The command `predict`, called as from a shell."""

from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from fer_core.cli import predict

app = typer.Typer()
app.command("predict")(predict.predict)


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "240"})
