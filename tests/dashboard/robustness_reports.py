"""robustness.json and tta.json as `evaluate` writes them, of two corruptions."""

from typing import Any


def score(accuracy: float, n: int = 200) -> dict[str, Any]:
    """An accuracy with an interval of five points on each side."""
    return {
        "accuracy": accuracy, "accuracy_interval": [accuracy - 0.05, accuracy + 0.05],
        "correct": round(accuracy * n), "n": n,
    }  # fmt: skip


def report(images: int = 200, of: int = 400, clean: float = 0.6, noise: float = 0.02) -> dict[str, Any]:
    """robustness.json: noise loses 2 points a severity unless told otherwise, blur 5."""
    corruptions = {
        name: {
            "unit": "of white",
            "severities": [{"severity": s, "level": s / 10, **score(clean - loss * s)} for s in range(1, 6)],
        }
        for name, loss in (("noise", noise), ("blur", 0.05))
    }
    mean = clean - 3 * (noise + 0.05) / 2
    return {
        "images": images, "of": of, "clean": score(clean), "mean_corruption_accuracy": mean, "corruptions": corruptions,
    }  # fmt: skip


def views() -> dict[str, Any]:
    """tta.json: ten crops gain 2.5 points."""
    return {"images": 200, "of": 400, "clean": score(0.6), "kinds": {"ten_crop": {"views": 10, **score(0.625)}}}
