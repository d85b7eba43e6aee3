"""`grid`: every pair of architectures and pipelines."""

import itertools
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Annotated, Any

import typer

from fer_core.cli.choices import (
    assignments,
    hyperparameters_in,
    left_after,
    names_in,
    numbers_in,
    runs_into,
    together,
    whole_name,
)
from fer_core.cli.options import (
    Arguments,
    DatasetName,
    Device,
    Epochs,
    Hyperparameters,
    InitFrom,
    Protocol,
    Queue,
    RecipeName,
    RunsFolder,
    Threads,
    Without,
)
from fer_core.cli.output import JsonOption, percent, print_json, print_table
from fer_core.cli.several import Jobs, train_all
from fer_core.cli.train import FAILED, queue_all
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.runs import RunStore
from fer_core.training import make_spec


def grid(
    architectures: Annotated[str, typer.Option(help="Names joined by commas.")] = "mini_xception",
    preprocessing: Annotated[str, typer.Option(help="Pipelines joined by commas.")] = "raw,hist_eq,gcn,gcn+hist_eq",
    seeds: Annotated[str, typer.Option(help="Numbers joined by commas.")] = "0",
    dataset: DatasetName = "fer2013",
    protocol: Protocol = "official",
    recipe: RecipeName = "modern",
    epochs: Epochs = None,
    hyperparameter: Hyperparameters = None,
    argument: Arguments = None,
    init_from: InitFrom = None,
    without: Without = "",
    device: Device = "auto",
    queue: Queue = False,
    runs: RunsFolder = None,
    jobs: Jobs = 1,
    threads: Threads = None,
    json: JsonOption = False,
) -> None:
    """Train every pair, in turn or `--jobs` at once; skips what is finished or trained elsewhere, resumes the rest."""
    store = runs_into(runs)
    start = whole_name(init_from, store)
    specs = [
        make_spec(
            architecture,
            pipeline,
            dataset=dataset,
            protocol=protocol,
            recipe=recipe,
            seed=seed,
            emotions=left_after(without),
            hyperparameters=together({"epochs": epochs}, hyperparameters_in(hyperparameter, store), "-H"),
            arguments=assignments(argument),
            init_from=start,
        )
        for architecture, pipeline, seed in itertools.product(
            names_in(architectures), names_in(preprocessing), numbers_in(seeds)
        )
    ]
    specs = list({spec.run_id: spec for spec in specs}.values())  # what is named twice is trained once
    if queue and jobs > 1:
        raise FerError("--jobs is for trainings of this command; with --queue, start `worker --per-device N`")
    well = True
    with redirect_stdout(sys.stderr if json else sys.stdout):  # --json leaves nothing but JSON on stdout
        if queue:
            queue_all(specs, store, device)
        else:
            well = train_all(specs, store, device, jobs=jobs, threads=threads)
    if json:
        print_json([_outcome(spec, store) for spec in specs])
    elif not queue:
        _print_grid([_outcome(spec, store) for spec in specs])
    if not well:
        raise typer.Exit(FAILED)


def _outcome(spec: RunSpec, store: RunStore) -> dict[str, Any]:
    """What became of a pair, as `runs list` tells it of a run."""
    run = store.find(spec)
    state = run.state if run else "not started"
    return {
        "id": spec.run_id,
        "architecture": spec.architecture,
        "preprocessing": spec.preprocessing,
        "seed": spec.seed,
        "state": state,
        "test_accuracy": run.evaluation()["splits"]["test"]["accuracy"] if run and state == "finished" else None,
    }


def _print_grid(rows: Sequence[dict[str, Any]]) -> None:
    print_table(
        "grid",
        ("architecture", "preprocessing", "seed", "state", "test"),
        [
            (row["architecture"], row["preprocessing"], row["seed"], row["state"], percent(row["test_accuracy"]))
            for row in rows
        ],
        right=("seed", "test"),
        whole=("state",),
    )
