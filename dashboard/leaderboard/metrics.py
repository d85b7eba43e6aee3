"""What runs can be ranked by: where the figure stands, how it is written, and which end is better."""

from dataclasses import dataclass
from typing import Literal

from dashboard.formats import NONE, count
from dashboard.summaries import RunSummary

Kind = Literal["share", "number", "count"]
PERCENT = 100.0


@dataclass(frozen=True)
class Metric:
    """One figure of a run.

    `source` is a name in the test split (`macro_f1`, `calibrated.ece`), after `environment:` a fact of the training,
    `training:s`, `total:s`, `latency:ms` or `robustness:mean`. `scale` turns it into what is shown, in `unit`, with so
    many `decimals`.
    """

    key: str
    title: str
    source: str
    help: str
    unit: str = "%"
    scale: float = PERCENT
    decimals: int = 1
    is_more_better: bool = True
    is_effort: bool = False

    @property
    def header(self) -> str:
        """The title with its unit: `Accuracy (%)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def name(self) -> str:
        """The title inside a sentence: `clean accuracy`, `macro-F1`, `ECE`."""
        return self.title if self.title[:2].isupper() else self.title[:1].lower() + self.title[1:]

    @property
    def difference_unit(self) -> str:
        """What differences are counted in."""
        return "points" if self.unit == "%" else self.unit

    def value(self, run: RunSummary) -> float | None:
        """The figure of a run as it is shown; None where it has none."""
        where, _, name = self.source.rpartition(":")
        sources = {
            "": run.figure,
            "environment": run.fact,
            "training": lambda _: run.training_s,
            "total": lambda _: run.total_s,
            "latency": lambda _: run.latency_ms,
            "robustness": lambda _: run.corruption_accuracy,
        }
        found = sources[where](name)
        return None if found is None else found * self.scale

    def text(self, value: float | None) -> str:
        """A value as cells and tooltips write it, without its unit."""
        if value is None or value != value:
            return NONE
        return count(round(value)) if not self.decimals else f"{value:,.{self.decimals}f}"

    def short(self, value: float | None) -> str:
        """A value that fits into a small cell: 11,173,000 as `11.2 M`."""
        if value is None or value != value or self.decimals or abs(value) < 10_000:
            return self.text(value)
        for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                return f"{value / size:.3g}\N{NO-BREAK SPACE}{letter}"
        return self.text(value)

    @property
    def format(self) -> str:
        """How a table's number column writes it."""
        return f"%,.{self.decimals}f" if self.decimals else "%,d"


_ALL = (
    Metric("accuracy", "Accuracy", "accuracy", "Share of the test images recognised."),
    Metric(
        "clean", "Clean accuracy", "clean_accuracy", "On the test images that have no exact copy in training."
    ),
    Metric("macro_f1", "Macro-F1", "macro_f1", "Mean F1 over the emotions, each counting alike."),
    Metric("balanced", "Balanced accuracy", "balanced_accuracy", "Mean recall over the emotions."),
    Metric(
        "ece", "ECE", "ece", "Expected calibration error of the probabilities as they are, before temperature scaling.",
        is_more_better=False,
    ),
    Metric(
        "ece_calibrated", "ECE, calibrated", "calibrated.ece",
        "Expected calibration error after temperature scaling on the validation part.",
        is_more_better=False,
    ),
    Metric(
        "log_loss", "Log loss", "log_loss", "Mean negative logarithm of the true class's probability.",
        unit="", scale=1, decimals=3, is_more_better=False,
    ),
    Metric(
        "corrupted", "Accuracy under corruption", "robustness:mean",
        "Mean over seven corruptions in five severities each, where `evaluate RUN --corruptions` has measured all test "
        "images; a trial on some of them, or on one of several folds, does not count.",
    ),
    Metric(
        "parameters", "Parameters", "environment:parameters", "Weights of the network.",
        unit="", scale=1, decimals=0, is_more_better=False, is_effort=True,
    ),
    Metric(
        "minutes", "Training time", "training:s", "Wall time, on the machine that trained it; an ensemble has none.",
        unit="min", scale=1 / 60, is_more_better=False, is_effort=True,
    ),
    Metric(
        "total", "Time in all", "total:s",
        "Wall time of its training and of every other that it was made from: where it starts, teachers, members.",
        unit="min", scale=1 / 60, is_more_better=False, is_effort=True,
    ),
    Metric(
        "latency", "Latency", "latency:ms", "One face on one CPU thread, with its preprocessing; see `runs latency`.",
        unit="ms", scale=1, decimals=2, is_more_better=False, is_effort=True,
    ),
)  # fmt: skip
FORMER_TITLES = {"Calibration error": "ECE", "Calibrated error": "ECE, calibrated"}  # in older links
METRICS = {metric.key: metric for metric in _ALL}
QUALITIES = [metric.key for metric in METRICS.values() if not metric.is_effort]
EFFORTS = [metric.key for metric in METRICS.values() if metric.is_effort]


def measured(runs: list[RunSummary], keys: list[str]) -> list[str]:
    """Those metrics that at least one of the runs has."""
    return [key for key in keys if any(METRICS[key].value(run) is not None for run in runs)]
