"""`crossval`: k folds over a grid of settings."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Annotated, Any

import typer

from fer_core.architectures import ARCHITECTURES
from fer_core.cli.choices import (
    as_recipe,
    given_twice,
    hyperparameters_in,
    left_after,
    runs_into,
    together,
    value_of,
)
from fer_core.cli.options import (
    Architecture,
    DatasetName,
    Device,
    Epochs,
    Hyperparameters,
    Preprocessing,
    RecipeName,
    RunsFolder,
    Threads,
    Without,
)
from fer_core.cli.output import JsonOption, print_json, print_table
from fer_core.cli.several import Jobs, train_all
from fer_core.cli.train import FAILED
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.runs import RunStore
from fer_core.training import make_spec
from fer_core.training.recipes import hyperparameters, unknown_name

Grid = Annotated[
    list[str] | None,
    typer.Option("--grid", "-g", help="name=value,value… of the architecture or the recipe; repeatable."),
]


def crossval(
    architecture: Architecture = "two_block_cnn",
    preprocessing: Preprocessing = "raw",
    dataset: DatasetName = "fer2013",
    grid: Grid = None,
    folds: Annotated[int, typer.Option(min=2, help="How many folds.")] = 5,
    recipe: RecipeName = "modern",
    epochs: Epochs = None,
    hyperparameter: Hyperparameters = None,
    without: Without = "",
    seed: int = 0,
    device: Device = "auto",
    runs: RunsFolder = None,
    jobs: Jobs = 1,
    threads: Threads = None,
    json: JsonOption = False,
) -> None:
    """Cross-validate every setting of a grid: a run of k folds each, as mean ± deviation; goes on where it stopped."""
    points, store = settings(architecture, grid or ()), runs_into(runs)
    common = _common(epochs, hyperparameters_in(hyperparameter, store), _axes(grid or ()))
    specs = [
        make_spec(
            architecture,
            preprocessing,
            dataset=dataset,
            protocol=f"kfold{folds}",
            recipe=recipe,
            seed=seed,
            emotions=left_after(without),
            hyperparameters=common | as_recipe(part["recipe"]),
            arguments=part["architecture"],
        )
        for part in points.values()
    ]
    with redirect_stdout(sys.stderr if json else sys.stdout):  # --json leaves nothing but JSON on stdout
        well = train_all(specs, store, device, jobs=jobs, threads=threads)
    rows = [outcome(name, spec, store) for name, spec in zip(points, specs, strict=True)]
    if json:
        print_json(rows)
    else:
        _print_settings(folds, rows)
    if not well:
        raise typer.Exit(FAILED)


def settings(architecture: str, grid: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Every combination of the grid by its name, parted into arguments of the architecture and of the recipe.

    The name has the value on each axis of the grid; without a grid it is empty. Raises FerError, with the choices,
    for a name that neither has.
    """
    from sklearn.model_selection import ParameterGrid  # takes seconds, which `--help` need not wait for

    known = ARCHITECTURES.get(architecture).arguments()
    axes = {name: _values(name, text) for name, text in _axes(grid).items()}
    unknown = [name for name in axes if name not in (*known, *hyperparameters())]
    if unknown:
        what = f"argument of {architecture} or hyperparameter"
        raise FerError(unknown_name(what, unknown[0], (*known, *hyperparameters())))
    return {
        ", ".join(f"{name}={point[name]}" for name in axes): {
            "architecture": {name: value for name, value in point.items() if name in known},
            "recipe": {name: value for name, value in point.items() if name not in known},
        }
        for point in ParameterGrid(axes)
    }


def outcome(name: str, spec: RunSpec, store: RunStore) -> dict[str, Any]:
    """What a setting reached: mean and sample deviation of its folds' test accuracies, None until it is finished."""
    run = store.find(spec)
    state = run.state if run else "not started"
    row = {
        "setting": name or _name(spec),
        "run": spec.run_id,
        "state": state,
        "mean": None,
        "deviation": None,
        "folds": 0,
    }
    return row | run.evaluation()["fold_accuracy"] if run and state == "finished" else row


def _common(epochs: int | None, typed: Mapping[str, Any], axes: Mapping[str, str]) -> dict[str, Any]:
    """What holds for every setting; raises FerError for a name that the grid has values of, too."""
    common = together({"epochs": epochs}, typed, "-H")
    for name, values in axes.items():
        if common.get(name) is not None:
            one = f"-H {name}={common[name]}" if name in typed else f"--{name} {common[name]}"
            raise given_twice(name, one, f"-g {name}={values}")
    return common


def _axes(grid: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in grid]
    broken = [
        text for text, (name, equals, values) in zip(grid, pairs, strict=True) if not (name and equals and values)
    ]
    if broken:
        raise FerError(f"expected name=value,value… in --grid, got {broken[0]!r}")
    names = [name.strip() for name, _, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise FerError(f"{twice[0]} stands twice in --grid; join its values by commas")
    return {name.strip(): values for name, _, values in pairs}


def _values(name: str, text: str) -> list[Any]:
    values = [value_of(each.strip()) for each in text.split(",")]
    if "" in values or len({str(value) for value in values}) < len(values):
        raise FerError(f"the values of {name} in --grid must differ and not be empty, got {text!r}")
    return values


def _name(spec: RunSpec) -> str:
    arguments = ", ".join(f"{name}={value}" for name, value in spec.architecture_arguments.items())
    return arguments or f"{spec.architecture}, {spec.recipe.epochs} epochs"


def _print_settings(folds: int, rows: Sequence[dict[str, Any]]) -> None:
    shown = sorted(rows, key=lambda row: -(row["mean"] or 0))
    print_table(
        f"{folds} folds",
        ("setting", "state", "accuracy", "folds"),
        [(row["setting"], row["state"], _spread(row), row["folds"]) for row in shown],
        right=("accuracy", "folds"),
        whole=("state",),
    )


def _spread(row: dict[str, Any]) -> str:
    return "–" if row["mean"] is None else f"{row['mean']:.1%} ± {row['deviation']:.1%}"
