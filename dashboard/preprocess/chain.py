"""A pipeline that is built step by step: what its sliders offer, and what its buttons make of it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from fer_core.chain import Argument, Number

if TYPE_CHECKING:
    # importing this would import torch
    from fer_core.preprocessing import Pipeline

MOST_STEPS = 12
EVEN_RUNGS = 20  # of a slider from one end to the other
WIDE = 50  # a range that spans more than this factor is climbed in growing steps
SMALLEST = 0.01  # where such a range begins at zero
FEW = 64


def rungs(argument: Argument, value: Number) -> list[Number]:
    """What a slider of `argument` offers, rising: its choices, each whole number of a short range, or rungs.

    Decimals rise evenly, or as 1, 2, 5, 10, … where the range is wide. The default and the current `value`
    are always among them, so that a pipeline is shown as it is written.
    """
    if argument.choices:
        return sorted(argument.choices)
    if argument.kind is int and argument.high - argument.low < FEW:
        return list(range(int(argument.low), int(argument.high) + 1))
    low, high = float(argument.low), float(argument.high)
    wide = high - low >= WIDE or (low > 0 and high / low > WIDE)
    inner = _growing(max(low, SMALLEST) if low <= 0 else low, high) if wide else _even(low, high)
    return sorted({argument.kind(each) for each in (low, *inner, high, argument.default, value)})


def _growing(low: float, high: float) -> list[float]:
    """1, 2 and 5 times each power of ten between two numbers above zero."""
    powers = range(-15, 16)
    numbers = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    return [number for number in numbers if low <= number <= high]


def _even(low: float, high: float) -> list[float]:
    return [float(f"{low + (high - low) * step / EVEN_RUNGS:.4g}") for step in range(1, EVEN_RUNGS)]


def with_argument(pipeline: "Pipeline", position: int, name: str, value: Number) -> "Pipeline":
    """The pipeline with one argument of one step set."""
    steps = list(pipeline.steps)
    steps[position] = replace(steps[position], **{name: value})
    return replace(pipeline, steps=tuple(steps))


def with_step(pipeline: "Pipeline", name: str) -> "Pipeline":
    """The pipeline with a step added at its end."""
    from fer_core.preprocessing import STEPS

    return replace(pipeline, steps=(*pipeline.steps, STEPS.get(name)()))


def without_step(pipeline: "Pipeline", position: int) -> "Pipeline":
    """The pipeline without one of its steps."""
    return replace(pipeline, steps=pipeline.steps[:position] + pipeline.steps[position + 1 :])


def swapped(pipeline: "Pipeline", position: int) -> "Pipeline":
    """The pipeline with the step at `position` and the next one in each other's place."""
    steps = list(pipeline.steps)
    steps[position], steps[position + 1] = steps[position + 1], steps[position]
    return replace(pipeline, steps=tuple(steps))
