"""JSON as people read it."""

import json

from fer_core.runs.brief import pretty

DATA = {
    "matrix": [[10, 0], [2, 7]], "interval": (0.1, 1 / 3), "none": [None, True], "empty": [],
    "names": ["a [1,\n 2]", "b"], "folds": [{"fold": "1", "counts": [1, 2]}],
}  # fmt: skip


def test_a_row_of_numbers_is_one_line_and_everything_reads_as_it_was() -> None:
    text = pretty(DATA)
    assert json.loads(text) == json.loads(json.dumps(DATA))
    assert text.splitlines()[:4] == ["{", ' "matrix": [', "  [10, 0],", "  [2, 7]"]
    assert '"interval": [0.1, 0.3333333333333333],' in text
    assert '   "counts": [1, 2]' in text.splitlines()
    assert text.count("\n") == 19
