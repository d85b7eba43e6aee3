"""`ensemble`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from fer_core.cli.choices import runs_in
from fer_core.cli.options import RunsFolder
from fer_core.cli.output import JsonOption, percent, print_json, print_table, say
from fer_core.cli.runs import summary
from fer_core.errors import FerError
from fer_core.runs import Run, RunStore, read_notes

DATASET, PROTOCOL = "fer2013", "official"  # of --best where it names no others


def ensemble(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="RUN RUN…", help="Two or more finished runs of one protocol.")
    ] = None,
    best: Annotated[
        int,
        typer.Option(min=0, help="Instead of naming runs: the best N on the validation split that can be averaged."),
    ] = 0,
    dataset: Annotated[str | None, typer.Option(help="With --best: of this dataset.", show_default=DATASET)] = None,
    protocol: Annotated[str | None, typer.Option(help="With --best: of this protocol.", show_default=PROTOCOL)] = None,
    runs: RunsFolder = None,
    json: JsonOption = False,
) -> None:
    """Average finished runs into a run of its own; its weights are chosen on the validation split.

    It is evaluated, shown, compared and used for predictions like any other run.
    """
    from fer_core.training.ensemble import make_ensemble

    store = runs_in(runs)
    chosen = _chosen(store, names or (), best, dataset, protocol)
    run = make_ensemble(chosen, store)
    members = run.spec.architecture_arguments["members"]
    if json:
        print_json(summary(run) | {"members": members})
        return
    test = run.evaluation()["splits"]["test"]
    low, high = test["accuracy_interval"]
    print_table(
        f"test accuracy {percent(test['accuracy'])} [{percent(low)}, {percent(high)}], n = {test['n']}",
        ("weight", "run", "test accuracy"),
        [
            (f"{each['weight']:.4f}", each["run"], percent(summary(store.get(each["run"]))["test_accuracy"]))
            for each in members
        ],
        right=("weight", "test accuracy"),
    )
    left_out = [each.id for each in chosen if each.id not in {member["run"] for member in members}]
    if left_out:
        say(f"without weight, and left out: {', '.join(left_out)}")
    say(run.id)


def _chosen(store: RunStore, names: Sequence[str], best: int, dataset: str | None, protocol: str | None) -> list[Run]:
    """The runs that are named, or the best ones; raises FerError where both or neither are asked for."""
    if bool(names) == bool(best):
        raise FerError("name the runs to average, or give --best N, one of the two")
    if names and (dataset or protocol):
        raise FerError("--dataset and --protocol go with --best; runs that are named have theirs")
    if names:
        return [store.get(name) for name in names]
    return best_on_validation(store, best, dataset or DATASET, protocol or PROTOCOL)


def best_on_validation(store: RunStore, count: int, dataset: str, protocol: str) -> list[Run]:
    """The `count` finished runs of a protocol with the highest validation accuracy that can be averaged.

    Archived runs are left out, and so is a better run that can be averaged with no other.
    """
    from fer_core.architectures.ensemble import NAME
    from fer_core.labels import EMOTIONS
    from fer_core.training.ensemble import can_average

    finished = [run for run in store.list() if run.state == "finished"]
    _require_one("dataset", dataset, [run.spec.dataset for run in finished])
    here = [run for run in finished if run.spec.dataset == dataset]
    _require_one(f"protocol of {dataset}", protocol, [run.spec.protocol for run in here])
    able = [
        run
        for run in here
        if (run.spec.protocol, run.spec.emotions) == (protocol, EMOTIONS)
        and run.spec.architecture != NAME
        and "folds" not in run.evaluation()
        and not read_notes(run).archived
    ]
    ranked = sorted(able, key=lambda run: -run.evaluation()["splits"]["valid"]["accuracy"])
    for place, first in enumerate(ranked):
        alike = [first, *(other for other in ranked[place + 1 :] if can_average([first, other]))]
        if len(alike) > 1:
            return alike[:count]
    raise FerError(f"no two finished runs of {dataset}, {protocol}, can be averaged; an ensemble needs two")


def _require_one(what: str, name: str, known: Sequence[str]) -> None:
    """Raises FerError, with the choices, unless a finished run has `name`."""
    if known and name not in known:
        raise FerError(f"no finished run has the {what} {name!r}; choose from {', '.join(sorted(set(known)))}")
