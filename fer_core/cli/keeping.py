"""`runs archive|tag|note|trash|restore|latency`: what is written beside a run, and what was deleted."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from fer_core.cli.choices import runs_in
from fer_core.cli.options import RunsFolder
from fer_core.cli.output import JsonOption, moment, print_json, print_table, say
from fer_core.runs import RunError, Trashed, change_notes, read_notes, tags_of

RunName = Annotated[str, typer.Argument(help="A run's name, its beginning or its hash.")]
RunNames = Annotated[list[str], typer.Argument(metavar="RUN…", help="Runs: names, their beginnings or hashes.")]


def archive(
    names: RunNames,
    undo: Annotated[bool, typer.Option("--undo", help="Take them out of the archive.")] = False,
    runs: RunsFolder = None,
) -> None:
    """Leave runs out of rankings; nothing of them is moved or removed."""
    store = runs_in(runs)
    for run in [store.get(name) for name in names]:
        change_notes(run, archived=not undo)
        say(f"{'out of' if undo else 'in'} the archive: {run.id}")


def tag(
    name: RunName,
    tags: Annotated[list[str], typer.Argument(metavar="TAG…", help="One or more tags.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take these tags away.")] = False,
    runs: RunsFolder = None,
) -> None:
    """Give a run tags, by which the leaderboard finds and filters it."""
    run = runs_in(runs).get(name)
    blank = [each for each in tags if not each.strip()]
    if blank:
        raise RunError(f"{blank[0]!r} is no tag; a tag has at least one character that is no blank")
    before, typed = read_notes(run).tags, tags_of(tags)
    after = [each for each in before if each not in typed] if remove else [*before, *typed]
    say(f"{run.id}: {', '.join(change_notes(run, tags=after).tags) or 'no tags'}")


def note(
    name: RunName,
    text: Annotated[str, typer.Argument(help="What is worth knowing about it; an empty text removes the note.")],
    runs: RunsFolder = None,
) -> None:
    """Write a note beside a run, in place of the one that stands there."""
    run = runs_in(runs).get(name)
    change_notes(run, note=text)
    say(f"noted: {run.id}")


def trash(runs: RunsFolder = None, json: JsonOption = False) -> None:
    """List the runs that were deleted and can be restored, the latest first."""
    found = runs_in(runs).trash()
    rows = [{"id": each.id, "deleted": _deleted(each), "path": str(each.path)} for each in found]
    if json:
        print_json(rows)
        return
    shown = [(row["id"], moment(row["deleted"])) for row in rows]
    print_table(f"{len(rows)} deleted runs", ("run", "deleted (UTC)"), shown, whole=("deleted (UTC)",))


def restore(name: RunName, runs: RunsFolder = None) -> None:
    """Put a deleted run back; where it was deleted several times, the latest."""
    store = runs_in(runs)
    say(f"restored {store.restore(store.trashed(name)).id}")


def latency(
    names: RunNames,
    faces: Annotated[int, typer.Option(min=10, help="How many faces are read, one after the other.")] = 200,
    runs: RunsFolder = None,
) -> None:
    """Measure the milliseconds for one face on one CPU thread, preprocessing included, and keep them beside the run."""
    from fer_core.latency import measure_latency

    store = runs_in(runs)
    for run in [store.get(name) for name in names]:
        told = measure_latency(run, faces)
        say(f"{told['ms']:.2f} ms (90 %: {told['ms_90']:.2f})  {run.id}")


def _deleted(each: Trashed) -> str:
    return datetime.fromtimestamp(each.deleted_ns / 1e9, UTC).isoformat(timespec="seconds")


COMMANDS: dict[str, Callable[..., None]] = {
    "archive": archive,
    "tag": tag,
    "note": note,
    "trash": trash,
    "restore": restore,
    "latency": latency,
}
