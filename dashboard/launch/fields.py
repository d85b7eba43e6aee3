"""What can be filled in of a launch: every hyperparameter, the network's arguments, the run to start from."""

import re
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fer_core.cli.choices import WITHOUT_AUGMENTATION
from fer_core.config import CLASS_WEIGHTS, COLUMN_SCALINGS, LABEL_CLEANINGS, OPTIMIZERS, PRECISIONS, SCHEDULES, Recipe

KINDS = typing.get_type_hints(Recipe)


@dataclass(frozen=True)
class Field:
    """A field that may stay empty: its key, label and help, its choices if they are few, and the step of its buttons.

    `kind` is int, float or anything else, which is text. `is_run`: what is chosen is a run, by its name.
    """

    name: str
    label: str
    help: str
    choices: tuple[str, ...] = ()
    step: float = 1
    kind: type | None = None
    is_run: bool = False

    @property
    def known_as(self) -> str:
        """What the library calls it."""
        return self.name.removeprefix(ARGUMENT)

    @property
    def words(self) -> str:
        """The label inside a sentence: `learning rate`, `EMA decay`."""
        rest = self.label.partition(" ")[0][1:]
        is_name = rest.isdigit() or rest != rest.lower()
        return self.label if is_name else self.label[:1].lower() + self.label[1:]

    @property
    def is_text(self) -> bool:
        """Whether it is typed: its empty value is a text."""
        return self._kind not in (int, float) and not self.choices and not self.is_run

    @property
    def is_whole(self) -> bool:
        """Whether it takes whole numbers."""
        return self._kind is int

    @property
    def empty(self) -> str | None:
        """What it holds where nothing is filled in."""
        return "" if self.is_text else None

    @property
    def _kind(self) -> Any:
        return self.kind or KINDS.get(self.name)


GROUPS: dict[str, tuple[Field, ...]] = {
    "Length": (
        Field("epochs", "Epochs", "Passes over the training images."),
        Field("batch_size", "Batch size", "Images of one update of the weights."),
        Field("patience", "Patience", "Epochs without a lower validation loss after which it ends early; 0: never."),
    ),
    "Optimiser": (
        Field("optimizer", "Optimiser", "What turns gradients into updates.", OPTIMIZERS),
        Field("learning_rate", "Learning rate", "The highest one of its schedule.", step=1e-4),
        Field("weight_decay", "Weight decay", "The optimiser's own; biases and normalisation are spared.", step=0.01),
        Field("momentum", "Momentum", "Of SGD; the other optimisers have their own.", step=0.01),
        Field("gradient_clip", "Gradient clip", "Largest norm of the gradient; 0: as it is.", step=0.5),
    ),
    "Schedule": (
        Field("schedule", "Schedule", "How the learning rate goes over the epochs.", SCHEDULES),
        Field("warmup_epochs", "Warm-up epochs", "Of warmup_cosine: epochs on the way up.", step=0.5),
        Field("plateau_patience", "Plateau patience", "Of plateau: epochs without a lower validation loss."),
        Field("plateau_factor", "Plateau factor", "Of plateau and steps: the learning rate times this.", step=0.05),
        Field("milestones", "Milestones", "Of steps: the epochs after which it falls, joined by commas."),
    ),
    "Regularisation": (
        Field("l2", "L2", "Added to the loss: this times the sum of all squared kernel weights.", step=0.001),
        Field(
            "statistics_images", "Statistics images", "Measure batch normalisation anew on so many after each epoch."
        ),
        Field("label_smoothing", "Label smoothing", "Share of the label spread over all emotions.", step=0.05),
        Field("ema_decay", "EMA decay", "Of the running average of the weights; 0: no average.", step=0.001),
        Field("class_weights", "Class weights", "balanced: rare emotions weigh more.", CLASS_WEIGHTS),
        Field(
            "mixup", "Mixup", "Blend each image with another, by a share from Beta(a, a) of this a; 0: never.", step=0.1
        ),
        Field("cutmix", "CutMix", "Paste a part of another image, by a share from Beta(a, a); 0: never.", step=0.1),
        Field(
            "sam_radius",
            "SAM radius",
            "Take gradients so far up the loss, for twice the time; 0: where it is.",
            step=0.05,
        ),
    ),
    "Teacher": (
        Field("teacher", "Teacher", "A run whose reading of each training image is learnt, too.", is_run=True),
        Field("teacher_weight", "Teacher's weight", "Its share of the loss; the labels have the rest.", step=0.1),
        Field("teacher_temperature", "Teacher's temperature", "Above 1: its small probabilities count more.", step=0.5),
        Field(
            "label_cleaning",
            "Label cleaning",
            "confident_learning: leave out training images whose label the teacher doubts.",
            LABEL_CLEANINGS,
        ),
    ),
    "Augmentation and precision": (
        Field(
            "augmentation",
            "Augmentation",
            f"Random steps of the training images, such as flip+rotate(10); {WITHOUT_AUGMENTATION}: as they are.",
        ),
        Field("closing_epochs", "Closing epochs", "So many at the end see faces that are mirrored at most; 0: none."),
        Field("precision", "Precision", "auto: bfloat16 where that is faster on the device.", PRECISIONS),
    ),
    "Descriptors only": (
        Field("column_scaling", "Column scaling", "standard: each descriptor to mean 0, deviation 1.", COLUMN_SCALINGS),
        Field("bdr_start", "BDR start", "Epoch from which samples of a second error mode are removed; 0: never."),
        Field("bdr_every", "BDR every", "Epochs between two removals."),
        Field("bdr_alpha", "BDR alpha", "Deviations above the candidates' mean at which a sample leaves.", step=0.1),
        Field("bdr_stop_variance", "BDR stop variance", "Variance of the errors at which training ends.", step=0.01),
    ),
}


FIELDS = {field.name: field for group in GROUPS.values() for field in group}
START = Field(
    "init_from",
    "Start from",
    "A run whose weights it begins with. That may be a narrower network, as which the wider one answers at first.",
    is_run=True,
)
ARGUMENT = "argument_"  # before an architecture's argument in the keys of fields and in links


def argument(name: str, values: Sequence[Any]) -> Field:
    """The field of an architecture's argument, whose values without it are `values`."""
    label = name.replace("_", " ").capitalize()
    words = "Of the network itself, not of its training."
    return Field(f"{ARGUMENT}{name}", label, words, step=0.1, kind=type(values[0]))


def named_in(refusal: str, fields: Iterable[Field]) -> list[Field]:
    """Those of `fields` that a sentence of the library speaks of, in its order."""
    by_name = {field.known_as: field for field in fields}
    return [by_name[name] for name in _names(by_name).findall(refusal)]


def in_labels(refusal: str, fields: Iterable[Field]) -> str:
    """A sentence of the library in the form's words: `learning rate must be …, got −1`."""
    by_name = {field.known_as: field for field in fields}
    text = _names(by_name).sub(lambda found: by_name[found[0]].words, refusal)
    return re.sub(r"got -(?=\d)", "got −", text)


def _names(names: Iterable[str]) -> re.Pattern[str]:
    """Any of `names` as a word outside of quotes, in which stands what somebody typed."""
    return re.compile(rf"(?<![\w'])(?:{'|'.join(map(re.escape, names))})(?![\w'])")
