"""How tables show their columns: numbers to the right, with fixed decimals, units in the header."""

from typing import Any

from streamlit import column_config as column

BOX = ("x", "y", "width", "height")


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
        "epochs": column.NumberColumn("Epochs", format="%d"),
        "minutes": column.NumberColumn("Time (min)", format="%.1f", help="Wall time of the training."),
        "device": column.TextColumn("Device"),
        "recipe": column.TextColumn("Recipe"),
        "seed": column.NumberColumn("Seed", format="%d"),
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


def per_class() -> dict[str, Any]:
    """Columns of `tables.per_class`."""
    return {
        "emotion": column.TextColumn("Emotion", pinned=True),
        "precision": column.NumberColumn("Precision (%)", format="%.1f", help="Of the faces called so, how many are."),
        "recall": column.NumberColumn("Recall (%)", format="%.1f", help="Of the faces that are so, how many it finds."),
        "f1": column.NumberColumn("F1 (%)", format="%.1f", help="Harmonic mean of precision and recall."),
        "specificity": column.NumberColumn(
            "Specificity (%)", format="%.1f", help="Of the faces that are not so, how many are not called so."
        ),
        "support": column.NumberColumn("Support", format="%,d", help="Test images of this emotion."),
    }


def key_values() -> dict[str, Any]:
    """Columns of `tables.key_values`."""
    return {"name": column.TextColumn("Name", width="medium"), "value": column.TextColumn("Value", width="large")}


def predictions(emotions: list[str]) -> dict[str, Any]:
    """Columns of `tables.predictions`."""
    numbers = {each: column.NumberColumn(f"{each.capitalize()} (%)", format="%.1f") for each in emotions}
    return {
        "photo": column.TextColumn("Photo", pinned=True),
        "face": column.NumberColumn("Face", format="%d"),
        "emotion": column.TextColumn("Emotion"),
        "confidence": column.NumberColumn("Confidence (%)", format="%.1f"),
        **numbers,
        **{
            name: column.NumberColumn(f"{name.capitalize()} (px)", format="%d")
            for name in ("x", "y", "width", "height")
        },
    }
