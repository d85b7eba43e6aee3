"""What the five papers published, which of our runs answers each figure, and whether it is reached."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol, TypeVar

from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS

PAPERS_CSV = Path(__file__).with_name("papers.csv")
COMPARABLE = {"yes": True, "no": False}
VERDICTS = ("reached", "below", "not comparable", "not run")
# paper 3's recipes that start from ImageNet's weights: from random ones, the same recipe is another system
IMAGENET_RECIPES = ("frozen", "fine_tuned")
# paper 3 draws SFEW's halves at random; halves that share no film are harder
SFEW_HALVES = ("random_2fold", "spi_2fold")


@dataclass(frozen=True)
class Published:
    """One accuracy that a paper prints, and the choices of ours that correspond to it.

    `paper` 1..5; `value` in [0, 1]; `recipe` is empty where a run of any recipe answers the figure;
    `left_out` names the emotions that the paper did without; `architecture` and `preprocessing` are
    empty where no system of ours corresponds. `note` says what to know when comparing, and why a
    figure is not comparable.
    """

    paper: int
    system: str
    metric: str
    value: float
    architecture: str
    preprocessing: str
    dataset: str
    protocol: str
    recipe: str
    left_out: tuple[str, ...]
    comparable: bool
    note: str

    @property
    def emotions(self) -> tuple[str, ...]:
        """The classes that the paper told apart, in the order of EMOTIONS."""
        return tuple(emotion for emotion in EMOTIONS if emotion not in self.left_out)

    @property
    def needs_imagenet(self) -> bool:
        """Whether the system starts from ImageNet's weights."""
        return self.recipe in IMAGENET_RECIPES


@dataclass(frozen=True)
class PrintedClass:
    """One line of a classification report as a paper prints it; shares in [0, 1]."""

    emotion: str
    precision: float
    recall: float
    f1: float
    support: int


# Paper 4, table 5: the report on PublicTest and PrivateTest together, by the model whose accuracy there is 0.6538
PAPER_4_REPORT = (
    PrintedClass("angry", 0.14, 0.15, 0.15, 958),
    PrintedClass("disgust", 0.01, 0.01, 0.01, 111),
    PrintedClass("fear", 0.15, 0.13, 0.14, 1024),
    PrintedClass("happy", 0.26, 0.26, 0.26, 1774),
    PrintedClass("sad", 0.19, 0.17, 0.18, 1247),
    PrintedClass("surprise", 0.11, 0.12, 0.11, 831),
    PrintedClass("neutral", 0.19, 0.21, 0.20, 1233),
)


class RunSummary(Protocol):
    """What `match` needs of a run; `spec` is None where it cannot be read, `accuracy` where it is not finished."""

    @property
    def spec(self) -> RunSpec | None: ...

    @property
    def accuracy(self) -> float | None: ...


Summary = TypeVar("Summary", bound=RunSummary)


def published(path: Path = PAPERS_CSV) -> list[Published]:
    """Every figure of the papers, in the papers' order; raises FerError, naming the line, for a broken row."""
    with path.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle, strict=True)
        columns = [field.name for field in fields(Published)]
        if reader.fieldnames != columns:
            raise FerError(f"{path.name} must have the columns {', '.join(columns)}")
        figures = []
        try:
            for row in reader:
                figures.append(_figure(row))
        except (ValueError, csv.Error) as error:  # FerError is a ValueError: its sentence is kept
            raise FerError(f"{path.name} line {reader.line_num}: {error}") from None
    return figures


def match(figure: Published, runs: Sequence[Summary]) -> list[Summary]:
    """The finished ones of `runs` that answer `figure`, the most accurate first.

    See `answers` for what must agree.
    """
    found = [run for run in runs if run.accuracy is not None and run.spec is not None and answers(run.spec, figure)]
    return sorted(found, key=lambda run: run.accuracy or 0.0, reverse=True)


def answers(spec: RunSpec, figure: Published) -> bool:
    """Whether a run of `spec` is the system of `figure`, tested as the paper tested it.

    Architecture, preprocessing, dataset, protocol and the classes told apart must agree, the recipe
    where the figure names one, and the start: no paper builds on a run of ours, and a system with
    ImageNet's weights is not answered by one without.
    """
    agree = all(
        getattr(spec, name) == getattr(figure, name)
        for name in ("architecture", "preprocessing", "dataset", "protocol")
    )
    same_recipe = figure.recipe in ("", spec.recipe.name)
    same_start = not spec.builds_on_a_run and not (figure.needs_imagenet and starts_random(spec))
    return agree and set(spec.emotions) == set(figure.emotions) and same_recipe and same_start


def starts_random(spec: RunSpec) -> bool:
    """Whether the network starts from random weights."""
    return not spec.init_from and spec.architecture_arguments.get("weights", "none") == "none"


def best_figure(figures: Sequence[Published], paper: int, recipe: str = "") -> Published:
    """The highest comparable figure of a paper, of systems with that recipe if one is named."""
    found = [each for each in figures if each.paper == paper and each.comparable and recipe in ("", each.recipe)]
    return max(found, key=lambda each: each.value)


def beyond(spec: RunSpec, figures: Sequence[Published]) -> Published | None:
    """The figure beside which a transfer to SFEW in two halves stands that no paper made, or None for other specs.

    Paper 3 asks for pretraining on faces: what started from another run stands beside its best figure.
    Another network with ImageNet's weights stands beside the best one of its own recipe.
    """
    on_halves = spec.dataset.startswith("sfew") and spec.protocol in SFEW_HALVES
    if not on_halves or set(spec.emotions) != set(EMOTIONS) or any(answers(spec, figure) for figure in figures):
        return None
    if spec.init_from:
        return best_figure(figures, 3)
    from_imagenet = spec.recipe.name in IMAGENET_RECIPES and not starts_random(spec)
    return best_figure(figures, 3, spec.recipe.name) if from_imagenet else None


def verdict(figure: Published, accuracy_interval: tuple[float, float] | None) -> str:
    """One of VERDICTS: what our interval (low, high), or None without a run, says about a published figure.

    "reached" needs the interval's upper end at the figure or above it, and a comparable protocol.
    """
    if not figure.comparable:
        return "not comparable"
    if accuracy_interval is None:
        return "not run"
    return "reached" if accuracy_interval[1] >= figure.value else "below"


def _figure(row: dict[str, str | None]) -> Published:
    # csv gives missing cells as None, and cells without a column as a list under None
    if None in row or None in row.values():
        raise FerError(f"it has more or fewer cells than the {len(fields(Published))} columns")
    cells = {name: cell.strip() for name, cell in row.items() if cell is not None}
    if cells["comparable"] not in COMPARABLE:
        raise FerError(f"comparable must be {' or '.join(COMPARABLE)}, got {cells['comparable']!r}")
    left_out = tuple(cells.pop("left_out").split())
    unknown = [emotion for emotion in left_out if emotion not in EMOTIONS]
    if unknown:
        raise FerError(f"unknown emotion {unknown[0]!r} in left_out; choose from {', '.join(EMOTIONS)}")
    paper, value, comparable = cells.pop("paper"), cells.pop("value"), COMPARABLE[cells.pop("comparable")]
    if not comparable and not cells["note"]:
        raise FerError("a figure that is not comparable needs a note that says why")
    return Published(paper=_paper(paper), value=_share(value), left_out=left_out, comparable=comparable, **cells)


def _paper(text: str) -> int:
    if text not in ("1", "2", "3", "4", "5"):
        raise FerError(f"paper must be 1 to 5, got {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise FerError(f"value must be a share between 0 and 1, got {text!r}")
    return value
