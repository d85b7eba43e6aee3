"""JSON as short as it can be read."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

NUMBERS = re.compile(r"\[\n\s+([^\[\]{}\"]*?)\n\s*\]")  # a list of numbers alone, an item a line
DIGITS = 6  # significant ones; a curve's pixel needs four


def brief(data: Any) -> Any:
    """`data`, JSON's dicts, lists and values, with every float rounded to DIGITS significant digits.

    For curves and histograms, which are drawn and never calculated with: a float of full precision takes some 18
    characters, and a training of thousands of epochs has ten thousands of them. NaN and infinities stay what they are.
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


def pretty(data: Mapping[str, Any]) -> str:
    """JSON with an item a line, but for lists of numbers: each row of a confusion matrix is one line."""
    text = json.dumps(data, indent=1, allow_nan=False) + "\n"
    return NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
