"""`runs archive|tag|note|trash|restore|latency`: what is written beside a run, and what was deleted."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from fer_core.cli.options import RunsFolder
from fer_core.cli.output import JsonOption, print_json, print_table, say
from fer_core.runs import RunError, RunStore, Trashed, change_notes, read_notes

RunName = Annotated[str, typer.Argument(help="A run's name, its beginning or its hash.")]
RunNames = Annotated[list[str], typer.Argument(metavar="RUN…", help="Runs: names, their beginnings or hashes.")]


def archive(
    names: RunNames,
    undo: Annotated[bool, typer.Option("--undo", help="Take them out of the archive.")] = False,
    runs: RunsFolder = None,
) -> None:
    """Leave runs out of rankings; nothing of them is moved or removed."""
    store = RunStore(runs)
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
    run = RunStore(runs).get(name)
    before = read_notes(run).tags
    after = [each for each in before if each not in tags] if remove else [*before, *tags]
    say(f"{run.id}: {', '.join(change_notes(run, tags=after).tags) or 'no tags'}")


def note(
    name: RunName,
    text: Annotated[str, typer.Argument(help="What is worth knowing about it; an empty text removes the note.")],
    runs: RunsFolder = None,
) -> None:
    """Write a note beside a run, in place of the one that stands there."""
    run = RunStore(runs).get(name)
    change_notes(run, note=text)
    say(f"noted: {run.id}")


def trash(runs: RunsFolder = None, json: JsonOption = False) -> None:
    """List the runs that were deleted and can be restored, the latest first."""
    found = RunStore(runs).trash()
    rows = [{"id": each.id, "deleted": _moment(each), "path": str(each.path)} for each in found]
    if json:
        print_json(rows)
        return
    print_table(f"{len(rows)} deleted runs", ("run", "deleted"), [(row["id"], row["deleted"]) for row in rows])


def restore(name: RunName, runs: RunsFolder = None) -> None:
    """Put a deleted run back; where it was deleted several times, the latest."""
    store = RunStore(runs)
    found = [each for each in store.trash() if each.id.startswith(name) or each.id.endswith(f"__{name}")]
    different = sorted({each.id for each in found})
    if not found:
        known = ", ".join(dict.fromkeys(each.id for each in store.trash()[:4])) or "nothing"
        raise RunError(f"no run {name!r} in the trash of {store.root}; there is {known}")
    if len(different) > 1:
        raise RunError(f"{len(different)} deleted runs match {name!r}: {', '.join(different[:4])}")
    say(f"restored {store.restore(found[0]).id}")


def latency(
    names: RunNames,
    faces: Annotated[int, typer.Option(min=10, help="How many faces are read, one after the other.")] = 200,
    runs: RunsFolder = None,
) -> None:
    """Measure the milliseconds for one face on one CPU thread, preprocessing included, and keep them beside the run."""
    from fer_core.latency import measure_latency

    store = RunStore(runs)
    for run in [store.get(name) for name in names]:
        told = measure_latency(run, faces)
        say(f"{told['ms']:.2f} ms (90 %: {told['ms_90']:.2f})  {run.id}")


def _moment(each: Trashed) -> str:
    return datetime.fromtimestamp(each.deleted_ns / 1e9, UTC).isoformat(timespec="seconds")


COMMANDS: dict[str, Callable[..., None]] = {
    "archive": archive,
    "tag": tag,
    "note": note,
    "trash": trash,
    "restore": restore,
    "latency": latency,
}
