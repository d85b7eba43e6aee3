"""Answers of several runs as data frames; shares are in [0, 1], and percentages where a table shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboard.compare.selection import LETTERS
from dashboard.formats import NONE, SPACE, count, interval, p_text, percent, points
from dashboard.summaries import RunSummary, ends
from dashboard.tables import matrix_cells
from fer_core.evaluation import (
    Answers,
    ClassChange,
    Comparison,
    agreement_shares,
    classification_metrics,
    confusion_matrix,
    kappas,
)

Names = Mapping[str, str]  # what each run's id is called


def span(ends: tuple[float, float] | None) -> str:
    """(-0.012, 0.034) as `−1.2 … +3.4`: percentage points."""
    return NONE if ends is None else f"{points(ends[0])}{SPACE}…{SPACE}{points(ends[1])}"


def letter(name: str) -> str:
    """The letter of a run's short name."""
    return name.partition(" ")[0]


def turned(pair: Comparison) -> Comparison:
    """The same comparison, told from the other run."""
    return Comparison(
        pair.second, pair.first, pair.n, pair.both, pair.only_second, pair.only_first, pair.neither,
        pair.agreement, pair.p_value, pair.adjusted,
    )  # fmt: skip


def between(pairs: Sequence[Comparison]) -> dict[tuple[str, str], Comparison]:
    """Every comparison by its two runs, in both directions."""
    return {(each.first, each.second): each for pair in pairs for each in (pair, turned(pair))}


def standings(
    answers: Answers, pairs: Sequence[Comparison], baseline: str, names: Names, runs: Sequence[RunSummary]
) -> pd.DataFrame:
    """One row for each run, in their order: its figures on the shared images, and its lead over the baseline."""
    known, facts = between(pairs), {run.id: run for run in runs}
    rows = []
    for place, run in enumerate(answers.runs):
        figures = classification_metrics(answers.labels, answers.probabilities[place], answers.emotions)
        pair = known.get((run, baseline))
        rows.append(
            {
                "id": run,
                "run": names[run],
                "accuracy": 100 * figures["accuracy"],
                "interval": interval(ends(figures["accuracy_interval"])),
                "low": figures["accuracy_interval"][0],
                "high": figures["accuracy_interval"][1],
                "lead": np.nan if pair is None else 100 * pair.difference,
                "lead_interval": "baseline" if pair is None else span(pair.interval),
                "p": "" if pair is None else p_text(pair.adjusted),
                "real": "" if pair is None else ("yes" if pair.is_real else "no"),
                "balanced": 100 * figures["balanced_accuracy"],
                "macro_f1": 100 * figures["macro_f1"],
                "log_loss": figures["log_loss"],
                "ece": 100 * figures["ece"],
                "parameters": facts[run].fact("parameters"),
                "minutes": (facts[run].total_s or np.nan) / 60,
            }
        )
    return pd.DataFrame(rows)


def finding(table: pd.DataFrame, pairs: Sequence[Comparison], baseline: str, names: Names) -> str:
    """What `standings` find, as a sentence: who is best, and whether it is better than the baseline."""
    best = table.sort_values("accuracy", kind="stable").iloc[-1]
    if best["id"] == baseline:
        rivals = [pair for pair in between(pairs).values() if pair.first == baseline]
        beaten = sum(pair.is_real for pair in rivals)
        others = "the other" if len(rivals) == 1 else "the others"
        verdict = f"more than chance above {beaten} of {len(rivals)} others"
        if beaten in (0, len(rivals)):
            verdict = (
                f"more than chance above {others}" if beaten else f"above {others} by no more than chance may give"
            )
        return f"The baseline {names[baseline]} recognises most: {percent(best['accuracy'] / 100)}, {verdict}"
    pair = between(pairs)[(str(best["id"]), baseline)]
    verdict = "more than chance" if pair.is_real else "no more than chance may give"
    return (
        f"{best['run']} recognises most: {percent(best['accuracy'] / 100)}, {points(pair.difference)} points on "
        f"{letter(names[baseline])}, {verdict} (p {'' if pair.adjusted < 0.001 else '= '}{p_text(pair.adjusted)})"
    )


def pair_rows(pairs: Sequence[Comparison], names: Names) -> pd.DataFrame:
    """Every run less every other, both ways; the diagonal is empty. `difference` is a share."""
    known, order = between(pairs), list(dict.fromkeys(each for pair in pairs for each in (pair.first, pair.second)))
    rows: list[dict[str, Any]] = []
    for run in order:
        for other in order:
            row: dict[str, Any] = {"run": names[run], "other": names[other], "column": letter(names[other])}
            pair = known.get((run, other))
            if pair is not None:
                row |= {
                    "difference": pair.difference,
                    "difference_text": points(pair.difference),
                    "interval": span(pair.interval),
                    "p": p_text(pair.adjusted),
                    "only_run": pair.only_first,
                    "only_other": pair.only_second,
                }
            rows.append(row | {"is_bold": pair is not None and pair.is_real})
    return pd.DataFrame(rows)


def pair_table(pairs: Sequence[Comparison], names: Names) -> pd.DataFrame:
    """One row for each pair of runs, the better one first and the surest difference above."""
    better = [pair if pair.difference >= 0 else turned(pair) for pair in pairs]
    rows = [
        {
            "better": names[pair.first],
            "worse": names[pair.second],
            "difference": 100 * pair.difference,
            "interval": span(pair.interval),
            "only_better": pair.only_first,
            "only_worse": pair.only_second,
            "p": p_text(pair.adjusted),
            "real": "yes" if pair.is_real else "no",
            "p_value": pair.p_value,
            "p_holm": pair.adjusted,
            "n": pair.n,
        }
        for pair in sorted(better, key=lambda pair: pair.adjusted)
    ]
    return pd.DataFrame(rows)


def agreement_rows(answers: Answers, names: Names) -> pd.DataFrame:
    """The share of equal answers and Cohen's kappa of every two runs, both ways."""
    shares, chance_free = agreement_shares(answers), kappas(answers)
    rows = []
    for one, run in enumerate(answers.runs):
        for two, other in enumerate(answers.runs):
            share, kappa = float(shares[one, two]), float(chance_free[one, two])
            rows.append(
                {
                    "run": names[run], "other": names[other], "column": letter(names[other]),
                    "share": share, "share_text": percent(share), "kappa": kappa, "kappa_text": f"{kappa:.2f}",
                    "is_bold": one == two,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def change_rows(changes: Sequence[ClassChange], names: Names) -> pd.DataFrame:
    """What each run gains and loses against the baseline in each emotion; shares, with their texts."""
    return pd.DataFrame(
        {
            "run": names[change.run],
            "emotion": change.emotion,
            "difference": change.difference,
            "difference_text": points(change.difference),
            "value": change.value,
            "value_text": percent(change.value),
            "baseline": change.baseline,
            "baseline_text": percent(change.baseline),
            "support": change.support,
            "interval": span(change.interval),
            "p": p_text(change.adjusted),
            "is_bold": change.is_real,
        }
        for change in changes
    )


def change_finding(rows: pd.DataFrame, baseline: str, metric: str) -> str:
    """The largest change, as a sentence."""
    if rows.empty or not rows["difference"].abs().max():
        return f"No {metric} differs from {baseline}'s"
    most = rows.sort_values("difference", key=np.abs, kind="stable").iloc[-1]
    verb = "gains" if most["difference"] > 0 else "loses"
    number = f"{100 * abs(most['difference']):.1f}"
    return f"{most['run']} {verb} most against {baseline}: {number} points of {metric} on {most['emotion']}"


def class_table(answers: Answers, names: Names, metric: str) -> pd.DataFrame:
    """A metric of every run (a column by its letter, in percent) for each emotion, with its support."""
    table = pd.DataFrame({"emotion": answers.emotions})
    table["support"] = np.bincount(answers.labels, minlength=len(answers.emotions))
    for place, run in enumerate(answers.runs):
        figures = classification_metrics(answers.labels, answers.probabilities[place], answers.emotions)
        table[letter(names[run])] = [100 * each[metric] for each in figures["per_class"]]
    return table


def matrix_of(answers: Answers, run: str) -> np.ndarray:
    """A run's confusion matrix (C, C); row = true class, column = predicted class."""
    return confusion_matrix(answers.labels, answers.called[answers.place(run)], len(answers.emotions))


def difference_cells(answers: Answers, run: str, baseline: str, shown: str) -> pd.DataFrame:
    """A run's confusion matrix less the baseline's, in what the cells show: `count`, or a share of `row` or `column`.

    `difference_text` says counts or percentage points.
    """
    mine, other = (matrix_cells(matrix_of(answers, each), answers.emotions) for each in (run, baseline))
    difference = mine[shown].astype(float) - other[shown].astype(float)
    if shown == "count":
        texts = [f"{int(value):+d}".replace("-", "−") if value else "0" for value in difference]
        sides = {"mine_text": mine["count_text"], "baseline_text": other["count_text"]}
    else:
        texts = [f"{100 * value:+.0f}".replace("-", "−").replace("+0", "0").replace("−0", "0") for value in difference]
        sides = {"mine_text": mine[f"{shown}_exact"], "baseline_text": other[f"{shown}_exact"]}
    return mine[["true", "predicted"]].assign(difference=difference, difference_text=texts, **sides)


def image_table(answers: Answers, rows: np.ndarray, margin: np.ndarray, names: Names) -> pd.DataFrame:
    """The images at `rows`: id, label, and every run's answer with its probability in percent."""
    called = answers.called[:, rows]
    table = pd.DataFrame({"image": answers.ids[rows], "label": np.array(answers.emotions)[answers.labels[rows]]})
    for place, run in enumerate(answers.runs):
        given = answers.probabilities[place, rows, called[place]]
        table[f"{names[run]}: answer"] = np.array(answers.emotions)[called[place]]
        table[f"{names[run]}: probability (%)"] = 100 * given.astype(float)
    return table.assign(**{"margin (points)": 100 * margin})


def probability_rows(answers: Answers, row: int, names: Names) -> pd.DataFrame:
    """Every run's probability of every emotion for one image."""
    called, label = answers.called[:, row], answers.emotions[answers.labels[row]]
    return pd.DataFrame(
        {
            "run": names[run],
            "emotion": emotion,
            "probability": float(answers.probabilities[place, row, column]),
            "probability_text": percent(float(answers.probabilities[place, row, column]), 0),
            "exact": percent(float(answers.probabilities[place, row, column])),
            "label": label,
            "is_bold": bool(called[place] == column),
        }
        for place, run in enumerate(answers.runs)
        for column, emotion in enumerate(answers.emotions)
    )


def verdicts(answers: Answers, row: int, names: Names) -> list[tuple[str, str, str, bool]]:
    """(letter, answer, probability, whether it is right) of every run for one image."""
    found = []
    for place, run in enumerate(answers.runs):
        called = int(answers.probabilities[place, row].argmax())
        share = percent(float(answers.probabilities[place, row, called]), 0)
        own = letter(names[run]) if letter(names[run]) in LETTERS else ""
        found.append((own, answers.emotions[called], share, called == int(answers.labels[row])))
    return found


def shared_note(answers: Answers) -> str:
    """How many images the figures rest on, and that runs have other predictions, too, where they have."""
    if not answers.is_partial:
        return f"{count(len(answers))} test images."
    most = max(answers.tested)
    return (
        f"The {count(len(answers))} test images that all were tested on, each by its first prediction "
        f"(of up to {count(most)} of a run)."
    )
