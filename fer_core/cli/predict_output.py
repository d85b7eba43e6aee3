"""How `predict` writes what was read: a table, CSV or JSON; of a video, row by row as it is read."""

import csv
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any, TextIO

from fer_core.cli.output import print_table
from fer_core.cli.readings import Film, Photo, Refused, Row
from fer_core.inference import FaceReader, Prediction
from fer_core.labels import EMOTIONS

BOX_COLUMNS = ("x", "y", "width", "height", "roll")
MOST_ROWS = 500  # of one video in the table, which is in memory as a whole
INDENT = "  "


def print_csv(readers: Sequence[FaceReader], read: Iterable[Photo | Film]) -> None:
    """A line for each face and each run; empty where a run does not know an emotion."""
    known = {emotion for reader in readers for emotion in reader.emotions}
    emotions = [emotion for emotion in EMOTIONS if emotion in known]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("file", "frame", "seconds", "face", "run", *BOX_COLUMNS, "emotion", "confidence", *emotions))
    for each in read:
        for row in each.rows():
            face, place = row.face, row.face.box.to_json()
            shares = [f"{face.probabilities[name]:.4f}" if name in face.probabilities else "" for name in emotions]
            box = [place[column] for column in BOX_COLUMNS]
            where = (each.path, row.frame, row.seconds, row.number, row.run)
            writer.writerow((*where, *box, face.emotion, f"{face.confidence:.4f}", *shares))


def print_json(runs: Sequence[str], read: Iterable[Photo | Film], refused: Sequence[Refused]) -> None:
    """One object; its photos are written as they are read, and videos wait in a file without a name, not in memory."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as films:
        named = {"run": runs[0]} if len(runs) == 1 else {"runs": list(runs)}
        sys.stdout.write(json.dumps(named, indent=2).removesuffix("\n}") + f',\n{INDENT}"photos": ')
        _write(sys.stdout, _photos(read, films), 1)
        if films.tell():
            sys.stdout.write(f',\n{INDENT}"videos": [')
            films.seek(0)
            while part := films.read(2**16):
                sys.stdout.write(part)
            sys.stdout.write(f"\n{INDENT}]")
    if refused:
        sys.stdout.write(f',\n{INDENT}"refused": ')
        _write(sys.stdout, [asdict(each) for each in refused], 1)
    sys.stdout.write("\n}\n")


def _photos(read: Iterable[Photo | Film], films: TextIO) -> Iterator[dict[str, Any]]:
    """The photos as JSON; the videos between them are written to `films`."""
    for each in read:
        if isinstance(each, Film):
            films.write(("," if films.tell() else "") + f"\n{INDENT * 2}")
            _write(films, _film_json(each), 2)
            continue
        notes = {"notes": list(each.notes)} if each.notes else {}
        faces = _faces_json(list(each.readings), list(each.readings.values()))
        yield {"path": each.path, "width": each.width, "height": each.height, **notes, "faces": faces}


def _film_json(film: Film) -> dict[str, Any]:
    frames = (
        {
            "frame": frame.number,
            "seconds": round(frame.seconds, 3),
            "faces": _faces_json(film.runs, frame.readings),
        }
        for frame in film.frames
    )
    return {"path": film.path, **asdict(film.facts), "looked_at": frames}


def _faces_json(runs: Sequence[str], readings: Sequence[Sequence[Prediction]]) -> list[dict[str, Any]]:
    """Each face with what the one run reads in it, or under `runs` what each of several does."""
    if len(runs) == 1:
        return [face.to_json() for face in readings[0]]
    return [
        {
            "box": faces[0].box.to_json(),
            "runs": {run: _without_box(face.to_json()) for run, face in zip(runs, faces, strict=True)},
        }
        for faces in zip(*readings, strict=True)
    ]


def _without_box(face: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in face.items() if name != "box"}


def _write(out: TextIO, data: Any, depth: int) -> None:
    """Write as `json.dumps(data, indent=2)` does, `depth` levels in; an iterator is a list, taken item by item."""
    inside, begun = "\n" + INDENT * (depth + 1), False
    if isinstance(data, Mapping):
        out.write("{")
        for name, value in data.items():
            out.write(("," if begun else "") + f"{inside}{json.dumps(name)}: ")
            _write(out, value, depth + 1)
            begun = True
        out.write(f"\n{INDENT * depth}}}")
    elif isinstance(data, Iterator):
        out.write("[")
        for item in data:
            out.write(("," if begun else "") + inside)
            _write(out, item, depth + 1)
            begun = True
        out.write(f"\n{INDENT * depth}]" if begun else "]")
    else:
        out.write(json.dumps(data, indent=2).replace("\n", "\n" + INDENT * depth))


def print_results(runs: Sequence[str], read: Iterable[Photo | Film]) -> None:
    """A table for people: of a long video its first MOST_ROWS rows. Several runs stand under their letters."""
    letters = {run: chr(ord("A") + place) for place, run in enumerate(runs)} if len(runs) > 1 else {}
    rows = [row for each in read for row in _table_rows(each, letters)]
    if rows:
        title = "\n".join(f"{letter}  {run}" for run, letter in letters.items()) or runs[0]
        columns = ("file", "face box", *(["run"] if letters else []), "emotion", "%", "others, %")
        print_table(title, columns, rows, right=("%",))


def _table_rows(reading: Photo | Film, letters: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    count = 0
    empty = [""] * (4 if letters else 3)
    rows = reading.rows()
    for row in islice(rows, MOST_ROWS) if isinstance(reading, Film) else rows:
        count += 1
        yield (_place(reading.path, row), *_face(row, letters))
    more = sum(1 for _ in rows)
    if more:
        yield (f"{reading.path}, {more:,} more rows", "--csv and --json give all", *empty)
    if not count:
        yield (reading.path, "no face found", *empty)


def _place(path: str, row: Row) -> str:
    return path if row.seconds is None else f"{path}, {row.seconds:.2f} s"


def _face(row: Row, letters: Mapping[str, str]) -> tuple[str, ...]:
    face, box = row.face, row.face.box
    ranked = sorted(face.probabilities.items(), key=lambda item: -item[1])
    others = ", ".join(f"{emotion} {100 * p:.1f}" for emotion, p in ranked if emotion != face.emotion)
    place = f"{box.width}×{box.height} at {box.x}, {box.y}"
    letter = (letters[row.run],) if letters else ()
    return (place, *letter, face.emotion, f"{100 * face.confidence:.1f}", others)
