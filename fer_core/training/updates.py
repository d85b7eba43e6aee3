"""One update of the weights, and on a CUDA device its recording as a graph."""

import logging
import os
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch's own documentation uses

from fer_core.config import Recipe
from fer_core.devices import cuda_generator
from fer_core.errors import FerError
from fer_core.preprocessing import scale_to_symmetric
from fer_core.training.mixing import mixed
from fer_core.training.passes import TrainingSet
from fer_core.training.sharpness import highest_nearby
from fer_core.training.state import TrainingState

LAUNCHED_FIRST = 3  # updates before the recording: libraries choose their kernels, the optimiser makes its state
RECORDING = "FER_CUDA_GRAPHS"  # in the environment; 0 launches every update
LOG = logging.getLogger(__name__)

Outcome = tuple[Tensor, Tensor]
Update = Callable[[], Outcome]


class Recorder(Protocol):
    """What can record an update and play it again."""

    def launch(self, update: Update) -> Outcome:
        """Run an update where it will be recorded."""

    def record(self, update: Update) -> Update:
        """Record an update without running it; the result runs it. Raises RuntimeError where that is impossible."""


class CudaRecorder:
    """Records CUDA graphs: one launch instead of the hundreds of an update, which take longer than their work.

    A replay goes on with the device's own generator as the launches would, so that the numbers are the same.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)

    def launch(self, update: Update) -> Outcome:
        """Run an update in the stream of the recording, between what came before and what comes after."""
        here = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            outcome = update()
        here.wait_stream(self._stream)
        return outcome

    def record(self, update: Update) -> Update:
        """Record the launches of an update; its tensors stay where they are, and each replay overwrites them."""
        here = torch.cuda.current_stream(self._device)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                outcome = update()
        except RuntimeError:
            torch.cuda.set_stream(here)  # a recording that cannot be ended leaves its own
            raise

        def replay() -> Outcome:
            graph.replay()
            return outcome

        return replay


class Updates:
    """Updates of one training on batches of one training set: call it with a batch's rows (B,) int64 on the device.

    Where there is a recorder, full batches are replayed from a recording after the first few; the closing epochs have
    one of their own. The batch that is left at an epoch's end is launched. Where a recording is impossible, a warning
    says why, and all are launched.
    """

    def __init__(
        self, state: TrainingState, train: TrainingSet, noise: torch.Generator, recorder: Recorder | None
    ) -> None:
        self.state, self.train, self.noise = state, train, noise
        self._recorder = recorder
        self._launched = 0
        self._replay: Update | None = None
        self._is_closing = state.is_closing
        self._rows = torch.zeros(min(state.recipe.batch_size, len(train)), dtype=torch.int64, device=state.device)

    @classmethod
    def of(cls, state: TrainingState, train: TrainingSet) -> "Updates":
        """Updates on the device of `state`, recorded where that is a CUDA device, unless `FER_CUDA_GRAPHS=0` is set.

        On a CUDA device they draw from its own generator, which every version of PyTorch lets a recording use.
        """
        if state.device.type != "cuda":
            return cls(state, train, torch.Generator(state.device), None)
        recorder = None if os.environ.get(RECORDING) == "0" else CudaRecorder(state.device)
        return cls(state, train, cuda_generator(state.device), recorder)

    def __call__(self, batch: Tensor) -> Outcome:
        """Update the weights and their average; the mean loss and the number of hits, until the next call."""
        outcome = self._update(batch)
        if self.state.average is not None:
            self.state.average.update_parameters(self.state.model)
        return outcome

    def _update(self, batch: Tensor) -> Outcome:
        if self._is_closing != self.state.is_closing:  # what is done with faces is part of the recording
            self._launched, self._replay, self._is_closing = 0, None, self.state.is_closing
        if len(batch) == len(self._rows) and self._recorder and self._replay is None:
            self._prepare_recording(self._recorder)
        if len(batch) != len(self._rows) or self._recorder is None:
            return train_step(self.state, self.train, batch, self.noise)
        self._rows.copy_(batch)
        return self._replay() if self._replay else self._recorder.launch(self._on_rows)

    def _on_rows(self) -> Outcome:
        return train_step(self.state, self.train, self._rows, self.noise)

    def _prepare_recording(self, recorder: Recorder) -> None:
        """Record once enough updates were launched."""
        if self._launched < LAUNCHED_FIRST:
            self._launched += 1
            return
        self.state.optimizer.zero_grad(set_to_none=True)  # gradients of the recording lie in its own memory
        try:
            self._replay = recorder.record(self._on_rows)
        except RuntimeError as error:
            if not still_draws(self.noise):  # PyTorch before 2.13 takes it for a generator that is recorded
                raise FerError(
                    f"this training's updates cannot be recorded as a CUDA graph ({error}), and this version of "
                    f"PyTorch draws no random numbers after that; resume it with {RECORDING}=0 in the environment"
                ) from error
            told = f"each is launched, as {RECORDING}=0 does at once"
            LOG.warning("this training's updates cannot be recorded as a CUDA graph (%s); %s", error, told)
            self._recorder = None


def still_draws(noise: torch.Generator) -> bool:
    """Whether a generator gives random numbers; it is left as it was."""
    try:
        place = noise.get_state()
        torch.rand(1, generator=noise, device=noise.device)
        noise.set_state(place)
    except RuntimeError:
        return False
    return True


def train_step(state: TrainingState, train: TrainingSet, batch: Tensor, noise: torch.Generator) -> Outcome:
    """One update of the weights on the rows `batch` (B,) int64; the mean loss and the number of hits.

    Nothing in it asks the device for a value or brings it one, so that it can be recorded.
    """
    recipe = state.recipe
    inputs, share = _inputs(state, train.faces[batch], noise)
    targets = _targets(train, batch, share)
    loss, logits = _gradients(state, inputs, targets)
    if recipe.sam_radius:
        with highest_nearby(state.model, recipe.sam_radius):
            _gradients(state, inputs, targets)
    if recipe.gradient_clip:
        nn.utils.clip_grad_norm_(state.model.parameters(), recipe.gradient_clip)
    state.optimizer.step()
    return loss.detach(), (logits.argmax(1) == train.labels[batch]).sum()


def _inputs(state: TrainingState, faces: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """What the network takes of a batch, and the share (B,) of each image that is its own, where they are mixed."""
    if faces.ndim == 2:
        return faces, None
    augmentation = state.augmentation.mirror_alone() if state.is_closing else state.augmentation
    inputs, share = augmentation(scale_to_symmetric(faces), noise), None
    if state.mixing is not None and not state.is_closing:
        inputs, share = state.mixing(inputs, noise)
    return inputs.contiguous(memory_format=torch.channels_last), share


def _targets(train: TrainingSet, batch: Tensor, share: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """The labels of a batch, and what the teacher says where there is one; both mixed as the images."""
    labels = train.labels[batch]
    taught = None if train.taught is None else train.taught[batch]
    if share is None:
        return labels, taught
    # F.one_hot looks at the labels' values on a CPU
    labels = mixed((labels[:, None] == torch.arange(train.classes, device=labels.device)).float(), share)
    return labels, None if taught is None else mixed(taught, share)


def _gradients(state: TrainingState, inputs: Tensor, targets: tuple[Tensor, Tensor | None]) -> tuple[Tensor, Tensor]:
    """Leave the loss's gradients in the weights; the mean loss, and the logits (B, classes) float32."""
    recipe, (labels, taught) = state.recipe, targets
    with torch.autocast(state.device.type, state.precision, enabled=state.precision != torch.float32):
        logits = state.model(inputs)
    logits = logits.float()
    loss = classification_loss(logits, labels, state.class_weights, recipe.label_smoothing)
    if taught is not None:
        loss = (1 - recipe.teacher_weight) * loss + recipe.teacher_weight * distillation_loss(logits, taught, recipe)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if recipe.l2:
        for weight in state.l2_weights:  # the gradient of l2 · Σw², without building its graph
            weight.grad.add_(weight.detach(), alpha=2 * recipe.l2)  # type: ignore[union-attr]
    return loss, logits


def classification_loss(logits: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    """Mean cross-entropy of logits (B, classes) with labels int64 (B,), or with shares float (B, classes).

    It is `F.cross_entropy`, which picks the weights of labels that are smoothed by a mask: that waits for the device.
    """
    if weights is None or not smoothing or labels.is_floating_point():
        return F.cross_entropy(logits, labels, weights, label_smoothing=smoothing)
    weighted = F.log_softmax(logits, dim=1) * weights
    hits = weighted.gather(1, labels[:, None])
    return -((1 - smoothing) * hits.sum() + smoothing / logits.shape[1] * weighted.sum()) / weights[labels].sum()


def distillation_loss(logits: Tensor, taught: Tensor, recipe: Recipe) -> Tensor:
    """How far logits (B, classes) are from a teacher's softened probabilities (B, classes), at its temperature T.

    The mean Kullback-Leibler divergence times T², which keeps its gradient as large as the labels'.
    """
    softened = F.log_softmax(logits / recipe.teacher_temperature, dim=1)
    return F.kl_div(softened, taught, reduction="batchmean") * recipe.teacher_temperature**2
