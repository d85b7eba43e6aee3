"""A table as text: how wide its columns are, and where their cells are broken; a number never is."""

import re
from collections.abc import Callable, Collection, Sequence
from itertools import zip_longest

from rich.cells import cell_len

JOINT = re.compile(r"(?<=[_+/,:-])(?=[^\W\d_])")  # within a name: before a letter, so that numbers stay whole
GAP = "  "
LEAST = 8  # characters: what a word without joints is broken to before a line runs past the terminal's end

Parts = Callable[[str], list[str]]


def drawn(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str], whole: Collection[str], room: int
) -> tuple[str, str]:
    """The heads and the rows under them, `room` characters wide; `right` names the columns that end at the right."""
    widths = fitting(columns, rows, [column in whole for column in columns], room)

    def placed(text: str, column: str, width: int) -> str:
        blanks = " " * (width - cell_len(text))
        return blanks + text if column in right else text + blanks

    def lines(row: Sequence[str]) -> str:
        broken = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        every = zip_longest(*broken, fillvalue="")
        return "\n".join(GAP.join(map(placed, line, columns, widths)).rstrip() for line in every)

    return lines(columns), "\n".join(map(lines, rows))


def fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[bool], room: int) -> list[int]:
    """The width of each column, such that all and the blanks between them fit into `room` characters.

    Where they do not, cells that are not `whole` are broken: between words, then at the joints of names, then
    anywhere; the widest column's first, and the longer half of its cells. Columns that cannot be broken further may
    still need more than `room`.
    """
    cells = [[row[place] for row in rows] for place in range(len(columns))]
    widths = [_longest([head, *below], str.splitlines) for head, below in zip(columns, cells, strict=True)]
    usual = [_middle([cell_len(cell) for cell in below]) for below in cells]
    room -= len(GAP) * (len(columns) - 1)
    for parts in (str.split, _joints, _pieces):
        if sum(widths) <= room:
            break
        floors = [
            max(_longest([head], str.split), _longest(below, str.splitlines if keep else parts))
            for head, below, keep in zip(columns, cells, whole, strict=True)
        ]
        widths = _shrunk(widths, floors, usual, room)
    return widths


def _wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` characters, broken where that harms least."""
    return [part for line in text.splitlines() for part in _lines_of(line, width)]


def _lines_of(line: str, width: int) -> list[str]:
    lines = [""]
    for word in re.findall(r"\s*\S+", line):
        if cell_len(lines[-1] + word) <= width:
            lines[-1] += word
            continue
        if lines[-1]:
            lines.append("")
        for part in _joints(word.lstrip()):
            if lines[-1] and cell_len(lines[-1] + part) > width:
                lines.append("")
            lines[-1] += part
            while cell_len(lines[-1]) > width:
                lines[-1:] = [lines[-1][:width], lines[-1][width:]]
    return lines


def _joints(text: str) -> list[str]:
    return [part for word in text.split() for part in JOINT.split(word)]


def _pieces(text: str) -> list[str]:
    return [part[:LEAST] for part in _joints(text)]


def _longest(texts: Sequence[str], parts: Parts) -> int:
    return max((cell_len(part) for text in texts for part in parts(text)), default=0)


def _middle(lengths: Sequence[int]) -> int:
    return sorted(lengths)[len(lengths) // 2] if lengths else 0


def _shrunk(widths: Sequence[int], floors: Sequence[int], usual: Sequence[int], room: int) -> list[int]:
    """The widths made narrower, one character at a time, until they fit or stand on their floors.

    Of the columns that are wider than their `usual` cell, else of all, the widest is next.
    """
    narrower = list(widths)
    while sum(narrower) > room:
        loose = [place for place, floor in enumerate(floors) if narrower[place] > floor]
        if not loose:
            break
        narrower[max(loose, key=lambda place: (narrower[place] > usual[place], narrower[place]))] -= 1
    return narrower
