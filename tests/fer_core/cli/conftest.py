"""What the tests of the commands share."""

import pytest

from fer_core.cli.app import main


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs the command line in this process; returns (exit status, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["fer_core", *map(str, arguments)])
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run
