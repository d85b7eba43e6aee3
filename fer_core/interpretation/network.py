"""A network under study: a model of its own that may be hooked, its steps, and what it is given."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fer_core.architectures import rebuild
from fer_core.architectures.ensemble import NAME as ENSEMBLE
from fer_core.architectures.ensemble import Ensemble, Member, read_members
from fer_core.devices import one_thread
from fer_core.errors import FerError
from fer_core.inference import Predictor
from fer_core.interpretation.trace import FACE, Step, trace_steps, traced
from fer_core.labels import EMOTIONS
from fer_core.preprocessing import Pipeline
from fer_core.runs import Run, RunStore

# in multiplications, measured: what a value that a layer gives takes beside them, and descriptors for each pixel
COST_OF_A_VALUE = 60
COST_OF_DESCRIBING = 8000
_drawing = threading.Lock()  # PyTorch's generator belongs to all threads


@dataclass(frozen=True, eq=False)
class Network:
    """A trained or untrained network that one may look into; several threads may, one after the other.

    Its model belongs to it alone: nothing in it works in place, and every look holds `lock` (see `looking`), so
    that no look ever sees what another one computes. `steps` are the layers and functions that a face passes.
    """

    predictor: Predictor
    architecture: str
    arguments: Mapping[str, Any]
    steps: tuple[Step, ...]
    trained: bool
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def from_run(cls, run: Run | Path | str, member: int | None = None) -> "Network":
        """The network of a run, or of the member of an ensemble that has this place in it.

        Raises RunError where its weights are missing or it reads no pictures, FerError where there is no such member.
        """
        run = RunStore().get(run) if isinstance(run, str) else Run(run) if isinstance(run, Path) else run
        predictor, spec = Predictor.from_run(run), run.spec
        if member is None:
            return cls._of(predictor, spec.architecture, spec.architecture_arguments, trained=True)
        chosen = _member(run, member)
        return cls._of(_of_member(predictor, chosen, member), chosen.architecture, chosen.arguments, trained=True)

    @classmethod
    def untrained(
        cls,
        architecture: str,
        *,
        channels: int = 1,
        size: int = 48,
        preprocessing: str = "raw",
        emotions: Sequence[str] = EMOTIONS,
        seed: int = 0,
        arguments: Mapping[str, Any] | None = None,
    ) -> "Network":
        """A network with the random weights that training would start from; raises FerError where it cannot be."""
        given = dict(arguments or {})
        with _drawing, torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            model = rebuild(architecture, channels=channels, size=size, classes=len(emotions), **given)
        model.eval().requires_grad_(False)
        predictor = Predictor("", model, Pipeline.parse(preprocessing), tuple(emotions), 1.0, size, channels)
        return cls._of(predictor, architecture, given, trained=False)

    @classmethod
    def _of(cls, predictor: Predictor, architecture: str, arguments: Mapping[str, Any], *, trained: bool) -> "Network":
        for module in predictor.model.modules():
            if getattr(module, "inplace", False):
                module.inplace = False  # type: ignore[assignment]  # a later layer must not change what an earlier gave
        steps = trace_steps(predictor.model, predictor.channels, predictor.input_size)
        return cls(predictor, architecture, dict(arguments), tuple(steps), trained)

    def with_random_weights(self, seed: int = 0) -> "Network":
        """The same network untrained, behind the same preprocessing: what shows of a method without any training."""
        fresh = Network.untrained(
            self.architecture,
            channels=self.channels,
            size=self.size,
            emotions=self.emotions,
            seed=seed,
            arguments=self.arguments,
        )
        return replace(fresh, predictor=replace(fresh.predictor, pipeline=self.predictor.pipeline))

    @property
    def model(self) -> nn.Module:
        """The model, in evaluation mode and without gradients of its weights; hold `lock` while using it."""
        return self.predictor.model

    @property
    def emotions(self) -> tuple[str, ...]:
        """The classes, in the order of the logits."""
        return self.predictor.emotions

    @property
    def size(self) -> int:
        """Side in pixels of the faces that it takes."""
        return self.predictor.input_size

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return self.predictor.channels

    @property
    def macs(self) -> int:
        """Multiplications with weights for one face."""
        return sum(step.macs for step in self.steps)

    @property
    def values(self) -> int:
        """Numbers that all steps together give for one face: what a look at everything keeps in memory."""
        return sum(int(np.prod(step.output_shape)) for step in self.steps)

    @property
    def is_ensemble(self) -> bool:
        """Whether it is the mean of several networks, each of which has layers of its own."""
        return isinstance(self.model, Ensemble)

    def check_single(self) -> None:
        """Raise FerError for an ensemble, which has members to look into, and no layers of its own."""
        if self.is_ensemble:
            heaviest = max(read_members(self.arguments), key=lambda member: member.weight)
            raise FerError(
                "an ensemble's members each have layers of their own; look into one of them, such as its heaviest, "
                f"run {heaviest.run}"
            )

    @cached_property
    def is_differentiable(self) -> bool:
        """Whether gradients reach the face: not through descriptors, nor through an ensemble's rounding of the face."""
        face = torch.zeros(1, self.channels, self.size, self.size, requires_grad=True)
        with self.looking() as model, torch.enable_grad():
            return bool(model(face).requires_grad)

    @property
    def cost(self) -> int:
        """What one face takes, in multiplications of a convolution: those, and the time of everything else."""
        beside = 0 if self.is_differentiable else COST_OF_DESCRIBING * self.size**2
        return self.macs + COST_OF_A_VALUE * self.values + beside

    @property
    def trunk(self) -> tuple[Step, ...]:
        """The steps that every path from the face to the classes passes: what a walk through the network shows.

        Raises FerError for an ensemble, whose members stand side by side.
        """
        self.check_single()
        last_use: dict[int, int] = {}
        for place, step in enumerate(self.steps):
            for source in step.inputs:
                last_use[source] = place  # later steps overwrite earlier ones
        found, reach = [], last_use.get(FACE, 0)
        for place, step in enumerate(self.steps):
            if reach <= place:
                found.append(step)
            reach = max(reach, last_use.get(place, place))
        return tuple(found)

    def step(self, name: str) -> Step:
        """The step called `name`; raises FerError with the choices."""
        for step in self.steps:
            if step.name == name:
                return step
        names = [step.name for step in self.steps]
        shown = ", ".join(names[:6])
        raise FerError(
            f"{self.architecture} has no layer {name!r}; choose from {shown}{' …' if len(names) > 6 else ''}"
        )

    def inputs(self, faces: np.ndarray) -> Tensor:
        """What the network gets for uint8 faces (N, H, W) or (N, H, W, 3): float32 (N, channels, size, size)."""
        return self.predictor.inputs(faces)

    @contextmanager
    def looking(self) -> Iterator[nn.Module]:
        """The model for this thread alone, until the block ends; it is computed by no other thread (`one_thread`)."""
        with self.lock, one_thread():
            yield self.model

    def outputs(self, inputs: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """What the named steps give for `inputs`, each (N, …), and the logits as the empty name; no gradients."""
        for name in names:
            self.step(name)
        with self.looking() as model, torch.no_grad(), traced(model, inputs, names) as trace:
            logits = model(inputs)
        return {**trace.outputs, "": logits}

    def probabilities(self, inputs: Tensor) -> np.ndarray:
        """How likely each emotion is, calibrated as in every prediction, float32 (N, classes)."""
        with self.looking() as model, torch.no_grad():
            return self.calibrated(model(inputs))

    def calibrated(self, logits: Tensor) -> np.ndarray:
        """Logits (N, classes) as the probabilities that the run's predictor would give, float32 (N, classes)."""
        return (logits.float() / self.predictor.temperature).softmax(dim=1).numpy()


def _member(run: Run, place: int) -> Member:
    members = read_members(run.spec.architecture_arguments) if run.spec.architecture == ENSEMBLE else []
    if not members:
        raise FerError(f"run {run.id} is no ensemble and has no members; look into the run itself")
    if not 0 <= place < len(members):
        raise FerError(f"ensemble {run.id} has no member {place}; choose from 0 to {len(members) - 1}")
    return members[place]


def _of_member(ensemble: Predictor, member: Member, place: int) -> Predictor:
    """What an ensemble's predictor asks of one of its members."""
    model = ensemble.model.get_submodule(f"members.{place}")
    return replace(ensemble, model=model, pipeline=Pipeline.parse(member.preprocessing), temperature=member.temperature)
