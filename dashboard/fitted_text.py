"""Text that fits its cell, however narrow the page; no Streamlit here."""

from collections.abc import Iterable
from typing import Any

import altair as alt

from dashboard.formats import SPACE

ADVANCE = 0.6  # of a digit, as a share of the font's size
LEAST = 8  # pixels of type: smaller cannot be read


def fitted_text(field: str, shown: Iterable[object], columns: int, size: int) -> dict[str, Any]:
    """Arguments of `mark_text` for the texts `shown` of `field` in a grid of so many columns.

    At most `size` pixels high. Where a cell is too narrow for the longest, each loses its unit, and then its size.
    """
    texts = [str(each) for each in shown]
    longest = max((len(each) for each in texts), default=1)
    shortest = max((len(each.split(SPACE)[0]) for each in texts), default=1)
    cell = f"width / {columns}"
    is_narrow = f"{cell} < {ADVANCE * size * (longest + 1):.0f}"
    return {
        "text": alt.ExprRef(f"{is_narrow} ? split(datum['{field}'], '{SPACE}')[0] : datum['{field}']"),
        "fontSize": alt.ExprRef(f"max({LEAST}, min({size}, {cell} / {ADVANCE * (shortest + 0.3):.2f}))"),
    }
