"""Markdown, as cards are written in: tables, numbers, and a dash where there is no number."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

NONE = "–"


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], aligned: Literal["left", "right"] = "right") -> str:
    """A pipe table; all columns but the first are `aligned`: numbers and shares to the right, words to the left."""
    marks = ["---", *["---:" if aligned == "right" else "---"] * (len(columns) - 1)]
    lines = [columns, marks, *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def percent(share: float | None) -> str:
    """0.6456 as `64.6 %`."""
    return NONE if share is None else f"{100 * share:.1f} %"


def with_interval(share: float | None, ends: Sequence[float] | None) -> str:
    """`64.6 % [63.0, 66.1]`, a share and its 95 % interval in percent."""
    if share is None or not ends:
        return percent(share)
    return f"{percent(share)} [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]"


def number(value: Any) -> str:
    """58423 as `58,423`; a dash for what is no whole number."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else NONE
