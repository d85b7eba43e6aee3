"""A trained run, ready to predict: the only loader of weights."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from fer_core.architectures import rebuild
from fer_core.devices import one_thread, resolve_device
from fer_core.evaluation.calibration import apply_temperature
from fer_core.inference.boxes import resize_face, to_channels
from fer_core.inference.reader import FaceReader, batches, check_faces
from fer_core.preprocessing import Pipeline
from fer_core.runs import Run, RunError, RunStore

DEFAULT_SIZE = 48
DEFAULT_CHANNELS = 1
FEW = 16  # faces of one photo: threads that wait for each other cost more than they save


@dataclass(frozen=True, eq=False)
class Predictor(FaceReader):
    """A run's network, pipeline and temperature; one instance may serve several threads.

    Hooks on `model` would be seen by every thread: hook a copy.
    """

    run_id: str
    model: nn.Module
    pipeline: Pipeline
    emotions: tuple[str, ...]
    temperature: float = 1.0
    input_size: int = DEFAULT_SIZE
    channels: int = DEFAULT_CHANNELS
    device: torch.device = torch.device("cpu")

    @classmethod
    def from_run(cls, run: Run | Path | str, device: str | torch.device = "cpu") -> "Predictor":
        """The predictor of a run, given as itself, as its folder or by its name (see `RunStore.get`).

        Raises RunError where its weights are missing or do not fit its architecture.
        """
        run = RunStore().get(run) if isinstance(run, str) else Run(run) if isinstance(run, Path) else run
        chosen = resolve_device(device)
        spec = run.spec
        size, channels = _input_shape(run)
        try:
            pipeline = Pipeline.parse(spec.preprocessing)
            model = rebuild(
                spec.architecture,
                channels=channels,
                size=size,
                classes=len(spec.emotions),
                **spec.architecture_arguments,
            )
        except (ValueError, TypeError, RuntimeError) as error:
            raise RunError(f"run {run.id} cannot be rebuilt: {error}") from error
        _load_weights(run, model)
        model.to(chosen).eval().requires_grad_(False)
        return cls(run.id, model, pipeline, spec.emotions, _temperature(run), size, channels, chosen)

    def inputs(self, faces: np.ndarray) -> Tensor:
        """What the network gets for `faces`: float32 in [-1, 1], (N, channels, input_size, input_size).

        `faces`: uint8 (N, H, W) or RGB (N, H, W, 3) of any size; they are resized and made gray or
        coloured as the network needs them. Raises FerError for other arrays.
        """
        check_faces(faces)
        fitted = [resize_face(to_channels(face, self.channels), self.input_size) for face in faces]
        size = (len(faces), self.input_size, self.input_size, self.channels)
        stacked = np.stack(fitted).reshape(size) if fitted else np.empty(size, np.uint8)
        images = torch.from_numpy(np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)))
        return self.pipeline(images.to(self.device))

    @torch.inference_mode()
    def predict_faces(self, faces: np.ndarray, batch_size: int | None = None) -> np.ndarray:
        """Calibrated probabilities float32 (N, classes) of cropped faces; see `inputs` for what faces may be.

        `batch_size` faces go through the network at once, BATCH unless given.
        """
        check_faces(faces)
        with one_thread() if len(faces) <= FEW else nullcontext():
            parts = [self.model(self.inputs(batch)).float().cpu() for batch in batches(faces, batch_size)]
        if not parts:
            return np.empty((0, len(self.emotions)), np.float32)
        logits = torch.cat(parts)
        return apply_temperature(logits.softmax(dim=1).numpy(), self.temperature).astype(np.float32)


def _input_shape(run: Run) -> tuple[int, int]:
    """(side in pixels, channels) of the faces that the run was trained on."""
    environment = run.environment() if (run.path / "environment.json").exists() else {}
    if environment.get("inputs") == "descriptors":
        raise RunError(f"run {run.id} was trained on a table of descriptors, and cannot read pictures")
    size, channels = environment.get("image_size", DEFAULT_SIZE), environment.get("channels", DEFAULT_CHANNELS)
    if type(size) is not int or size < 1 or channels not in (1, 3):
        raise RunError(
            f"{run.id}/environment.json must hold an image_size of at least 1 and 1 or 3 channels, "
            f"got {size!r} and {channels!r}"
        )
    return size, channels


def _temperature(run: Run) -> float:
    """The temperature fitted on the validation split; 1.0 for a run that is not evaluated yet."""
    evaluation = run.evaluation() if (run.path / "evaluation.json").exists() else {}
    temperature = evaluation.get("temperature", 1.0)
    if not isinstance(temperature, int | float) or not 0 < temperature < float("inf"):
        raise RunError(f"{run.id}/evaluation.json must hold a temperature above 0, got {temperature!r}")
    return float(temperature)


def _load_weights(run: Run, model: nn.Module) -> None:
    weights, expected = run.weights(), model.state_dict()
    problem = _mismatch(weights, expected)
    if problem:
        raise RunError(f"the weights of run {run.id} do not fit its architecture {run.spec.architecture!r}: {problem}")
    damaged = [name for name, tensor in weights.items() if not bool(torch.isfinite(tensor).all())]
    if damaged:
        raise RunError(f"the weights of run {run.id} hold values that are no numbers, in {_named(damaged)}")
    model.load_state_dict(weights, strict=True)


def _mismatch(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """How the tensors differ in name or shape, or the empty string."""
    common = [name for name in expected if name in weights]
    differences = {
        "missing": [name for name in expected if name not in weights],
        "unknown": [name for name in weights if name not in expected],
        "of another shape": [name for name in common if weights[name].shape != expected[name].shape],
    }
    return ", ".join(f"{len(names)} {what} ({_named(names)})" for what, names in differences.items() if names)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (" …" if len(names) > 2 else "")
