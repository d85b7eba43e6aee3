"""What is printed stays what it was."""

import pytest

from fer_core.cli import output
from fer_core.cli.columns import drawn
from fer_core.cli.output import moment, print_table, progress, say

ODD = "a:x:b [red]c[/] /tmp/:key:/d"
ID = "mini_xception__gcn+hist_eq__fer2013-random_80_20__s0__dde46ed9"


def test_a_line_and_a_cell_keep_colons_and_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    say(ODD)
    print_table("odd", ("text",), [(ODD,)])
    assert capsys.readouterr().out.count(ODD) == 2


def test_where_there_is_room_a_row_is_a_line() -> None:
    head, body = drawn(("run", "n"), [(ID, "7"), ("b", "12,345")], {"n"}, {"n"}, 80)
    assert head.split() == ["run", "n"]
    assert body.splitlines()[0] == f"{ID}       7"
    assert body.splitlines()[1].endswith("12,345")


def test_where_there_is_none_names_are_broken_at_their_joints_and_numbers_and_dates_never() -> None:
    columns = ("run", "state", "device", "asked", "epochs")
    row = (ID, "running 38070/40000", "cuda:0", "2026-11-30 00:00", "38070/40000")
    _, body = drawn(columns, [row], {"epochs"}, {"epochs", "device", "asked"}, 70)
    assert max(map(len, body.splitlines())) <= 70
    for word in ("running", "38070/40000", "cuda:0", "2026-11-30 00:00", "random_80_20"):
        assert word in body
    parts = [line.split()[0] for line in body.splitlines()]
    assert "".join(parts) == ID
    assert all(part.endswith(("_", "+", "-")) for part in parts[:-1])


def test_a_long_word_without_joints_is_broken_before_a_line_runs_past_the_end() -> None:
    _, body = drawn(("text", "n"), [("x" * 50, "123456")], {"n"}, {"n"}, 30)
    assert max(map(len, body.splitlines())) <= 30
    assert body.count("x") == 50
    assert "123456" in body


def test_a_word_of_a_sentence_is_broken_only_where_it_fits_no_line() -> None:
    _, body = drawn(("summary",), [("Contrast-limited adaptive equalisation",)], (), (), 20)
    assert body.splitlines() == ["Contrast-limited", "adaptive", "equalisation"]


def test_times_and_states_are_short() -> None:
    assert moment("2026-11-30T01:00:45+01:00") == "2026-11-30 00:00"
    assert moment("") == ""
    assert progress("running", "12/30") == "running 12/30"
    assert progress("queued", "0/30") == "queued"
    assert progress("finished", "30/30") == "finished"
    assert progress("damaged", "") == "damaged"


def test_a_table_without_rows_prints_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table("none", ("run", "n"), [])
    assert capsys.readouterr().out.splitlines() == ["none", "run  n"]
