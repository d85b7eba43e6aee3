"""`grid`: every pair of architectures and pipelines."""

import itertools
from collections.abc import Sequence
from typing import Annotated

import typer

from fer_core.cli.choices import assignments, hyperparameters_in, left_after, names_in, numbers_in, whole_name
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
from fer_core.cli.output import percent, print_table
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
    init_from: InitFrom = "",
    without: Without = "",
    device: Device = "auto",
    queue: Queue = False,
    runs: RunsFolder = None,
    jobs: Jobs = 1,
    threads: Threads = None,
) -> None:
    """Train every pair, in turn or `--jobs` at once; skips what is finished or trained elsewhere, resumes the rest."""
    store = RunStore(runs)
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
            hyperparameters={"epochs": epochs} | hyperparameters_in(hyperparameter, store),
            arguments=assignments(argument),
            init_from=start,
        )
        for architecture, pipeline, seed in itertools.product(
            names_in(architectures), names_in(preprocessing), numbers_in(seeds)
        )
    ]
    specs = list({spec.run_id: spec for spec in specs}.values())  # what is named twice is trained once
    if queue:
        if jobs > 1:
            raise FerError("--jobs is for trainings of this command; with --queue, start `worker --per-device N`")
        queue_all(specs, store, device)
        return
    well = train_all(specs, store, device, jobs=jobs, threads=threads)
    _print_grid(specs, store)
    if not well:
        raise typer.Exit(FAILED)


def _print_grid(specs: Sequence[RunSpec], store: RunStore) -> None:
    rows = []
    for spec in specs:
        run = store.find(spec)
        state = run.state if run else "not started"
        accuracy = run.evaluation()["splits"]["test"]["accuracy"] if run and state == "finished" else None
        rows.append((spec.architecture, spec.preprocessing, spec.seed, state, percent(accuracy)))
    print_table("grid", ("architecture", "preprocessing", "seed", "state", "test"), rows, right=("seed", "test"))
