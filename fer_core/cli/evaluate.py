"""`evaluate`."""

from typing import Annotated

import typer

from fer_core.cli.options import RunsFolder
from fer_core.cli.output import JsonOption, percent, print_json, print_table
from fer_core.evaluation import evaluate_run
from fer_core.runs import RunStore


def evaluate(
    run: Annotated[str, typer.Argument(help="A run's name, its beginning or its hash.")],
    runs: RunsFolder = None,
    json: JsonOption = False,
) -> None:
    """Recompute a run's evaluation from its saved predictions."""
    evaluation = evaluate_run(RunStore(runs).get(run))
    if json:
        print_json(evaluation)
        return
    test = evaluation["splits"]["test"]
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
