"""What people write about a run: tags, a note, and whether it is archived; in `notes.json` beside its results."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fer_core.config import from_json
from fer_core.errors import FerError
from fer_core.runs.run import Run, RunError

NOTES = "notes.json"
LONGEST_TAG, LONGEST_NOTE, MOST_TAGS = 30, 2000, 12  # characters, characters, tags


@dataclass(frozen=True)
class Notes:
    """Tags in the order in which they were given; an `archived` run is left out of rankings and stays as it is."""

    tags: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False
    by: str = ""
    updated: str = ""


def read_notes(run: Run) -> Notes:
    """What was written about a run; empty where nothing was, or where the file cannot be read."""
    try:
        return _read(run)
    except FerError:
        return Notes()  # a result is listed without its notes; `change_notes` says what is wrong with the file


def change_notes(run: Run, *, by: str = "", **changes: Any) -> Notes:
    """Replace some of `tags`, `note` and `archived`; returns what stands there now.

    Raises RunError where the file cannot be read or written, and for tags or notes that are too long.
    """
    try:
        notes = replace(_read(run), **_checked(changes), by=by, updated=datetime.now(UTC).isoformat(timespec="seconds"))
        run.write_json(NOTES, asdict(notes))
    except OSError as error:
        raise RunError(f"{run.id}/{NOTES} cannot be written: {error.strerror}") from error
    return notes


def tags_of(words: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept: without blanks around them, each once; raises RunError for one that is too long."""
    tags = tuple(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))
    for tag in tags:
        if len(tag) > LONGEST_TAG or "," in tag:
            raise RunError(f"a tag has at most {LONGEST_TAG} characters and no comma, not {tag[: LONGEST_TAG + 5]!r}")
    if len(tags) > MOST_TAGS:
        raise RunError(f"a run has at most {MOST_TAGS} tags, not {len(tags)}")
    return tags


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(changes) - {"tags", "note", "archived"})
    if unknown:
        raise RunError(f"a run has no {unknown[0]}; choose from tags, note, archived")
    note = str(changes.get("note", "")).strip()
    if len(note) > LONGEST_NOTE:
        raise RunError(f"a note has at most {LONGEST_NOTE:,} characters, not {len(note):,}")
    checked = {name: changes[name] for name in changes}
    if "note" in changes:
        checked["note"] = note
    if "tags" in changes:
        checked["tags"] = tags_of(changes["tags"])
    return checked


def _read(run: Run) -> Notes:
    if not (run.path / NOTES).exists():
        return Notes()
    try:
        found: Notes = from_json(Notes, run.read_json(NOTES))
    except RunError:
        raise
    except FerError as error:
        raise RunError(f"{run.id}/{NOTES}: {error}") from None
    return found
