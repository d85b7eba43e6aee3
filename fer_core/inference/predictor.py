"""A trained run, ready to predict: the only loader of weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fer_core.architectures import rebuild
from fer_core.devices import resolve_device
from fer_core.errors import FerError
from fer_core.evaluation.calibration import apply_temperature
from fer_core.inference.boxes import FaceBox, check_picture, crop_face, resize_face, to_channels
from fer_core.inference.detectors import Detector, get_detector
from fer_core.preprocessing import Pipeline
from fer_core.runs import Run, RunError, RunStore

DEFAULT_SIZE = 48
DEFAULT_CHANNELS = 1
BATCH = 256  # faces at once; bounds the memory of a large crowd or a whole dataset


@dataclass(frozen=True, eq=False)
class Prediction:
    """One face: where it is, how likely each emotion, and what the network was given.

    `probabilities` holds every emotion in the run's class order and sums to 1; `confidence` in [0, 1]
    is the one of `emotion`. `face` is uint8 (S, S), or (S, S, 3) for a network of colour faces.
    """

    box: FaceBox
    emotion: str
    confidence: float
    probabilities: dict[str, float]
    face: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, as plain JSON types."""
        return {
            "box": self.box.to_json(),
            "emotion": self.emotion,
            "confidence": self.confidence,
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True, eq=False)
class Predictor:
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
        _check_faces(faces)
        fitted = [resize_face(to_channels(face, self.channels), self.input_size) for face in faces]
        size = (len(faces), self.input_size, self.input_size, self.channels)
        stacked = np.stack(fitted).reshape(size) if fitted else np.empty(size, np.uint8)
        images = torch.from_numpy(np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)))
        return self.pipeline(images.to(self.device))

    @torch.inference_mode()
    def predict_faces(self, faces: np.ndarray) -> np.ndarray:
        """Calibrated probabilities float32 (N, classes) of cropped faces; see `inputs` for what faces may be."""
        _check_faces(faces)
        batches = [faces[start : start + BATCH] for start in range(0, len(faces), BATCH)]
        if not batches:
            return np.empty((0, len(self.emotions)), np.float32)
        logits = torch.cat([self.model(self.inputs(batch)).float().cpu() for batch in batches])
        return apply_temperature(logits.softmax(dim=1).numpy(), self.temperature).astype(np.float32)

    def predict(
        self, image: np.ndarray, boxes: Sequence[FaceBox] | None = None, detector: Detector | None = None
    ) -> list[Prediction]:
        """Every face of a uint8 picture, RGB (H, W, 3) or gray (H, W): those in `boxes`, else those found.

        `detector` is the shared Haar cascade unless given. One prediction a box, in the order of the boxes.
        """
        check_picture(image)
        found = (detector or get_detector()).detect(image) if boxes is None else list(boxes)
        if not found:
            return []
        faces = np.stack([crop_face(image, box, self.input_size, self.channels) for box in found])
        predicted = self.predict_faces(faces)
        return [self._prediction(box, row, face) for box, row, face in zip(found, predicted, faces, strict=True)]

    def _prediction(self, box: FaceBox, row: np.ndarray, face: np.ndarray) -> Prediction:
        probabilities = {emotion: float(p) for emotion, p in zip(self.emotions, row, strict=True)}
        best = self.emotions[int(row.argmax())]
        return Prediction(box, best, probabilities[best], probabilities, face)


def _check_faces(faces: np.ndarray) -> None:
    fits = faces.ndim == 3 or (faces.ndim == 4 and faces.shape[3] == 3)
    if faces.dtype != np.uint8 or not fits or 0 in faces.shape[1:]:
        raise FerError(f"faces are uint8 of shape (N, H, W) or (N, H, W, 3), got {faces.dtype} {faces.shape}")


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
