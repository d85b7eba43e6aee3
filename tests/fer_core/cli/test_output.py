"""What is printed stays what it was."""

import pytest

from fer_core.cli.output import print_table, say

ODD = "a:x:b [red]c[/] /tmp/:key:/d"


def test_a_line_and_a_cell_keep_colons_and_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    say(ODD)
    print_table("odd", ("text",), [(ODD,)])
    assert capsys.readouterr().out.count(ODD) == 2
