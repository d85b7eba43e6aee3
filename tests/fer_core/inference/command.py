"""The command `predict`, called as from a shell."""

from pathlib import Path
from unittest.mock import patch

import typer
from typer.testing import CliRunner, Result

from fer_core.cli import predict
from fer_core.cli.output import console

app = typer.Typer()
app.command("predict")(predict.predict)


def invoke(*arguments: str | Path) -> Result:
    # wide enough for every table; the variable COLUMNS would not do, which a console that has a size does not read
    with patch.multiple(console, _width=240, _height=25):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])
