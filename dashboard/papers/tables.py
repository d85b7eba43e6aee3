"""What the Papers page shows of each paper, as data frames: which systems may be compared, and their figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from dashboard.formats import percent
from dashboard.papers.comparisons import Answer, Comparison, grouped, protocol_of
from dashboard.summaries import Board, RunSummary
from fer_core.config import Recipe
from fer_core.papers import PAPER_4_REPORT, Published

# not seen, and where a label may be parted into two lines
LINE_BREAK = "\N{ZERO WIDTH SPACE}"
MEASURES = ("f1", "precision", "recall", "specificity")
Systems = dict[str, RunSummary]


def figures_beside(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """One row for each comparable figure: `published`, `ours`, `low` and `high` in [0, 1], and their texts.

    No two rows have the same `system`: what goes beyond the papers names its protocol, then a number.
    """
    shown = [each for each in comparisons if each.figure.comparable]
    rows = [_beside(each) | {"system": name} for each, name in zip(shown, _row_names(shown), strict=True)]
    columns = ["system", "published", "ours", "low", "high", "verdict", "published_text", "ours_text"]
    return pd.DataFrame(rows, columns=columns)


def _row_names(comparisons: Sequence[Comparison]) -> list[str]:
    """What each row of a chart is called, with one LINE_BREAK at most; names that come again are numbered."""
    seen: dict[str, int] = {}
    names = []
    for each in comparisons:
        name = f"{each.system}, {protocol_of(each)}" if each.is_beyond else each.system
        seen[name] = number = seen.get(name, 0) + 1
        numbered = name if number == 1 else f"{name} ({number})"
        names.append(numbered.replace(", ", f",{LINE_BREAK} ", 1))
    return names


def _beside(comparison: Comparison) -> dict[str, Any]:
    answer = comparison.answer
    low, high = answer.interval if answer else (None, None)
    return {
        "published": comparison.figure.value,
        "ours": answer.accuracy if answer else None,
        "low": low,
        "high": high,
        "verdict": comparison.verdict,
        "published_text": percent(comparison.figure.value),
        "ours_text": percent(answer.accuracy) if answer else "not run",
    }


def systems_by_protocol(figures: Sequence[Published], runs: Sequence[RunSummary]) -> dict[str, Systems]:
    """The systems of one paper that were tested alike, by protocol: the paper's own first, then those of most systems.

    A system is a pair of architecture and preprocessing (and recipe, where the paper names some) on the
    paper's faces and emotions; its run is chosen by validation, and is the one nearest to its seeds' mean.
    """
    protocols: dict[str, dict[str, list[RunSummary]]] = {}
    for run in runs:
        if run.state == "finished" and run.spec and _belongs(run, figures):
            protocols.setdefault(run.spec.protocol, {}).setdefault(_system(run, figures), []).append(run)
    own = {figure.protocol for figure in figures}
    order = sorted(protocols, key=lambda name: (name not in own, -len(protocols[name]), name))
    best = {name: {system: _best(found) for system, found in protocols[name].items()} for name in order}
    return {name: _in_order(systems, figures) for name, systems in best.items()}


def _belongs(run: RunSummary, figures: Sequence[Published]) -> bool:
    spec, board = run.spec, run.board
    if spec is None or board is None or spec.builds_on_a_run or run.interval is None:
        return False
    return any(
        (spec.architecture, board.dataset, board.left_out) == (each.architecture, each.dataset, each.left_out)
        and each.recipe in ("", spec.recipe.name)
        for each in figures
    )


def _system(run: RunSummary, figures: Sequence[Published]) -> str:
    """What a run is called: as the paper calls its system, or by its own names."""
    spec = run.spec
    if spec is None:
        return run.id
    parts = (spec.architecture, spec.preprocessing, spec.dataset)
    for each in figures:
        same = (each.architecture, each.preprocessing, each.dataset) == parts
        if each.comparable and same and each.recipe in ("", spec.recipe.name):
            return each.system
    return f"{spec.architecture} + {spec.preprocessing}"


def _best(runs: Iterable[RunSummary]) -> RunSummary:
    return max(grouped(runs), key=lambda answer: answer.valid_accuracy).run


def _in_order(systems: Systems, figures: Sequence[Published]) -> Systems:
    """As the paper lists them, then those that it has not."""
    listed = [figure.system for figure in figures]
    rank = {name: listed.index(name) if name in listed else len(listed) for name in systems}
    return {name: systems[name] for name in sorted(systems, key=lambda name: (rank[name], name))}


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names without the architecture that all of them begin with: `mini_xception + gcn` as `gcn`."""
    parts = {name: name.partition(" + ") for name in names}
    heads = {head for head, _, _ in parts.values()}
    is_shared = len(names) > 1 and len(heads) == 1 and " " not in next(iter(heads))
    return {name: rest if is_shared and rest else name for name, (_, _, rest) in parts.items()}


def class_figures(evaluations: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each system and emotion: the MEASURES in [0, 1], and support."""
    rows = [
        {"system": name, **{key: each[key] for key in ("emotion", *MEASURES, "support")}}
        for name, evaluation in evaluations.items()
        for each in evaluation["splits"]["test"].get("per_class", [])
    ]
    return pd.DataFrame(rows, columns=["system", "emotion", *MEASURES, "support"])


def measure_table(figures: pd.DataFrame, measure: str) -> pd.DataFrame:
    """One row a system, one column an emotion: a measure of `class_figures` in percent, and its mean."""
    emotions, systems = list(dict.fromkeys(figures["emotion"])), list(dict.fromkeys(figures["system"]))
    wide = figures.pivot(index="system", columns="emotion", values=measure).loc[systems, emotions] * 100
    wide.columns.name = None
    return wide.assign(mean=wide.mean(axis=1)).reset_index()


def losses(histories: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Training and validation loss of all systems over the epochs, from `tables.curves`; folds are averaged."""
    parts = []
    for name, epochs in histories.items():
        means = epochs.groupby("epoch", as_index=False)[["train_loss", "valid_loss"]].mean()
        means = means.rename(columns={"train_loss": "training", "valid_loss": "validation"})
        parts.append(means.melt("epoch", var_name="split", value_name="loss").assign(system=name))
    columns = ["epoch", "split", "loss", "system"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def removal_pairs(systems: Systems) -> dict[str, Systems]:
    """Runs with and without removal of training samples, by how their descriptors are scaled."""
    pairs: dict[str, Systems] = {}
    for run in systems.values():
        if run.spec and run.spec.architecture == "lpq_phog_mlp":
            recipe = run.spec.recipe
            scaled = "normalised" if recipe.column_scaling == "standard" else "unnormalised"
            pairs.setdefault(scaled, {})["with removal" if recipe.bdr_start else "without removal"] = run
    return {name: dict(sorted(pair.items())) for name, pair in sorted(pairs.items())}


def contradiction(per_class: pd.DataFrame | None) -> pd.DataFrame:
    """Paper 4's printed report beside each emotion's share of the images, and our precision and recall; in percent.

    A share of the predictions in any order is right by chance: that is each emotion's share of the images.
    """
    images = sum(each.support for each in PAPER_4_REPORT)
    rows = [
        {
            "emotion": each.emotion,
            "support": each.support,
            "share": 100 * each.support / images,
            "printed_precision": 100 * each.precision,
            "printed_recall": 100 * each.recall,
        }
        for each in PAPER_4_REPORT
    ]
    table = pd.DataFrame(rows)
    if per_class is None:
        return table
    ours = per_class[["emotion", "precision", "recall"]]
    return table.merge(ours.rename(columns={"precision": "our_precision", "recall": "our_recall"}), on="emotion")


def cross_validated(figures: Sequence[Published], runs: Sequence[RunSummary]) -> list[Answer]:
    """The settings of a paper's architecture that were cross-validated on its faces and emotions, the best first."""
    figure = next(each for each in figures if each.protocol.startswith("kfold"))
    wanted = Board(figure.dataset, figure.protocol, figure.left_out)
    found = [
        run
        for run in runs
        if run.state == "finished" and run.spec and run.board == wanted and run.spec.architecture == figure.architecture
    ]
    return sorted(grouped(found), key=lambda answer: -(answer.run.mean_accuracy or 0.0))


def settings_table(answers: Sequence[Answer], defaults: Mapping[str, Any]) -> pd.DataFrame:
    """One row a setting: its arguments and hyperparameters, and mean and deviation of the folds' accuracies in percent.

    `defaults` are the architecture's arguments; of the recipe's hyperparameters those that differ are there, and l2.
    """
    hyperparameters = _varied([answer.run.spec.recipe for answer in answers if answer.run.spec])
    rows = [_setting(answer.run, defaults, hyperparameters) for answer in answers]
    columns = ["id", "setting", *defaults, *hyperparameters, "trained", "folds", "mean", "deviation"]
    return pd.DataFrame(rows, columns=columns)


def _varied(recipes: Sequence[Recipe]) -> list[str]:
    names = [each.name for each in fields(Recipe) if each.name != "name"]
    varied = [name for name in names if len({getattr(recipe, name) for recipe in recipes}) > 1]
    return varied if "l2" in varied else ["l2", *varied]


def _setting(run: RunSummary, defaults: Mapping[str, Any], hyperparameters: Sequence[str]) -> dict[str, Any]:
    spec = run.spec
    if spec is None:
        return {"id": run.id, "setting": run.id}
    arguments = {name: spec.architecture_arguments.get(name, value) for name, value in defaults.items()}
    of_recipe = {name: getattr(spec.recipe, name) for name in hyperparameters}
    labelled = arguments | (of_recipe if len(hyperparameters) > 1 else {})
    return {
        "id": run.id,
        "setting": _setting_label(labelled),
        **arguments,
        **of_recipe,
        "trained": run.epochs,
        "folds": run.folds,
        "mean": None if run.mean_accuracy is None else 100 * run.mean_accuracy,
        "deviation": None if run.deviation is None else 100 * run.deviation,
    }


def _setting_label(arguments: Mapping[str, Any]) -> str:
    """`filters 64, kernel 5, dense 128, dropout 0.25`, with a LINE_BREAK in the middle."""
    parts = [f"{name} {value}" for name, value in arguments.items()]
    middle = (len(parts) + 1) // 2
    return f",{LINE_BREAK} ".join(", ".join(part) for part in (parts[:middle], parts[middle:]) if part)


def fold_points(settings: pd.DataFrame, evaluations: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Each fold's accuracy in [0, 1] for every row of `settings_table`, with the mean and its ends."""
    rows = []
    for row in settings.to_dict("records"):
        mean, deviation = row["mean"] / 100, (row["deviation"] or 0.0) / 100
        ends = {"setting": row["setting"], "mean": mean, "low": mean - deviation, "high": mean + deviation}
        for fold in evaluations[row["id"]].get("folds", []):
            rows.append({**ends, "fold": str(fold["fold"]), "accuracy": fold["test"]["accuracy"]})
    return pd.DataFrame(rows, columns=["setting", "mean", "low", "high", "fold", "accuracy"])


def class_weights(supports: Mapping[str, int]) -> pd.DataFrame:
    """How much a loss of each emotion weighs where weights are balanced: images / (emotions · its own images)."""
    present = {emotion: n for emotion, n in supports.items() if n}
    images = sum(present.values())
    rows = [(emotion, n, images / (len(present) * n)) for emotion, n in present.items()]
    return pd.DataFrame(rows, columns=["emotion", "images", "weight"])
