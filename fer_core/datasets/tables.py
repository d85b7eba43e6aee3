"""Read the images of a CSV with one image per row."""

import csv
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from fer_core.datasets.errors import SourceError, not_utf8
from fer_core.datasets.limits import MAX_ROW_BYTES, MAX_TABLE_BYTES
from fer_core.datasets.members import Member, Source
from fer_core.datasets.progress import Progress
from fer_core.datasets.readers import TABLES, Place, Table
from fer_core.datasets.spool import Spool
from fer_core.labels import EMOTIONS

SIDE = 48
_NUMBERS = re.compile(r"[0-9 ]*")
# Where several tables say the same, torchvision's order of precedence.
_PREFERRED = ("fer2013.csv", "icml_face_data.csv", "train.csv")


@dataclass(frozen=True)
class FoundTable:
    """A table of a source, how to read it, and the other tables there, which are not read."""

    path: PurePosixPath
    format: str
    others: tuple[str, ...]


def find_table(source: Source) -> FoundTable | None:
    """The table of `source` that tells most; None where no CSV has the columns of a known format."""
    found: list[tuple[PurePosixPath, str]] = []
    others: list[str] = []
    for member in source.members():
        if member.is_folder or member.path.suffix.lower() != ".csv":
            continue
        name = _format_of(member)
        if name is None:
            others.append(member.path.name)
        else:
            found.append((member.path, name))
    if not found:
        return None
    path, name = min(found, key=_precedence)
    others += [other.name for other, _ in found if other != path]
    return FoundTable(path, name, tuple(sorted(others)))


def gather_table(source: Source, found: FoundTable, spool: Spool, progress: Progress) -> None:
    """Append every row's image to `spool`; raises SourceError naming file and row."""
    table = TABLES.get(found.format)
    for member in source.members():
        if member.path == found.path and not member.is_folder:
            _read_rows(member, table, spool, progress)
            break
    spool.format = found.format
    spool.is_fer2013 = True
    spool.remarks += [f"{name} beside it was not read" for name in found.others]


def _precedence(found: tuple[PurePosixPath, str]) -> tuple[int, int, str]:
    path, name = found
    known = _PREFERRED.index(path.name) if path.name in _PREFERRED else len(_PREFERRED)
    return -TABLES.get(name).specificity, known, str(path)


def _format_of(member: Member) -> str | None:
    with member.open() as stream, _text_errors(member.path.name):
        header = stream.readline(4096).decode("utf-8-sig")
        columns = {_column(name) for name in next(csv.reader([header]), [])}
    formats = [name for name in TABLES.names() if TABLES.get(name).columns <= columns]
    return max(formats, key=lambda name: TABLES.get(name).specificity, default=None)


def _read_rows(member: Member, table: Table, spool: Spool, progress: Progress) -> None:
    if member.size > MAX_TABLE_BYTES:
        raise SourceError(f"{member.path.name} is {member.size:,} bytes long; at most {MAX_TABLE_BYTES:,} are read")
    name = member.path.name
    read = 0
    with member.open() as stream, _text_errors(name):
        for number, row in enumerate(_rows(stream), start=1):
            try:
                spool.append(_pixels(row["pixels"]))
                spool.places.append(_place(row, number, table))
            except ValueError as error:
                raise SourceError(f"{name}, row {number:,} (line {number + 1:,}): {error}") from None
            read += len(row["pixels"]) + 12
            progress(min(1.0, read / max(1, member.size)), number)


def _rows(stream: IO[bytes]) -> Iterator[Mapping[str, str]]:
    # A text wrapper wants to seek, which a stream cannot; the bound keeps one endless line out of memory.
    raw = iter(lambda: stream.readline(MAX_ROW_BYTES), b"")
    lines = csv.reader(line.decode("utf-8-sig") for line in raw)
    columns = [_column(name) for name in next(lines, [])]
    for cells in lines:
        # A row cut short lacks its last cells; its reader then says what is missing.
        yield dict(zip(columns, cells + [""] * (len(columns) - len(cells)), strict=False))


def _pixels(text: str) -> np.ndarray:
    if not _NUMBERS.fullmatch(text):
        raise ValueError("the pixels are not whole numbers parted by spaces")
    values = np.fromstring(text, dtype=np.int64, sep=" ") if text.strip() else np.empty(0, np.int64)
    if values.size != SIDE * SIDE:
        raise ValueError(f"{values.size:,} pixels instead of {SIDE * SIDE:,} ({SIDE}x{SIDE})")
    if values.max() > 255:
        raise ValueError(f"a pixel is {values.max()}; pixels lie between 0 and 255")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _place(row: Mapping[str, str], number: int, table: Table) -> Place:
    text = row["emotion"].strip()
    if text not in map(str, range(len(EMOTIONS))):
        choices = ", ".join(f"{label} {emotion}" for label, emotion in enumerate(EMOTIONS))
        raise ValueError(f"the label is '{text[:40]}'; choose from {choices}")
    split, prefix = table.split_of(row)
    return Place(int(text), split, f"{EMOTIONS[int(text)]}/{prefix}_{number:05d}")


def _column(name: str) -> str:
    return name.strip().lower()


@contextmanager
def _text_errors(name: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise not_utf8(name) from error
    except csv.Error as error:
        raise SourceError(f"{name} is not a readable CSV: {error}") from error
