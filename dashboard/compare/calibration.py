"""Whether runs are right as often as they are sure; data frames, no Streamlit here."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dashboard.compare import tables
from fer_core.evaluation import Answers, apply_temperature, classification_metrics, reliability, wilson_interval


def reliability_rows(answers: Answers, names: tables.Names, temperatures: Mapping[str, float]) -> pd.DataFrame:
    """One row for each run and filled confidence bin; a run in `temperatures` is calibrated by its one."""
    frames = []
    for run in answers.runs:
        found = reliability(answers.labels, _calibrated(answers, run, temperatures))
        low, high = _wilson(found.accuracy, found.counts)
        frame = pd.DataFrame(
            {"confidence": found.confidence, "accuracy": found.accuracy, "n": found.counts, "low": low, "high": high}
        )
        frames.append(frame[frame["n"] > 0].assign(run=names[run], share=found.counts[found.counts > 0] / len(answers)))
    return pd.concat(frames, ignore_index=True)


def _wilson(shares: np.ndarray, counts: np.ndarray) -> tuple[list[float], list[float]]:
    ends = [
        wilson_interval(round(share * n), int(n)) if n else (0.0, 1.0) for share, n in zip(shares, counts, strict=True)
    ]
    return [low for low, _ in ends], [high for _, high in ends]


def _calibrated(answers: Answers, run: str, temperatures: Mapping[str, float]) -> np.ndarray:
    given = answers.probabilities[answers.place(run)]
    return apply_temperature(given, temperatures[run]) if run in temperatures else given


def calibration_table(answers: Answers, names: tables.Names, temperatures: Mapping[str, float]) -> pd.DataFrame:
    """One row for each run: confidence beside accuracy, and how far apart, before and after its temperature."""
    rows = []
    for place, run in enumerate(answers.runs):
        figures = classification_metrics(
            answers.labels, answers.probabilities[place], answers.emotions, temperatures[run]
        )
        rows.append(
            {
                "run": names[run],
                "confidence": 100 * float(answers.probabilities[place].max(axis=1).mean()),
                "accuracy": 100 * figures["accuracy"],
                "ece": 100 * figures["ece"],
                "calibrated_ece": 100 * figures["calibrated"]["ece"],
                "temperature": temperatures[run],
                "log_loss": figures["log_loss"],
                "calibrated_log_loss": figures["calibrated"]["log_loss"],
            }
        )
    return pd.DataFrame(rows)


def calibration_finding(table: pd.DataFrame, column: str) -> str:
    """Which run's confidence means most, as a sentence."""
    ranked = table.sort_values(column, kind="stable")
    best, worst = ranked.iloc[0], ranked.iloc[-1]
    return (
        f"{best['run']} knows best how sure it may be: its confidence is off by {best[column]:.1f} points, "
        f"{tables.letter(worst['run'])}'s by {worst[column]:.1f}"
    )
