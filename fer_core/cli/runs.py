"""`runs list|show|compare|card|delete`, and what `keeping` adds."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_core.cli import keeping
from fer_core.cli.choices import runs_in
from fer_core.cli.options import RunsFolder, path
from fer_core.cli.output import JsonOption, duration, percent, print_json, print_table, progress, say
from fer_core.config import to_json
from fer_core.runs import Lineage, Run, read_notes, stored_lineage

if TYPE_CHECKING:  # most commands do not wait for it
    from fer_core.evaluation import Comparison

app = typer.Typer(no_args_is_help=True, help="Browse the results.")
RunName = Annotated[str, typer.Argument(help="A run's name, its beginning or its hash.")]


@app.command("list")
def list_runs(runs: RunsFolder = None, json: JsonOption = False) -> None:
    """List every run with its state and test accuracy, best first; archived ones stand last."""
    rows = [summary(run) for run in runs_in(runs).list()]
    rows.sort(key=lambda row: (row["archived"], -(row["test_accuracy"] or -1)))
    if json:
        print_json(rows)
        return
    print_table(
        f"{len(rows)} runs",
        ("architecture", "preprocessing", "dataset protocol", "seed", "state", "test", "hash"),
        [
            (
                row["architecture"],
                row["preprocessing"],
                f"{row['dataset']} {row['protocol']}".strip(),
                row["seed"],
                progress(row["state"], row["epoch"]) + (", archived" if row["archived"] else ""),
                percent(row["test_accuracy"]),
                row["id"].rsplit("__", 1)[-1],
            )
            for row in rows
        ],
        right=("seed", "test"),
    )
    for row in rows:
        if row["problem"]:
            say(f"{row['id']}: {row['problem']}")


@app.command("show")
def show(run: RunName, runs: RunsFolder = None, json: JsonOption = False) -> None:
    """Show a run: spec, state, figures and environment."""
    store = runs_in(runs)
    found = store.get(run)
    details = summary(found)
    if not found.problem:
        details |= {"spec": to_json(found.spec), "status": asdict(found.status)}
    if found.state == "finished":
        details |= {"evaluation": found.evaluation(), "environment": found.environment()}
    origins = stored_lineage(found, store)
    details |= {"made_from": _origins(origins), "total_s": origins.seconds}
    if json:
        print_json(details)
        return
    _print_details(found, details)
    if len(origins.runs) > 1 or origins.missing:
        _print_origins(origins)


@app.command("compare")
def compare(
    names: Annotated[list[str], typer.Argument(metavar="RUN RUN…", help="Two or more runs tested on the same images.")],
    runs: RunsFolder = None,
    html: Annotated[
        Path | None, typer.Option(parser=path, help="Write the comparison as one HTML file with its charts.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say which runs are really better: paired on the same test images, corrected for testing several pairs."""
    from fer_core.evaluation import asked_for, compare_runs

    store = runs_in(runs)
    found = [store.get(name) for name in names]
    if html is not None:
        from fer_core.report import write_comparison  # it waits for torch

        say(f"written: {write_comparison(found, html)}")
        return
    pairs = compare_runs(found)
    if json:
        specs = asked_for([run.spec for run in found])
        print_json({"runs": [summary(run) for run in found], "spec": specs, "pairs": [p.to_json() for p in pairs]})
        return
    _print_comparison(found, pairs)


@app.command("card")
def card(
    run: RunName,
    out: Annotated[Path | None, typer.Option(parser=path, help="File to write; printed if left out.")] = None,
    runs: RunsFolder = None,
) -> None:
    """Write a run's model card in Markdown: data, figures, limits, intended use and what the law forbids."""
    from fer_core.report import model_card, write_model_card  # these wait for torch

    found = runs_in(runs).get(run)
    if out is None:
        typer.echo(model_card(found), nl=False)
        return
    say(f"written: {write_model_card(found, out)}")


for name, command in keeping.COMMANDS.items():
    app.command(name)(command)


@app.command("delete")
def delete(run: RunName, runs: RunsFolder = None) -> None:
    """Move a run to the trash folder beside the runs; `runs restore` brings it back."""
    store = runs_in(runs)
    found = store.get(run)
    say(f"moved to {store.delete(found)}")


def summary(run: Run) -> dict[str, Any]:
    """One row of the listing; a damaged folder has its problem, and what people wrote about it."""
    row: dict[str, Any] = {"id": run.id, "state": run.state, "problem": run.problem, "test_accuracy": None, "epoch": ""}
    row |= dict.fromkeys(("architecture", "preprocessing", "dataset", "protocol", "seed"), "")
    notes = read_notes(run)
    row |= {"archived": notes.archived, "tags": list(notes.tags), "note": notes.note}
    if row["problem"]:
        return row
    spec, status = run.spec, run.status
    row |= {
        "architecture": spec.architecture,
        "preprocessing": spec.preprocessing,
        "dataset": spec.dataset,
        "protocol": spec.protocol,
        "seed": spec.seed,
        "epoch": f"{status.epoch}/{status.epochs}",
    }
    if row["state"] == "finished":
        test = run.evaluation()["splits"]["test"]
        row |= {"test_accuracy": test["accuracy"], "test_interval": test["accuracy_interval"], "test_n": test["n"]}
    return row


def _print_comparison(found: Sequence[Run], pairs: Sequence["Comparison"]) -> None:
    from fer_core.evaluation import differing

    letters = {run.id: chr(ord("A") + place) for place, run in enumerate(found)}
    accuracy = [percent(summary(run)["test_accuracy"]) for run in found]
    rows = [("run", *(run.id for run in found)), ("test accuracy", *accuracy)]
    rows += differing([run.spec for run in found])
    print_table("what differs", ("", *letters.values()), rows)
    print_table(
        f"{pairs[0].n:,} test images; McNemar's exact test, Holm's correction over {len(pairs)} "
        f"{'pair' if len(pairs) == 1 else 'pairs'}",
        ("pair", "difference", "95 %", "first alone right", "second alone right", "same answer", "p", "real"),
        [
            (
                f"{letters[pair.first]} − {letters[pair.second]}",
                f"{100 * pair.difference:+.1f}",
                f"{100 * pair.interval[0]:+.1f} … {100 * pair.interval[1]:+.1f}",
                pair.only_first,
                pair.only_second,
                percent(pair.agreement),
                f"{pair.adjusted:.2g}",
                "yes" if pair.is_real else "no",
            )
            for pair in pairs
        ],
        right=("difference", "95 %", "first alone right", "second alone right", "same answer", "p"),
    )


def _print_details(run: Run, details: dict[str, Any]) -> None:
    say(f"{run.id}\n{details['state']}  {details['problem']}".rstrip())
    if details["archived"]:
        say("archived: left out of rankings")
    if details["tags"]:
        say(f"tags: {', '.join(details['tags'])}")
    if details["note"]:
        say(f"note: {details['note']}")
    if "spec" in details:
        spec = details["spec"]
        print_table("spec", ("key", "value"), [*((k, v) for k, v in spec.items() if k != "recipe")])
        print_table("recipe", ("key", "value"), spec["recipe"].items())
    if "evaluation" in details:
        keys = ("accuracy", "clean_accuracy", "flip_accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece")
        splits = details["evaluation"]["splits"]
        rows = [
            (key, *(f"{splits[part][key]:.4f}" if key in splits[part] else "–" for part in ("valid", "test")))
            for key in keys
            if key in splits["test"]
        ]
        print_table("evaluation", ("metric", "valid", "test"), rows, right=("valid", "test"))
        _print_training(details["environment"])


def _print_training(facts: dict[str, Any]) -> None:
    if not facts["epochs_run"]:
        return  # an ensemble is made of what was trained before
    rate = f" ({facts['images_per_s']:.0f} images/s)" if facts["images_per_s"] else ""
    folds = f" over {facts['folds']} folds" if "folds" in facts else ""
    say(
        f"{facts['epochs_run']} epochs{folds} in {duration(facts['wall_s'])} on {facts['device_name']}{rate}, "
        f"best epoch {facts['best_epoch']}",
    )


def _origins(found: Lineage) -> list[dict[str, Any]]:
    known = [
        {
            "run": each.id,
            "origin": found.origin(each),
            "epochs": each.epochs,
            "wall_s": each.fact("wall_s"),
            "test_accuracy": each.accuracy,
        }
        for each in found.runs
    ]
    return [*known, *({"run": name, "origin": "gone"} for name in found.missing)]


def _print_origins(found: Lineage) -> None:
    rows = [
        (
            str(found.places[each.id]),
            each.id,
            found.origin(each),
            str(each.epochs or "–"),
            duration(each.fact("wall_s")),
            percent(each.accuracy),
        )
        for each in found.runs
    ]
    rows += [("–", name, "gone", "–", "–", "–") for name in found.missing]
    print_table(
        f"what it was made from, {duration(found.seconds)} in all",
        ("no.", "run", "made from", "epochs", "time", "test"),
        rows,
        right=("no.", "epochs", "time", "test"),
    )
