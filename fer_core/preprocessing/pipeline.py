"""A chain of steps: the one implementation of preprocessing for training, prediction and previews."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

import torch
from torch import Tensor

from fer_core.chain import Argument, ChainError, parse_chain
from fer_core.errors import FerError
from fer_core.preprocessing.base import STEPS, Context, Step
from fer_core.preprocessing.scaling import scale_to_symmetric

RAW = "raw"
_SEED_STRIDE = 0x9E3779B1  # odd and far from small: neighbouring seeds meet no other place's seed


@dataclass(frozen=True)
class Pipeline:
    """Steps in their order; `str` gives the canonical text, `raw` where there are none.

    >>> str(Pipeline.parse("gcn(lam=10, s=2) + hist_eq"))
    'gcn(s=2)+hist_eq'
    """

    steps: tuple[Step, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Pipeline":
        """Read a pipeline such as `face_crop+gcn(lam=5)+hist_eq`, or `raw`; FerError says what is possible."""
        if text.strip() == RAW:
            return cls()
        names = [part.partition("(")[0].strip() for part in text.split("+")]
        if not text.strip():
            raise ChainError(f"the pipeline is empty; write {RAW} for none, or steps from {', '.join(STEPS.names())}")
        if RAW in names:
            raise ChainError(f"{RAW} means no step and stands alone, got {text!r}; leave {RAW} out of a chain")
        return cls(parse_chain(text, STEPS))

    def __str__(self) -> str:
        return "+".join(map(str, self.steps)) or RAW

    def apply(
        self, images: Tensor, *, training: bool = False, seed: int = 0, notes: dict[str, int] | None = None
    ) -> Tensor:
        """Preprocess uint8 (N, C, H, W), C of 1 or 3 (RGB); returns uint8 of the same shape and device.

        Steps that are for training only are skipped unless `training`; they draw from `seed`. What the
        steps count (faces found and not found) is added to `notes`. Raises FerError for other images.
        """
        for _, preprocessed in self._run(images, training, seed, {} if notes is None else notes):
            images = preprocessed
        return images

    def __call__(self, images: Tensor) -> Tensor:
        """Preprocess for a prediction: uint8 (N, C, H, W) to float32 in [-1, 1] of the same shape."""
        return scale_to_symmetric(self.apply(images))

    def trace(self, images: Tensor, *, training: bool = False, seed: int = 0, repeat_s: float = 0.0) -> "list[Stage]":
        """What each step does, for a preview: the images as given, then after each step that acts.

        All is repeated for `repeat_s` seconds after the first time, which also sets libraries up: a step's time is
        its shortest, so that what else the machine does counts less.
        """
        stages = self._stages(images, training, seed)
        end = perf_counter() + repeat_s
        while perf_counter() < end:
            again = self._stages(images, training, seed)
            stages = [min(pair, key=lambda stage: stage.seconds) for pair in zip(stages, again, strict=True)]
        return stages

    def _stages(self, images: Tensor, training: bool, seed: int) -> "list[Stage]":
        stages, start = [Stage(None, images)], perf_counter()
        notes: dict[str, int] = {}
        for step, after in self._run(images, training, seed, notes):
            seconds = perf_counter() - start
            stages.append(Stage(step, after, seconds, dict(notes)))
            notes.clear()
            start = perf_counter()
        return stages

    def _run(self, images: Tensor, training: bool, seed: int, notes: dict[str, int]) -> Iterator[tuple[Step, Tensor]]:
        _check(images)
        for position, step in enumerate(self.steps):
            if step.training_only and not training:
                continue
            # A seed of its own for each place in the chain, so that the same step twice draws two noises;
            # torch's CPU generator takes no more than 32 bits of it.
            place_seed = (seed + position * _SEED_STRIDE) % 2**32
            images = step.apply(images, Context(seed=place_seed, notes=notes))
            yield step, images


def _check(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape[1:]:
        raise FerError(
            "a pipeline takes uint8 images of shape (N, 1, H, W) or (N, 3, H, W), "
            f"got {str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
        )


@dataclass(frozen=True, eq=False)
class Stage:
    """Images uint8 (N, C, H, W) after a step, how long it took for all of them, and what it counted.

    The first stage of a trace is the images as they were given, and has no step.
    """

    step: Step | None
    images: Tensor
    seconds: float = 0.0
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class StepDescription:
    """What a listing or a selector shows of a step."""

    name: str
    summary: str
    training_only: bool
    arguments: tuple[Argument, ...]


def describe_steps() -> list[StepDescription]:
    """Every word that a pipeline string may hold: `raw` first, then the steps by name."""
    raw = StepDescription(RAW, "No step: grey levels as they are, scaled to [-1, 1] like every pipeline.", False, ())
    kinds = [STEPS.get(name) for name in STEPS.names()]
    return [raw, *(StepDescription(k.name, k.summary(), k.training_only, k.arguments()) for k in kinds)]
