"""Numbers as short as they can be read: curves and histograms are drawn, never calculated with."""

import json
import math
from collections.abc import Mapping
from typing import Any

DIGITS = 6  # significant ones; a curve's pixel needs four


def brief(data: Any) -> Any:
    """`data`, JSON's dicts, lists and values, with every float rounded to DIGITS significant digits.

    A float of full precision takes some 18 characters, and a training of thousands of epochs has ten thousands of
    them. NaN and infinities stay what they are.
    """
    if isinstance(data, dict):
        return {key: brief(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [brief(value) for value in data]
    if isinstance(data, float) and math.isfinite(data):
        return float(f"{data:.{DIGITS}g}")
    return data


def metrics_line(epoch: Mapping[str, Any]) -> str:
    """An epoch's line of metrics.jsonl."""
    return json.dumps(brief(dict(epoch))) + "\n"
