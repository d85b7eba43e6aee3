"""Runs and evaluations as data frames; shares are percentages here, as the tables show them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from dashboard.advice import advice, reason
from dashboard.formats import count, fact_name, fact_text, interval, percent
from dashboard.labels import hash_of, labels, preprocessing_of, setting
from dashboard.summaries import Board, RunSummary, ends
from fer_core.config import to_json
from fer_core.errors import FerError

if TYPE_CHECKING:
    # importing this would import torch
    from fer_core.interpretation import LayerRow

FACES, PREDICTIONS = "faces", "predictions"
LEADERBOARD_COLUMNS = (
    *("id", "architecture", "preprocessing", "accuracy", "interval", "clean", "macro_f1"),
    *("parameters", "epochs", "minutes", "total", "device", "recipe", "setting", "seed"),
)


def on_board(runs: Sequence[RunSummary], board: Board, *, with_archived: bool = False) -> list[RunSummary]:
    """The finished runs that may be ranked together, in the order given; archived ones where they are asked for."""
    return [
        run
        for run in runs
        if run.state == "finished" and (with_archived or not run.notes.archived) and run.board == board
    ]


def leaderboard(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """One row for each finished run, in the order given; `setting` and `total` are there where they say something."""
    table = pd.DataFrame([_leaderboard_row(run) for run in runs], columns=list(LEADERBOARD_COLUMNS))
    silent = [] if table["setting"].any() else ["setting"]
    return table.drop(columns=silent if any(run.is_made_from_others for run in runs) else [*silent, "total"])


def _leaderboard_row(run: RunSummary) -> dict[str, Any]:
    spec = run.spec
    return {
        "id": run.id,
        "architecture": spec.architecture if spec else "",
        "preprocessing": preprocessing_of(run),
        "accuracy": percentage(run.accuracy),
        "interval": interval(run.interval),
        "clean": percentage(run.figure("clean_accuracy")),
        "macro_f1": percentage(run.figure("macro_f1")),
        "parameters": run.fact("parameters"),
        "epochs": None if run.is_ensemble else run.epochs,
        "minutes": minutes(run.training_s),
        "total": minutes(run.total_s),
        "device": run.device,
        "recipe": spec.recipe.name if spec else "",
        "setting": setting(spec) if spec else "",
        "seed": spec.seed if spec and not run.is_ensemble else None,
    }


def minutes(seconds: float | None) -> float | None:
    """Seconds as minutes."""
    return None if seconds is None else seconds / 60


def percentage(share: float | None) -> float | None:
    """A share in [0, 1] as %."""
    return None if share is None else 100 * share


def unranked(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """The runs that have no result and are not getting one now: which, in what state, why, and what can be done."""
    names = labels(runs)
    waiting = [run for run in runs if run.state not in ("finished", "running")]
    rows = [(run.id, names[run.id], run.state, reason(run), advice(run).sentence) for run in waiting]
    return pd.DataFrame(rows, columns=["id", "run", "state", "reason", "what to do"])


def confusion_cells(evaluation: Mapping[str, Any]) -> pd.DataFrame:
    """One row for each pair of true and predicted emotion: `count`, and its share of its `row` and `column` in [0, 1].

    `<name>_text` is what a cell says, `<name>_exact` what its tooltip says.

    Raises FerError where the evaluation has no confusion matrix of its emotions.
    """
    emotions = list(evaluation.get("emotions", []))
    counts = evaluation["splits"]["test"].get("confusion_matrix", [])
    if not emotions or [len(row) for row in counts] != [len(emotions)] * len(emotions):
        raise FerError(f"evaluation.json has no confusion matrix of its {len(emotions)} emotions")
    return matrix_cells(np.asarray(counts), emotions)


def matrix_cells(matrix: np.ndarray, emotions: Sequence[str]) -> pd.DataFrame:
    """`confusion_cells` of counts (C, C), row = true class, column = predicted class."""
    rows, columns = matrix.sum(axis=1, keepdims=True), matrix.sum(axis=0, keepdims=True)
    true, predicted = np.indices(matrix.shape)
    cells = pd.DataFrame(
        {
            "true": np.asarray(emotions)[true.ravel()],
            "predicted": np.asarray(emotions)[predicted.ravel()],
            "count": matrix.ravel(),
            "row": (matrix / np.maximum(rows, 1)).ravel(),
            "column": (matrix / np.maximum(columns, 1)).ravel(),
        }
    )
    for name in ("row", "column"):
        cells[f"{name}_text"] = [percent(share, 0) for share in cells[name]]
        cells[f"{name}_exact"] = [percent(share) for share in cells[name]]
    return cells.assign(count_text=[count(number) for number in cells["count"]])


def worst_confusion(cells: pd.DataFrame) -> str:
    """The confusion with the largest share of its true class, as a sentence."""
    wrong = cells[cells["true"] != cells["predicted"]]
    if wrong.empty or not wrong["count"].sum():
        return "No face was taken for another emotion"
    worst = wrong.sort_values("row").iloc[-1]
    share = percent(float(worst["row"]), 0)
    return f"Most often, {worst['true']} is taken for {worst['predicted']}: {share} of the {worst['true']} faces"


def per_class(evaluation: Mapping[str, Any]) -> pd.DataFrame:
    """Precision, recall, F1 and specificity in percent, and support, for each emotion."""
    columns = ["emotion", "precision", "recall", "f1", "specificity", "support"]
    table = pd.DataFrame(evaluation["splits"]["test"].get("per_class", []), columns=columns)
    return table.assign(**{name: table[name].astype(float) * 100 for name in columns[1:5]})


def traced_accuracy(evaluation: Mapping[str, Any]) -> float:
    """The accuracy that a report's own confusion matrix gives: its trace over its sum."""
    matrix = np.asarray(evaluation["splits"]["test"]["confusion_matrix"])
    return float(matrix.trace() / max(1, matrix.sum()))


def layers(rows: Sequence["LayerRow"]) -> pd.DataFrame:
    """One row a layer, numbered: kind, name, output shape as `32 × 48 × 48`, parameters with their arithmetic."""
    columns = ["number", "layer", "name", "output", "parameters", "arithmetic"]
    table = [
        (
            number,
            row.kind,
            row.name,
            " × ".join(f"{side:,}" for side in row.output_shape),
            row.parameters,
            row.arithmetic,
        )
        for number, row in enumerate(rows, start=1)
    ]
    return pd.DataFrame(table, columns=columns)


def weakest_class(table: pd.DataFrame, counted: str = FACES) -> str:
    """The emotion with the lowest F1, as a sentence; `counted` is what its support counts, see `what_counts`."""
    tested = table[table["support"] > 0]
    if tested.empty:
        return "No emotion was tested"
    worst = tested.sort_values("f1").iloc[0]
    return f"Hardest is {worst['emotion']}: F1 of {percent(float(worst['f1']) / 100)} on {worst['support']:,} {counted}"


def what_counts(run: RunSummary) -> str:
    """What the test's supports and matrix count: faces, or predictions where repeated folds read a face often."""
    return FACES if run.images == run.whole("n") else PREDICTIONS


def best_epochs(epochs: pd.DataFrame, known: int | None = None) -> pd.DataFrame:
    """The rows of `curves` at each fold's best epoch: the `known` one of a single split, else by validation.

    Of equal accuracies the epoch of the lower loss is better, as in training (`training.optimization.Progress`).
    """
    if known is not None and epochs["fold"].nunique() == 1:
        return epochs[epochs["epoch"] == known]
    rated = epochs.dropna(subset=["valid_accuracy"])
    order = rated.sort_values(["valid_accuracy", "valid_loss", "epoch"], ascending=[False, True, True])
    return order.groupby("fold", sort=False).head(1).sort_values("fold", kind="stable")


def f1_bars(table: pd.DataFrame) -> pd.DataFrame:
    """F1 in [0, 1] of each emotion of `per_class`, and as text."""
    shares = [float(value) / 100 for value in table["f1"]]
    return pd.DataFrame({"emotion": table["emotion"], "F1": shares, "F1_text": [percent(share) for share in shares]})


def curves(metrics: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row an epoch of each `fold`, which is "" for a single split; a column is all NaN where no epoch has it."""
    measures = ["train_loss", "valid_loss", "train_accuracy", "valid_accuracy", "learning_rate", "seconds"]
    lines = [{"fold": "", **line} for line in metrics if line.get("epoch") is not None]
    return pd.DataFrame(lines, columns=["fold", "epoch", *measures])


def folds(evaluation: Mapping[str, Any]) -> pd.DataFrame:
    """One row for each fold: its test images, and its figures in percent."""
    rows = [_fold(fold) for fold in evaluation.get("folds", [])]
    return pd.DataFrame(rows, columns=["fold", "n", "accuracy", "interval", "balanced", "macro_f1", "valid"])


def _fold(fold: Mapping[str, Any]) -> dict[str, Any]:
    test = fold["test"]
    return {
        "fold": str(fold["fold"]),
        "n": test["n"],
        "accuracy": 100 * test["accuracy"],
        "interval": interval(ends(test["accuracy_interval"])),
        "balanced": 100 * test["balanced_accuracy"],
        "macro_f1": 100 * test["macro_f1"],
        "valid": 100 * fold["valid"]["accuracy"],
    }


class Read(Protocol):
    """A face that a network has read."""

    @property
    def probabilities(self) -> Mapping[str, float]:
        """How likely each emotion is, in [0, 1]."""


def probabilities(face: Read) -> pd.DataFrame:
    """The probability in [0, 1] of each emotion, in the order of the classes."""
    rows = [(emotion, share, percent(share)) for emotion, share in face.probabilities.items()]
    return pd.DataFrame(rows, columns=["emotion", "probability", "probability_text"])


def curve_title(best: pd.DataFrame, measure: str) -> str:
    """What a curve finds: the validation value at the best epoch, or its mean over the `best_epochs` of folds."""
    value = best[f"valid_{measure}"].astype(float).mean()
    if np.isnan(value):
        return f"{measure.capitalize()} over the epochs"
    number = percent(value) if measure == "accuracy" else f"{value:.3f}"
    where = f"at epoch {best['epoch'].iloc[0]}" if len(best) == 1 else f"at the best epochs of {len(best)} folds"
    return f"Validation {measure} {number} {where}"


def key_values(data: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """A JSON object as tables of two columns of text: one of its own values (``), one for each object in it."""
    own = {name: value for name, value in data.items() if not isinstance(value, Mapping)}
    parts = {"": own, **{name: value for name, value in data.items() if isinstance(value, Mapping) and value}}
    return {name: pd.DataFrame(_texts(part), columns=["name", "value"]) for name, part in parts.items() if part}


def _texts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(fact_name(name), fact_text(name, value)) for name, value in data.items()]


def specification(run: RunSummary) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a run was asked to be, and its recipe, as `key_values` takes them; an ensemble has its members instead."""
    spec = to_json(run.spec) if run.spec else {}
    if not run.is_ensemble:
        recipe = spec.pop("recipe", {})
        return spec, {"recipe": recipe} if recipe else {}
    kept = {name: spec[name] for name in ("architecture", "dataset", "protocol", "emotions", "schema_version")}
    return kept, {"members": {f"member {place}": _member(each) for place, each in enumerate(run.members, start=1)}}


def _member(member: Mapping[str, Any]) -> str:
    """`81.9 % · se_resnet · raw · e2d6f39a`: its weight, and which run it is."""
    kind = (str(member["architecture"]), str(member["preprocessing"]), hash_of(str(member["run"])))
    return " · ".join([percent(member["weight"]), *kind])


def machine(run: RunSummary, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Where a run was trained, and how fast; an ensemble was not, and says how long its members took."""
    untold = ("wall_s", "epochs_run", "images_per_s") if run.is_ensemble else ()
    return {name: value for name, value in environment.items() if name not in untold}


def to_csv(table: pd.DataFrame) -> bytes:
    """A table as CSV, UTF-8."""
    return table.to_csv(index=False).encode()
