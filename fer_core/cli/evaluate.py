"""`evaluate`: the figures of a run from its saved predictions, or measured anew on worse pictures."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fer_core.cli.choices import runs_in
from fer_core.cli.options import Device, RunsFolder
from fer_core.cli.output import JsonOption, percent, print_json, print_table, say_aside
from fer_core.errors import FerError
from fer_core.evaluation import evaluate_run
from fer_core.runs import ROBUSTNESS_FILE, TTA_FILE, Run


def evaluate(
    run: Annotated[str, typer.Argument(help="A run's name, its beginning or its hash.")],
    corruptions: Annotated[
        bool, typer.Option("--corruptions", help="Measure accuracy on worse pictures of the test split instead.")
    ] = False,
    tta: Annotated[
        str | None, typer.Option(help="Measure test-time augmentation instead: flip or ten_crop.", metavar="KIND")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many test images, evenly drawn; a trial.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of what the corruptions draw.", show_default="0")] = None,
    device: Device = "cpu",
    runs: RunsFolder = None,
    json: JsonOption = False,
) -> None:
    """Recompute a run's evaluation from its saved predictions, or measure its robustness with its weights."""
    found = runs_in(runs).get(run)
    if seed is not None and not corruptions:
        raise FerError("--seed goes with --corruptions; nothing else draws")
    if corruptions or tta is not None:
        _print_measured(_measured(found, corruptions, tta, limit, seed or 0, device), json)
        return
    if limit is not None:
        raise FerError("--limit goes with --corruptions or --tta; saved predictions are always evaluated whole")
    evaluation = evaluate_run(found)
    if json:
        print_json(evaluation)
        return
    _print_evaluation(evaluation["splits"]["test"])


def _print_evaluation(test: dict[str, Any]) -> None:
    low, high = test["accuracy_interval"]
    print_table(
        f"test accuracy {percent(test['accuracy'])} [{percent(low)}, {percent(high)}], n = {test['n']}",
        ("emotion", "precision", "recall", "F1", "specificity", "support"),
        [
            (
                each["emotion"],
                *(percent(each[key]) for key in ("precision", "recall", "f1", "specificity")),
                each["support"],
            )
            for each in test["per_class"]
        ],
        right=("precision", "recall", "F1", "specificity", "support"),
    )


def _measured(
    run: Run, corruptions: bool, tta: str | None, limit: int | None, seed: int, device: str
) -> dict[str, dict[str, Any]]:
    """What was asked for: `robustness`, `tta` or both, as their files hold it."""
    from fer_core.robustness import measure_averaging, measure_corruptions  # these wait for torch

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    averaged = _tried(run, TTA_FILE, limit) if tta is not None else run
    worsened = _tried(run, ROBUSTNESS_FILE, limit) if corruptions else run
    measured = {}
    with Progress(*columns, console=Console(stderr=True, emoji=False), transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def advance(what: str, done: int, parts: int) -> None:
            progress.update(task, description=what, completed=done, total=parts)

        if tta is not None:  # first, because it is quick and refuses an unknown kind
            measured["tta"] = measure_averaging(averaged, tta, limit=limit, device=device, advance=advance)
        if corruptions:
            measured["robustness"] = measure_corruptions(
                worsened, limit=limit, seed=seed, device=device, advance=advance
            )
    return measured


def _tried(run: Run, name: str, limit: int | None) -> Run:
    """The run, or, where `limit` images are fewer than its file `name` has figures of, one that keeps that file."""
    from fer_core.robustness.unseen import Trial, images_measured

    there = images_measured(run, name)
    if limit is None or limit >= there:
        return run
    say_aside(f"a trial, which is not written: {name} keeps its figures of {there:,} images, more than {limit:,}")
    return Trial(run.path)


def _print_measured(measured: dict[str, dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(next(iter(measured.values())) if len(measured) == 1 else measured)
        return
    if "robustness" in measured:
        _print_robustness(measured["robustness"])
    if "tta" in measured:
        _print_tta(measured["tta"])


def _print_robustness(report: dict[str, Any]) -> None:
    severities = [f"severity {step['severity']}" for step in report["corruptions"]["noise"]["severities"]]
    print_table(
        f"{report['images']:,} of {report['of']:,} test images of {report['dataset']}: "
        f"clean {percent(report['clean']['accuracy'])}, mean over all corruptions "
        f"{percent(report['mean_corruption_accuracy'])}",
        ("corruption", *severities),
        [
            (name, *(percent(step["accuracy"]) for step in each["severities"]))
            for name, each in report["corruptions"].items()
        ],
        right=severities,
    )


def _print_tta(report: dict[str, Any]) -> None:
    rows = {"the face alone": {"views": 1, **report["clean"]}, **report["kinds"]}
    print_table(
        f"test-time augmentation on {report['images']:,} of {report['of']:,} test images of {report['dataset']}",
        ("views of a face", "number", "accuracy", "95 %"),
        [
            (name, each["views"], percent(each["accuracy"]), " … ".join(map(percent, each["accuracy_interval"])))
            for name, each in rows.items()
        ],
        right=("number", "accuracy", "95 %"),
    )
