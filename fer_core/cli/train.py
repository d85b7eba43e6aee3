"""`train` and `grid`."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from fer_core.cli.output import console, percent, print_table
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, load_dataset
from fer_core.errors import FerError
from fer_core.preprocessing import Pipeline
from fer_core.runs import Run, RunError, RunStore
from fer_core.training import TrainingDiverged, get_recipe, train_run
from fer_core.training.progress import ProgressBar

Architecture = Annotated[str, typer.Option("--architecture", "-a", help="See `list architectures`.")]
Preprocessing = Annotated[str, typer.Option("--preprocessing", "-p", help="Steps joined by +, e.g. gcn+hist_eq.")]
DatasetName = Annotated[str, typer.Option("--dataset", "-d", help="A prepared dataset, or synthetic.")]
Protocol = Annotated[str, typer.Option(help="How the dataset is split; see `list protocols`.")]
RecipeName = Annotated[str, typer.Option("--recipe", "-r", help="paper, or modern.")]
Epochs = Annotated[int | None, typer.Option(help="Instead of the recipe's number of epochs.")]
BatchSize = Annotated[int | None, typer.Option(help="Instead of the recipe's.")]
LearningRate = Annotated[float | None, typer.Option(help="Instead of the recipe's.")]
Precision = Annotated[str | None, typer.Option(help="auto, float32 or bfloat16, instead of the recipe's.")]
Device = Annotated[str, typer.Option(help="auto, cuda, cuda:N, mps or cpu.")]
RunsFolder = Annotated[Path | None, typer.Option("--runs", help="Folder of the runs.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; fewer for trainings beside each other.")]


def train(
    architecture: Architecture = "mini_xception",
    preprocessing: Preprocessing = "raw",
    dataset: DatasetName = "fer2013",
    protocol: Protocol = "official",
    recipe: RecipeName = "modern",
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    precision: Precision = None,
    seed: int = 0,
    device: Device = "auto",
    runs: RunsFolder = None,
    threads: Threads = None,
) -> None:
    """Train and evaluate one architecture × preprocessing pair; the same command again resumes it."""
    spec = RunSpec(
        architecture=architecture,
        preprocessing=str(Pipeline.parse(preprocessing)),
        dataset=dataset,
        protocol=protocol,
        recipe=get_recipe(
            recipe,
            architecture,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            precision=precision,
        ),
        seed=seed,
    )
    _set_threads(threads)
    run = _train_shown(spec, RunStore(runs), load_dataset(dataset), device)
    _print_result(run)


def grid(
    architectures: Annotated[str, typer.Option(help="Names joined by commas.")] = "mini_xception",
    preprocessing: Annotated[str, typer.Option(help="Pipelines joined by commas.")] = "raw,hist_eq,gcn,gcn+hist_eq",
    seeds: Annotated[str, typer.Option(help="Numbers joined by commas.")] = "0",
    dataset: DatasetName = "fer2013",
    protocol: Protocol = "official",
    recipe: RecipeName = "modern",
    epochs: Epochs = None,
    device: Device = "auto",
    runs: RunsFolder = None,
    threads: Threads = None,
) -> None:
    """Train every pair in turn; skips what is finished or being trained elsewhere, resumes what is not."""
    specs = [
        RunSpec(
            architecture=architecture,
            preprocessing=str(Pipeline.parse(pipeline)),
            dataset=dataset,
            protocol=protocol,
            recipe=get_recipe(recipe, architecture, epochs=epochs),
            seed=seed,
        )
        for architecture, pipeline, seed in itertools.product(
            _names(architectures), _names(preprocessing), _numbers(seeds)
        )
    ]
    _set_threads(threads)
    store, faces = RunStore(runs), load_dataset(dataset)
    for position, spec in enumerate(specs, start=1):
        console.print(f"[bold]{position}/{len(specs)}[/] {spec.run_id}", highlight=False)
        _train_one_of_many(spec, store, faces, device)
    _print_grid(specs, store)


def _train_one_of_many(spec: RunSpec, store: RunStore, dataset: FaceDataset, device: str) -> None:
    try:
        _train_shown(spec, store, dataset, device)
    except RunError as error:
        console.print(f"skipped: {error}", highlight=False)
    except TrainingDiverged as error:
        console.print(f"failed: {error}", highlight=False)


def _train_shown(spec: RunSpec, store: RunStore, dataset: FaceDataset, device: str) -> Run:
    with ProgressBar(spec.recipe.epochs, f"{spec.architecture} × {spec.preprocessing}") as bar:
        return train_run(spec, store, device=device, dataset=dataset, watcher=bar)


def _set_threads(threads: int | None) -> None:
    if threads:
        torch.set_num_threads(threads)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise FerError(f"expected names joined by commas, got {text!r}")
    return names


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in _names(text)]
    except ValueError:
        raise FerError(f"expected whole numbers joined by commas, got {text!r}") from None


def _print_result(run: Run) -> None:
    test = run.evaluation()["splits"]["test"]
    low, high = test["accuracy_interval"]
    note = "  (drawn faces: for trying, not a result)" if run.spec.dataset == "synthetic" else ""
    console.print(
        f"test accuracy {test['accuracy']:.1%} [{low:.1%}, {high:.1%}], n = {test['n']}{note}",
        highlight=False,
        markup=False,
    )
    console.print(str(run.path), highlight=False)


def _print_grid(specs: Sequence[RunSpec], store: RunStore) -> None:
    rows = []
    for spec in specs:
        run = store.find(spec)
        state = run.state if run else "not started"
        accuracy = run.evaluation()["splits"]["test"]["accuracy"] if run and state == "finished" else None
        rows.append((spec.architecture, spec.preprocessing, spec.seed, state, percent(accuracy)))
    print_table("grid", ("architecture", "preprocessing", "seed", "state", "test"), rows, right=("seed", "test"))
