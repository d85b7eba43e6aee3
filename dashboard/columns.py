"""How tables show their columns: numbers to the right, with fixed decimals, units in the header."""

from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler
from streamlit import column_config as column

COMPARED_NUMBERS = ("Published (%)", "Ours (%)", "Δ (points)", "Epochs")


def leaderboard() -> dict[str, Any]:
    """Columns of `tables.leaderboard`."""
    return {
        "id": None,
        "architecture": column.TextColumn("Architecture", pinned=True),
        "preprocessing": column.TextColumn("Preprocessing"),
        "accuracy": column.NumberColumn("Accuracy (%)", format="%.1f", help="Share of the test images recognised."),
        "interval": column.TextColumn("95 % interval", alignment="right", help="Wilson interval of the accuracy."),
        "clean": column.NumberColumn(
            "Clean (%)", format="%.1f", help="Accuracy on the test images that have no exact copy in training."
        ),
        "macro_f1": column.NumberColumn("Macro-F1 (%)", format="%.1f", help="Mean F1 over the emotions."),
        "parameters": column.NumberColumn("Parameters", format="%,d"),
        "epochs": column.NumberColumn("Epochs", format="%,d", help="Where there are folds, their mean."),
        "minutes": column.NumberColumn("Time (min)", format="%,.1f", help="Wall time of the training."),
        "total": column.NumberColumn(
            "In all (min)", format="%,.1f", help="With every other training that it was made from."
        ),
        "device": column.TextColumn("Device"),
        "recipe": column.TextColumn("Recipe"),
        "setting": column.TextColumn("Setting", help="The network's arguments, and the run that it starts from."),
        "seed": column.NumberColumn("Seed", format="%d"),
    }


def members() -> dict[str, Any]:
    """Columns of `origins.members`."""
    return {
        "weight": column.NumberColumn("Weight", format="%.4f"),
        "architecture": column.TextColumn("Architecture"),
        "preprocessing": column.TextColumn("Preprocessing"),
        "temperature": column.NumberColumn("Temperature", format="%.2f", help="Fitted on the validation split."),
        "run": column.LinkColumn("Run", display_text="Open", width="small", help="In a new tab."),
    }


def lineage() -> dict[str, Any]:
    """Columns of `origins.lineage`."""
    return {
        "place": column.NumberColumn("No.", format="%d", width=50, pinned=True),
        "architecture": column.TextColumn("Architecture"),
        "preprocessing": column.TextColumn("Preprocessing"),
        "origin": column.TextColumn("Made from", help="Numbers are those of the rows."),
        "epochs": column.NumberColumn("Epochs", format="%,d"),
        "minutes": column.NumberColumn("Time (min)", format="%,.1f", help="Wall time of this training alone."),
        "valid": column.NumberColumn("Validation (%)", format="%.1f", help="What choices were made by."),
        "accuracy": column.NumberColumn("Test (%)", format="%.1f"),
        "board": column.TextColumn("Tested on"),
        "run": column.LinkColumn("Run", display_text="Open", width="small", help="In a new tab."),
    }


def unranked() -> dict[str, Any]:
    """Columns of `tables.unranked`."""
    return {
        "id": None,
        "run": column.TextColumn("Run", pinned=True),
        "state": column.TextColumn("State", width="small"),
        "reason": column.TextColumn("Reason", width="large"),
        "what to do": column.TextColumn("What to do", width="large"),
    }


def per_class(counted: str) -> dict[str, Any]:
    """Columns of `tables.per_class`, whose support counts `tables.what_counts`."""
    return {
        "emotion": column.TextColumn("Emotion", pinned=True),
        "precision": column.NumberColumn("Precision (%)", format="%.1f", help="Of the faces called so, how many are."),
        "recall": column.NumberColumn("Recall (%)", format="%.1f", help="Of the faces that are so, how many it finds."),
        "f1": column.NumberColumn("F1 (%)", format="%.1f", help="Harmonic mean of precision and recall."),
        "specificity": column.NumberColumn(
            "Specificity (%)", format="%.1f", help="Of the faces that are not so, how many are not called so."
        ),
        "support": column.NumberColumn("Support", format="%,d", help=f"Test {counted} of this emotion."),
    }


def folds() -> dict[str, Any]:
    """Columns of `tables.folds`."""
    return {
        "fold": column.TextColumn("Fold", pinned=True),
        "n": column.NumberColumn("Test images", format="%,d"),
        "accuracy": column.NumberColumn("Accuracy (%)", format="%.1f", help="Share of the fold's test images."),
        "interval": column.TextColumn("95 % interval", alignment="right", help="Wilson interval of the accuracy."),
        "balanced": column.NumberColumn("Balanced (%)", format="%.1f", help="Mean recall over the emotions."),
        "macro_f1": column.NumberColumn("Macro-F1 (%)", format="%.1f", help="Mean F1 over the emotions."),
        "valid": column.NumberColumn("Validation (%)", format="%.1f", help="Accuracy that chose the best epoch."),
    }


def measures(emotions: list[str]) -> dict[str, Any]:
    """Columns of `papers.tables.measure_table`."""
    numbers = {each: column.NumberColumn(f"{each.capitalize()} (%)", format="%.1f") for each in emotions}
    return {
        "system": column.TextColumn("System", pinned=True),
        **numbers,
        "mean": column.NumberColumn("Mean (%)", format="%.1f", help="Over the emotions, each counting alike."),
    }


def contradiction() -> dict[str, Any]:
    """Columns of `papers.tables.contradiction`."""
    names = {
        "share": "Share of the images (%)",
        "printed_precision": "Printed precision (%)",
        "printed_recall": "Printed recall (%)",
        "our_precision": "Our precision (%)",
        "our_recall": "Our recall (%)",
    }
    return {
        "emotion": column.TextColumn("Emotion", pinned=True),
        "support": column.NumberColumn("Support", format="%,d", help="Images of this emotion in the paper's test."),
        **{name: column.NumberColumn(title, format="%.1f") for name, title in names.items()},
    }


def layers() -> dict[str, Any]:
    """Columns of `tables.layers`."""
    return {
        "number": column.NumberColumn("#", format="%d", pinned=True, width=50),
        "layer": column.TextColumn("Layer"),
        "name": column.TextColumn("Name", help="As the saved weights call it."),
        "output": column.TextColumn("Output shape", alignment="right"),
        "parameters": column.NumberColumn("Parameters", format="%,d"),
        "arithmetic": column.TextColumn("Arithmetic", width="large"),
    }


def settings(names: list[str]) -> dict[str, Any]:
    """Columns of `papers.tables.settings_table`, of which `names` vary."""
    return {
        "id": None,
        **{name: column.Column(name.replace("_", " ").capitalize()) for name in names},
        "trained": column.NumberColumn("Epochs trained", format="%,d", help="Mean over the folds."),
        "folds": column.NumberColumn("Folds", format="%d"),
        "mean": column.NumberColumn("Mean accuracy (%)", format="%.1f", help="Over the folds' test images."),
        "deviation": column.NumberColumn("Deviation (points)", format="%.1f", help="Between the folds."),
    }


def preview() -> dict[str, Any]:
    """Columns of `launch.plan.preview_table`."""
    return {
        "architecture": column.TextColumn("Architecture", pinned=True),
        "preprocessing": column.TextColumn("Preprocessing"),
        "seed": column.NumberColumn("Seed", format="%d", width="small"),
        "state": column.TextColumn("State", width=230),
        "epochs": column.TextColumn("Epochs", alignment="right", width="small", help="Where there are folds, of each."),
        "time": column.TextColumn(
            "Estimated time", alignment="right", width=115, help="For all of its epochs; it may end sooner."
        ),
        "basis": column.TextColumn(
            "Estimated from",
            help="Finished runs of the network on images of this size on this kind of device; those on this model, "
            "and with as many CPU threads, if there are any.",
        ),
        "run": column.LinkColumn("Run", display_text="Open", width="small", help="In a new tab."),
    }


def key_values() -> dict[str, Any]:
    """Columns of `tables.key_values`."""
    return {"name": column.TextColumn("Name", width="medium"), "value": column.TextColumn("Value", width="large")}


def styled_comparisons(table: pd.DataFrame) -> Styler:
    """`comparisons.shown_table` for `st.table`: numbers to the right, and room for words, so that rows stay low."""
    # st.table aligns each cell by an inline style, which only !important overrules
    right = "text-align: right !important; white-space: nowrap"
    styles = dict.fromkeys(COMPARED_NUMBERS, right)
    styles |= {
        "95 % interval": f"{right}; min-width: 7rem",
        "System": "min-width: 13rem",
        "Remark": "min-width: 16rem",
    }
    rules = [(f".col{list(table.columns).index(name)}", style) for name, style in styles.items()]
    return table.style.set_table_styles([{"selector": name, "props": style} for name, style in rules])
