"""`train` and `resume`."""

from collections.abc import Sequence
from typing import Annotated

import torch
import typer

from fer_core.cli.choices import (
    assignments,
    hyperparameters_in,
    left_after,
    queued_device,
    runs_in,
    runs_into,
    together,
    user,
    whole_name,
)
from fer_core.cli.options import (
    Architecture,
    Arguments,
    BatchSize,
    DatasetName,
    Device,
    Epochs,
    Hyperparameters,
    InitFrom,
    LearningRate,
    Precision,
    Preprocessing,
    Protocol,
    Queue,
    RecipeName,
    RunsFolder,
    Threads,
    Weights,
    Without,
)
from fer_core.cli.output import NO_WORKER, say
from fer_core.config import RunSpec
from fer_core.datasets import FaceDataset, get_splits, load_dataset
from fer_core.jobs import JobQueue, worker_info
from fer_core.runs import Run, RunStore, remove_stop
from fer_core.training import TrainingStopped, check_spec, make_spec, stop_signals, train_run
from fer_core.training.progress import ProgressBar

STOPPED = 130  # the exit status of a command that Ctrl-C ended
FAILED = 1  # of one that went on after a training had failed


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
    hyperparameter: Hyperparameters = None,
    argument: Arguments = None,
    weights: Weights = None,
    init_from: InitFrom = None,
    without: Without = "",
    seed: int = 0,
    device: Device = "auto",
    queue: Queue = False,
    runs: RunsFolder = None,
    threads: Threads = None,
) -> None:
    """Train and evaluate one architecture × preprocessing pair; the same command again resumes it."""
    store = runs_into(runs)
    common = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "precision": precision}
    spec = make_spec(
        architecture,
        preprocessing,
        dataset=dataset,
        protocol=protocol,
        recipe=recipe,
        seed=seed,
        emotions=left_after(without),
        hyperparameters=together(common, hyperparameters_in(hyperparameter, store), "-H"),
        arguments=together({"weights": weights}, assignments(argument), "-A"),
        init_from=whole_name(init_from, store),
    )
    if queue:
        queue_all([spec], store, device)
        return
    use_threads(threads)
    train_one(spec, store, load_dataset(dataset), device)


def resume(
    run: Annotated[str, typer.Argument(help="A run's name, its beginning or its hash.")],
    device: Device = "auto",
    runs: RunsFolder = None,
    threads: Threads = None,
) -> None:
    """Go on with a run that is queued, stopped, failed or lost."""
    store = runs_in(runs)
    spec = store.get(run).spec
    use_threads(threads)
    train_one(spec, store, load_dataset(spec.dataset), device)


def queue_all(specs: Sequence[RunSpec], store: RunStore, device: str) -> None:
    """Leave the specs to a worker, once each of them is known to be possible."""
    queued_device(device)
    datasets: dict[str, FaceDataset] = {}
    for spec in specs:
        if spec.dataset not in datasets:
            datasets[spec.dataset] = load_dataset(spec.dataset)
        check_spec(spec, store, datasets[spec.dataset])
    for spec in specs:
        launch = JobQueue(store).launch(spec, by=user(), device=device)
        state = "exists already" if launch.outcome == "exists" else launch.outcome
        say(f"{state}: {launch.run.id}")
    if worker_info(store) is None:
        say(NO_WORKER)


def train_one(spec: RunSpec, store: RunStore, dataset: FaceDataset, device: str) -> None:
    """Train one spec and print its result, or who stopped it."""
    try:
        print_result(train_shown(spec, store, dataset, device))
    except TrainingStopped as stop:
        say(f"stopped by {stop}; the same command goes on from there")
        raise typer.Exit(STOPPED) from None


def train_shown(spec: RunSpec, store: RunStore, dataset: FaceDataset, device: str) -> Run:
    """Train one spec with a progress bar."""
    epochs = spec.recipe.epochs * len(get_splits(dataset, spec.protocol, spec.seed))
    forget_stop(spec, store)
    title = f"{spec.architecture} × {spec.preprocessing}"
    with stop_signals() as asked, ProgressBar(epochs, title) as bar:
        return train_run(spec, store, device=device, dataset=dataset, watcher=bar, asked_to_stop=asked)


def forget_stop(spec: RunSpec, store: RunStore) -> None:
    """Who trains a run now wants no more that it stops."""
    found = store.find(spec)
    if found is not None:
        remove_stop(found)


def use_threads(threads: int | None) -> None:
    """Bound PyTorch's threads on the CPU, if a number is given."""
    if threads:
        torch.set_num_threads(threads)


def print_result(run: Run) -> None:
    """The test accuracy of a finished run, and where it lies."""
    evaluation = run.evaluation()
    test = evaluation["splits"]["test"]
    low, high = test["accuracy_interval"]
    folds = evaluation.get("fold_accuracy")
    spread = f", {folds['mean']:.1%} ± {folds['deviation']:.1%} over {folds['folds']} folds" if folds else ""
    note = "  (drawn faces: for trying, not a result)" if run.spec.dataset == "synthetic" else ""
    say(
        f"test accuracy {test['accuracy']:.1%} [{low:.1%}, {high:.1%}], n = {test['n']}{spread}{note}",
    )
    say(str(run.path))
