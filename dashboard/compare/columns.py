"""How the tables of the Compare page show their columns."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from streamlit import column_config as column

NARROWEST, WIDEST, LETTER_WIDTH = 90, 420, 7.2  # pixels


def standings() -> dict[str, Any]:
    """Columns of `compare.tables.standings`."""
    return {
        "id": None,
        "low": None,
        "high": None,
        "run": column.TextColumn("Run", pinned=True),
        "accuracy": column.NumberColumn("Accuracy (%)", format="%.1f", help="Share of the shared test images."),
        "interval": column.TextColumn("95 % interval", alignment="right", help="Wilson interval of the accuracy."),
        "lead": column.NumberColumn("Δ baseline (points)", help="Accuracy less the baseline's."),
        "lead_interval": column.TextColumn(
            "95 % of Δ", alignment="right", help="Paired: Bonett and Price's interval, in points."
        ),
        "p": column.TextColumn("p (Holm)", alignment="right", help="McNemar's exact test, corrected for all pairs."),
        "real": column.TextColumn("Real", help="Whether the difference is more than chance, at 5 % over all pairs."),
        "balanced": column.NumberColumn("Balanced (%)", format="%.1f", help="Mean recall over the emotions."),
        "macro_f1": column.NumberColumn("Macro-F1 (%)", format="%.1f", help="Mean F1 over the emotions."),
        "log_loss": column.NumberColumn("Log loss", format="%.3f"),
        "ece": column.NumberColumn(
            "ECE (%)", format="%.1f", help="Expected calibration error over 15 bins, before temperature scaling."
        ),
        "parameters": column.NumberColumn("Parameters", format="%,d"),
        "minutes": column.NumberColumn(
            "Time in all (min)", format="%,.1f", help="Wall time of the training and of all that it was made from."
        ),
    }


def pairs() -> dict[str, Any]:
    """Columns of `compare.tables.pair_table`."""
    return {
        "better": column.TextColumn("Better", pinned=True),
        "worse": column.TextColumn("Worse"),
        "difference": column.NumberColumn("Difference (points)"),
        "interval": column.TextColumn("95 % interval", alignment="right", help="Bonett and Price, in points."),
        "only_better": column.NumberColumn("Better alone right", format="%,d", help="Images."),
        "only_worse": column.NumberColumn("Worse alone right", format="%,d", help="Images."),
        "p": column.TextColumn("p (Holm)", alignment="right", help="McNemar's exact test, corrected for all pairs."),
        "real": column.TextColumn("Real", help="More than chance, at 5 % over all pairs."),
        "p_value": None,
        "p_holm": None,
        "n": column.NumberColumn("Images", format="%,d"),
    }


def curve_summary(metric: str, is_share: bool) -> dict[str, Any]:
    """Columns of `compare.curves.summary`."""
    form, unit = ("%.1f", " (%)") if is_share else ("%.4f", "")
    return {
        "run": column.TextColumn("Run", pinned=True),
        "best": column.NumberColumn(f"Best {metric.lower()}{unit}", format=form),
        "at": column.NumberColumn("At epoch", format="%,d"),
        "last": column.NumberColumn(f"Last{unit}", format=form),
        "epochs": column.NumberColumn("Epochs", format="%,d"),
        "minutes": column.NumberColumn(
            "Sum of epochs (min)",
            format="%,.1f",
            help="The times of the epochs added up; where there are folds, of their mean. The wall time, which other "
            "pages show, is that of the whole training with all between the epochs.",
        ),
    }


def calibration() -> dict[str, Any]:
    """Columns of `compare.calibration.calibration_table`."""
    return {
        "run": column.TextColumn("Run", pinned=True),
        "confidence": column.NumberColumn("Mean confidence (%)", format="%.1f"),
        "accuracy": column.NumberColumn("Accuracy (%)", format="%.1f"),
        "ece": column.NumberColumn(
            "ECE (%)", format="%.1f", help="Expected calibration error over 15 bins, before temperature scaling."
        ),
        "calibrated_ece": column.NumberColumn("ECE, calibrated (%)", format="%.1f", help="With the run's temperature."),
        "temperature": column.NumberColumn(
            "Temperature", format="%.2f", help="Fitted on validation; above 1, the run is surer than it should be."
        ),
        "log_loss": column.NumberColumn("Log loss", format="%.3f"),
        "calibrated_log_loss": column.NumberColumn("Log loss, calibrated", format="%.3f"),
    }


def classes(names: Sequence[str]) -> dict[str, Any]:
    """Columns of `compare.tables.class_table`; `names` begin with the runs' letters."""
    numbers = {name[0]: column.NumberColumn(f"{name[0]} (%)", format="%.1f", help=name) for name in names}
    return {
        "emotion": column.TextColumn("Emotion", pinned=True),
        "support": column.NumberColumn("Support", format="%,d", help="Test images of this emotion."),
        **numbers,
    }


def settings(table: pd.DataFrame, names: Sequence[str]) -> dict[str, Any]:
    """Columns of `compare.settings.specs` and `environments`, as wide as their texts: what does not fit is scrolled."""
    return {
        "setting": column.TextColumn("Setting", pinned=True, width=_width(table["setting"])),
        **{name[0]: column.TextColumn(name[0], help=name, width=_width(table[name[0]])) for name in names},
    }


def _width(texts: "pd.Series[str]") -> int:
    """Pixels for the longest of the texts; a very long one is read by a click on its cell."""
    return min(WIDEST, max(NARROWEST, round(LETTER_WIDTH * texts.str.len().max()) + 24))
