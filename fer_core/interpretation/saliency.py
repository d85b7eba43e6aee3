"""Which pixels speak for a class: four methods with one shape of answer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fer_core.errors import FerError
from fer_core.interpretation.guided import GuidedRectifiers
from fer_core.interpretation.maps import batches
from fer_core.interpretation.network import Network
from fer_core.interpretation.trace import Step, traced

LEAST_MAP = 4  # pixels a side: a smaller map says little about where
GREY = 0.0  # the face that tells nothing: middle grey in [-1, 1]
BUDGET = 25_000_000_000  # of `Network.cost` for one picture: less than a second on a slow core
PERCENTILE = 99.5  # of the absolute values, which becomes 1: a single pixel must not dim all others
AT_ONCE = 64  # faces in one pass, where there is room
WINDOWS = (6, 5, 4)  # sides of an occluding square, as parts of the face: larger for costly networks


@dataclass(frozen=True, eq=False)
class Saliency:
    """How much each pixel speaks for (or, where `signed`, against) the class `target`.

    `heat` is float32 (S, S) in [0, 1], or [-1, 1] where `signed`; `scale` is what 1 stands for, 0 where the
    method found nothing. `note` says what to know of this network or of the measure's exactness.
    """

    method: str
    target: int
    heat: np.ndarray
    signed: bool
    scale: float
    note: str = ""


@dataclass(frozen=True)
class Method:
    """A way to find salient pixels; `needs_gradients` ones cannot look behind hand-crafted descriptors."""

    name: str
    label: str
    summary: str
    needs_gradients: bool
    compute: Callable[[Network, Tensor, int, str], tuple[np.ndarray, bool, str]]


def saliency(network: Network, inputs: Tensor, target: int, method: str, layer: str = "") -> Saliency:
    """What speaks for class `target` in the one face of `inputs` (1, C, S, S), by a method of METHODS.

    `layer` is Grad-CAM's (see `cam_layers`), by default the last one with a map of some size. Raises FerError
    for an unknown method, class or layer, and where the network does not allow the method.
    """
    chosen = METHODS.get(method)
    if chosen is None:
        raise FerError(f"unknown method {method!r}; choose from {', '.join(METHODS)}")
    if not 0 <= target < len(network.emotions):
        raise FerError(f"there is no class {target}; choose from 0 to {len(network.emotions) - 1}")
    if chosen.needs_gradients:
        check_gradients(network)
    values, signed, note = chosen.compute(network, inputs, target, layer)
    heat, scale = normalised(values)
    return Saliency(method, target, heat, signed, scale, note)


def check_gradients(network: Network) -> None:
    """Raise FerError where no gradient reaches the face: of an ensemble, or behind hand-crafted descriptors."""
    network.check_single()
    if not network.is_differentiable:
        raise FerError(
            f"{network.architecture} counts its descriptors outside of the network, so that no gradient reaches "
            "the pixels; choose occlusion"
        )


def normalised(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Values divided by the PERCENTILE of their absolute ones and cut off at 1, and that percentile.

    Zeros stay zeros, with scale 0.
    """
    scale = float(np.percentile(np.abs(values), PERCENTILE)) or float(np.abs(values).max())
    if scale == 0:
        return np.zeros_like(values, np.float32), 0.0
    return np.clip(values / scale, -1, 1).astype(np.float32), scale


def guided_backpropagation(network: Network, inputs: Tensor, target: int) -> tuple[np.ndarray, GuidedRectifiers]:
    """The guided gradient of a logit by the face, float32 (C, S, S), and what rectifiers were met.

    Raises FerError where no gradient reaches the face.
    """
    check_gradients(network)
    face = inputs.clone().requires_grad_(True)
    with network.looking() as model, torch.enable_grad(), GuidedRectifiers() as rectifiers:
        logit = model(face)[0, target]
        (gradient,) = torch.autograd.grad(logit, face)
    return gradient[0].float().cpu().numpy(), rectifiers


def _guided(network: Network, inputs: Tensor, target: int, layer: str) -> tuple[np.ndarray, bool, str]:
    gradient, rectifiers = guided_backpropagation(network, inputs, target)
    if not rectifiers.seen:
        note = "This network has no rectifier (ReLU), so that this is the plain gradient."
    elif rectifiers.plain:
        note = f"Gradients pass {', '.join(sorted(rectifiers.plain))} unguided: only rectifiers (ReLU) guide them."
    else:
        note = ""
    return _over_channels(gradient), True, note


def cam_layers(network: Network) -> list[Step]:
    """The steps that Grad-CAM can look at: those of the trunk that give maps; raises FerError for an ensemble."""
    return [step for step in network.trunk if step.is_spatial]


def default_cam_layer(network: Network) -> str:
    """The last step of the trunk whose maps have at least LEAST_MAP pixels a side, else the last with maps.

    Raises FerError for a network without maps, and for an ensemble.
    """
    steps = cam_layers(network)
    if not steps:
        raise FerError(f"{network.architecture} has no layer that gives maps, so that Grad-CAM has nothing to weigh")
    wide = [step for step in steps if min(step.output_shape[1:]) >= LEAST_MAP]
    return (wide or steps)[-1].name


def grad_cams(network: Network, inputs: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Grad-CAM of each face (N, C, S, S) for its class of `targets` (N,): float32 (N, h, w) at the layer's size.

    Selvaraju et al., "Grad-CAM", 2017: the maps weighed by their mean gradients, without the negative part.
    The layer may be a function between modules, such as a residual sum, which captum cannot name; where it
    can, tests hold both equal. Raises FerError for a layer without maps, and where no gradient reaches the face.
    """
    check_gradients(network)
    if not network.step(layer).is_spatial:
        raise FerError(f"{layer} gives no maps; choose a layer that does, such as {default_cam_layer(network)}")
    faces = inputs.clone().requires_grad_(True)
    with network.looking() as model, torch.enable_grad():
        with traced(model, faces, [layer]) as trace:
            logits = model(faces)
        maps = trace.outputs[layer]
        (gradients,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), maps)
    return F.relu((gradients.mean((2, 3), keepdim=True) * maps).sum(1)).detach().float()


def enlarged(cams: Tensor, size: int) -> np.ndarray:
    """Small maps (N, h, w) at the face's size, bilinear, as float32 (N, size, size)."""
    larger = F.interpolate(cams[:, None], (size, size), mode="bilinear", align_corners=False)
    return larger[:, 0].cpu().numpy()


def _grad_cam(network: Network, inputs: Tensor, target: int, layer: str) -> tuple[np.ndarray, bool, str]:
    name = layer or default_cam_layer(network)
    cam = grad_cams(network, inputs, torch.tensor([target]), name)
    side = "×".join(map(str, cam.shape[1:]))
    note = f"Of {name}, whose maps have {side} pixels."
    if not cam.any():
        note += " Nothing in this layer speaks for this class."
    return enlarged(cam, network.size)[0], False, note


def _integrated_gradients(network: Network, inputs: Tensor, target: int, layer: str) -> tuple[np.ndarray, bool, str]:
    from captum.attr import IntegratedGradients

    steps = int(np.clip(BUDGET / (4 * network.cost), 8, 32))
    baseline = torch.full_like(inputs, GREY)
    with network.looking() as model, torch.enable_grad():
        found, gap = IntegratedGradients(model).attribute(
            inputs,
            baseline,
            target=target,
            n_steps=steps,
            internal_batch_size=_at_once(network),
            return_convergence_delta=True,
        )
    note = f"From middle grey in {steps} steps; the shares miss the difference of the logits by {abs(gap.item()):.2g}."
    return _over_channels(found[0].detach().float().cpu().numpy()), True, note


def occlusion_grid(network: Network) -> tuple[int, int]:
    """(window, stride) in pixels: a sixth of the face, moved by half of it; both larger where the budget ends."""
    for part in WINDOWS:
        window = max(2, round(network.size / part))
        for stride in range(max(1, window // 2), window + 1):
            places = (-(-(network.size - window) // stride) + 1) ** 2
            if places * network.cost <= BUDGET:
                return window, stride
    return window, window


def _occlusion(network: Network, inputs: Tensor, target: int, layer: str) -> tuple[np.ndarray, bool, str]:
    from captum.attr import Occlusion

    window, stride = occlusion_grid(network)
    channels = inputs.shape[1]
    with network.looking() as model, torch.no_grad():
        found = Occlusion(model).attribute(
            inputs,
            target=target,
            sliding_window_shapes=(channels, window, window),
            strides=(channels, stride, stride),
            baselines=GREY,
            perturbations_per_eval=_at_once(network),
        )
    note = f"A grey square of {window}×{window} pixels, moved by {stride}: how much the class's logit falls."
    return found[0, 0].detach().float().cpu().numpy(), True, note


def _at_once(network: Network) -> int:
    """Faces in one pass: many of a small network, whose time is that of starting its layers."""
    return batches(network, AT_ONCE)[0].stop


def _over_channels(values: np.ndarray) -> np.ndarray:
    summed: np.ndarray = values.sum(axis=0)
    return summed


METHODS = {
    method.name: method
    for method in (
        Method(
            "grad_cam",
            "Grad-CAM",
            "Where the maps of a late layer speak for the class: coarse, and tells classes apart.",
            True,
            _grad_cam,
        ),
        Method(
            "guided",
            "Guided backpropagation",
            "Which details the network picks up on its way to the class: sharp, but much alike for every class.",
            True,
            _guided,
        ),
        Method(
            "integrated",
            "Integrated gradients",
            "How much each pixel adds to the class on the way from a grey face to this one.",
            True,
            _integrated_gradients,
        ),
        Method(
            "occlusion",
            "Occlusion",
            "How much the class loses where a part of the face is covered: slow, and takes any network at its word.",
            False,
            _occlusion,
        ),
    )
}
