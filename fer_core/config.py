"""What a run is made of: frozen dataclasses, read from and written to JSON.

An unknown key is an error, so that a misspelt hyperparameter never passes silently.
"""

import dataclasses
import functools
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from fer_core import chain
from fer_core.errors import FerError
from fer_core.labels import EMOTIONS

SCHEMA_VERSION = 1
KINDS: dict[Any, str] = {**chain.KINDS, bool: "true or false", str: "text"}
Config = TypeVar("Config")

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("constant", "plateau", "steps", "one_cycle", "warmup_cosine")
PRECISIONS = ("auto", "float32", "bfloat16")
CLASS_WEIGHTS = ("none", "balanced")
COLUMN_SCALINGS = ("none", "standard")
LABEL_CLEANINGS = ("none", "confident_learning")


class ConfigError(FerError):
    """A configuration with an unknown key, a wrong type or an impossible value."""


def later(default: Any) -> Any:
    """A field that joined after runs were made: left out of JSON while it has its `default`.

    So the hash, and with it the name, of every earlier run stays what it was.
    """
    return field(default=default, metadata={"later": True})


@dataclass(frozen=True)
class Recipe:
    """Every hyperparameter of a training.

    `weight_decay` is the optimiser's own; `l2` is added to the loss as `l2 * sum(w**2)` over
    convolution and linear weights, as Keras' `kernel_regularizer` does. `augmentation` is a
    string of random steps such as `flip+rotate(10)`; the empty string means none.
    `patience` = 0 switches early stopping off; `ema_decay` = 0 switches averaging off.
    The schedule "steps" multiplies the learning rate by `plateau_factor` after each epoch in `milestones`.
    `column_scaling` and `bdr_…` concern networks of descriptors alone: whether each column is
    standardised, and bimodal distribution removal from epoch `bdr_start` (0: none) every `bdr_every`.
    `statistics_images` > 0 measures batch normalisation's mean and variance anew after each epoch, on so
    many training images without dropout: where dropout stands before it, the running ones do not fit prediction.
    `teacher` is the name of a run whose reading of each training image is learnt, too, with `teacher_weight` of
    the loss and softened by `teacher_temperature` (knowledge distillation); the empty string means none.
    `label_cleaning` = "confident_learning" leaves out the training images whose label the teacher doubts.
    `mixup` and `cutmix` are the a of Beta(a, a), from which the share of each image that is mixed with another is
    drawn; 0 switches them off, and with both a coin decides for each image. `sam_radius` > 0 takes each gradient so
    far up the loss from the weights (sharpness-aware minimisation), which doubles the time of an update.
    In the last `closing_epochs` images are mirrored at most, neither augmented otherwise nor mixed: a network ends on
    faces such as it will be asked about (Touvron et al. 2019, arXiv 1906.06423).
    """

    name: str
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    weight_decay: float = 0.0
    momentum: float = 0.9
    l2: float = 0.0
    schedule: str = "constant"
    warmup_epochs: float = 0.0
    plateau_patience: int = 12
    plateau_factor: float = 0.1
    patience: int = 0
    label_smoothing: float = 0.0
    ema_decay: float = 0.0
    augmentation: str = ""
    precision: str = "auto"
    class_weights: str = "none"
    gradient_clip: float = 0.0
    milestones: tuple[int, ...] = later(())
    column_scaling: str = later("none")
    bdr_start: int = later(0)
    bdr_every: int = later(10)
    bdr_alpha: float = later(1.0)
    bdr_stop_variance: float = later(0.01)
    statistics_images: int = later(0)
    teacher: str = later("")
    teacher_weight: float = later(0.5)
    teacher_temperature: float = later(2.0)
    label_cleaning: str = later("none")
    mixup: float = later(0.0)
    cutmix: float = later(0.0)
    sam_radius: float = later(0.0)
    closing_epochs: int = later(0)

    def __post_init__(self) -> None:
        require_choice("optimizer", self.optimizer, OPTIMIZERS)
        require_choice("schedule", self.schedule, SCHEDULES)
        require_choice("precision", self.precision, PRECISIONS)
        require_choice("class_weights", self.class_weights, CLASS_WEIGHTS)
        require_choice("column_scaling", self.column_scaling, COLUMN_SCALINGS)
        require_choice("label_cleaning", self.label_cleaning, LABEL_CLEANINGS)
        require_range("epochs", self.epochs, 1, 100_000)
        require_range("batch_size", self.batch_size, 2, 65_536)  # batch normalisation has no variance over one image
        require_range("learning_rate", self.learning_rate, 1e-9, 100)
        require_range("momentum", self.momentum, 0, 0.9999)
        require_range("label_smoothing", self.label_smoothing, 0, 0.99)
        require_range("ema_decay", self.ema_decay, 0, 0.99999)
        require_range("plateau_factor", self.plateau_factor, 1e-6, 1)
        for name in ("weight_decay", "l2", "warmup_epochs", "patience", "plateau_patience", "gradient_clip"):
            require_range(name, getattr(self, name), 0, 1e6)
        require_range("bdr_start", self.bdr_start, 0, 100_000)
        require_range("bdr_every", self.bdr_every, 1, 100_000)
        require_range("bdr_alpha", self.bdr_alpha, 0, 1)
        require_range("bdr_stop_variance", self.bdr_stop_variance, 0, 1e6)
        require_range("statistics_images", self.statistics_images, 0, 1_000_000)
        if self.statistics_images == 1:
            raise ConfigError("statistics_images must be 0 or at least 2: one image has no variance")
        require_range("closing_epochs", self.closing_epochs, 0, self.epochs)
        require_range("teacher_weight", self.teacher_weight, 0, 1)
        require_range("teacher_temperature", self.teacher_temperature, 0.1, 100)
        for name in ("mixup", "cutmix", "sam_radius"):
            require_range(name, getattr(self, name), 0, 100)
        if self.label_cleaning != "none" and not self.teacher:
            raise ConfigError(
                f"label_cleaning {self.label_cleaning!r} needs a teacher, the run whose doubts count; name one, or "
                "choose 'none'"
            )
        if list(self.milestones) != sorted(set(self.milestones)) or any(epoch < 1 for epoch in self.milestones):
            raise ConfigError(f"milestones must be rising epochs from 1 on, got {list(self.milestones)}")
        if self.schedule == "steps" and not self.milestones:
            raise ConfigError("the schedule 'steps' needs milestones, the epochs after which the learning rate falls")


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides a run's result; its hash is part of the run's name."""

    architecture: str
    preprocessing: str
    dataset: str
    protocol: str
    recipe: Recipe
    seed: int = 0
    emotions: tuple[str, ...] = EMOTIONS
    architecture_arguments: dict[str, Any] = field(default_factory=dict)
    init_from: str = ""
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        require_range("seed", self.seed, 0, 2**31 - 1)
        for emotion in self.emotions:
            require_choice("emotion", emotion, EMOTIONS)
        if len(self.emotions) < 2 or len(set(self.emotions)) != len(self.emotions):
            given = ", ".join(self.emotions) or "none"
            raise ConfigError(f"emotions must be at least two different ones of {', '.join(EMOTIONS)}, got {given}")

    @property
    def builds_on_a_run(self) -> bool:
        """Whether its result owes something to another run: its first weights, or a teacher."""
        return bool(self.init_from or self.recipe.teacher)

    @property
    def run_id(self) -> str:
        """`<architecture>__<preprocessing>__<dataset>-<protocol>__s<seed>__<hash8>`."""
        names = (self.architecture, self.preprocessing, f"{self.dataset}-{self.protocol}", f"s{self.seed}")
        return "__".join(folder_safe(name) for name in (*names, spec_hash(self)))


def spec_hash(spec: RunSpec) -> str:
    """First eight hex digits of the SHA-256 over the whole spec, keys sorted."""
    return hashlib.sha256(json.dumps(to_json(spec), sort_keys=True).encode()).hexdigest()[:8]


def folder_safe(name: str) -> str:
    """`name` with everything replaced that a file system or a shell would mind."""
    return "".join(char if char.isalnum() or char in "+-_.=" else "-" for char in name)


def to_json(config: Any) -> dict[str, Any]:
    """A config dataclass as plain JSON types, without the `later` fields that have their default."""
    kept = {}
    for each in dataclasses.fields(config):
        value = getattr(config, each.name)
        if not (each.metadata.get("later") and value == each.default):
            kept[each.name] = to_json(value) if dataclasses.is_dataclass(value) else value
    return typing.cast(dict[str, Any], json.loads(json.dumps(kept)))


def from_json(kind: type[Config], data: Mapping[str, Any]) -> Config:
    """Build a `kind` from JSON; unknown or missing keys and wrong types raise ConfigError."""
    if not isinstance(data, Mapping):
        raise ConfigError(f"{kind.__name__} must be a JSON object, got {type(data).__name__}")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise ConfigError(f"unknown {kind.__name__} key {unknown[0]!r}; choose from {', '.join(sorted(fields))}")
    required = [
        n for n, f in fields.items() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in required if name not in data]
    if missing:
        raise ConfigError(f"{kind.__name__} lacks {', '.join(missing)}")
    hints = _hints(typing.cast(typing.Hashable, kind))
    return kind(**{name: _coerce(f"{kind.__name__}.{name}", hints[name], value) for name, value in data.items()})


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _coerce(name: str, hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return from_json(typing.cast(type, hint), value)
    if origin is tuple and isinstance(value, list | tuple):
        item = typing.get_args(hint)[0]
        return tuple(_coerce(name, item, each) for each in value)
    if origin is dict and isinstance(value, Mapping):
        return dict(value)
    if origin in (types.UnionType, typing.Union):
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise ConfigError(f"{name} must be {kind_in_words(hint)}, got {value!r}")


def kind_in_words(hint: Any) -> str:
    """A type as people say it: `a whole number`."""
    return KINDS.get(hint, str(getattr(hint, "__name__", hint)))


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError unless `value` is one of `choices`."""
    if value not in choices:
        raise ConfigError(f"unknown {name} {value!r}; choose from {', '.join(choices)}")


def require_range(name: str, value: float, low: float, high: float) -> None:
    """Raise ConfigError unless `low <= value <= high` (NaN never is)."""
    if not low <= value <= high:
        raise ConfigError(f"{name} must be between {_in_full(low)} and {_in_full(high)}, got {_in_full(value)}")


def _in_full(number: float) -> str:
    """`2,147,483,647`, `0.000000001`, `1,000`: without an exponent, and whole numbers without decimals."""
    if number and not 1e-12 < abs(number) < 1e15:  # NaN, too
        return f"{number:g}"
    return f"{int(number):,}" if number == int(number) else f"{Decimal(str(float(number))):,f}"
