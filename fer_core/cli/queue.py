"""`queue list|cancel|resume|move`: what waits to be trained."""

from typing import Annotated

import typer

from fer_core.cli.choices import queued_device, runs_in, user
from fer_core.cli.options import RunsFolder
from fer_core.cli.output import NO_WORKER, JsonOption, moment, print_json, print_table, progress, say
from fer_core.errors import FerError
from fer_core.jobs.background import worker_info
from fer_core.jobs.queue import DIRECTIONS, Direction, JobQueue

app = typer.Typer(no_args_is_help=True, help="What waits to be trained, and what is being trained.")
RunName = Annotated[str, typer.Argument(help="A run's name, its beginning or its hash.")]


@app.command("list")
def list_entries(runs: RunsFolder = None, json: JsonOption = False) -> None:
    """List the queue in its order, and whether a worker is at work."""
    store = runs_in(runs)
    rows = [
        {
            "id": entry.run.id,
            "state": entry.state,
            "epoch": f"{entry.run.status.epoch}/{entry.run.status.epochs}",
            "device": entry.run.status.device if entry.state == "running" else entry.job.device,
            "by": entry.job.by,
            "asked": entry.job.asked,
        }
        for entry in JobQueue(store).entries()
    ]
    worker = worker_info(store)
    if json:
        print_json({"worker": vars(worker) if worker else None, "entries": rows})
        return
    print_table(
        f"{len(rows)} in the queue",
        ("run", "state", "device", "by", "asked (UTC)"),
        [
            (row["id"], progress(row["state"], row["epoch"]), row["device"], row["by"], moment(row["asked"]))
            for row in rows
        ],
        whole=("device", "asked (UTC)"),
    )
    at_work = f"A worker is at work (process {worker.pid} on {worker.host})." if worker else NO_WORKER
    say(at_work)


@app.command("cancel")
def cancel(run: RunName, runs: RunsFolder = None) -> None:
    """Take a run out of the queue, or stop its training; it keeps what it has learnt and can be resumed."""
    store = runs_in(runs)
    found = store.get(run)
    JobQueue(store).cancel(found, by=user())
    say(f"asked {found.id} to stop")


@app.command("resume")
def resume(
    run: RunName,
    device: Annotated[str, typer.Option(help="auto, cuda, cuda:N, mps or cpu.")] = "auto",
    runs: RunsFolder = None,
) -> None:
    """Queue a run again that was cancelled, failed or lost."""
    store = runs_in(runs)
    found = store.get(run)
    JobQueue(store).resume(found, by=user(), device=queued_device(device))
    say(f"queued {found.id}")


@app.command("move")
def move(
    run: RunName,
    direction: Annotated[str, typer.Argument(help="first, up, down or last.")],
    runs: RunsFolder = None,
) -> None:
    """Change the place of a waiting run."""
    store = runs_in(runs)
    found: list[Direction] = [each for each in DIRECTIONS if each == direction]
    if not found:
        raise FerError(f"unknown direction {direction!r}; choose from {', '.join(DIRECTIONS)}")
    JobQueue(store).move(store.get(run), found[0], by=user())
