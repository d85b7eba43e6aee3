"""One forward pass, written down: every layer and every function between layers, with what it gave."""

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from fer_core.interpretation.receptive import Field, after_function, after_module, widest

FACE = -1  # the place of the input among the steps
# functions that only rearrange values: their result counts as their input
REARRANGING = frozenset(
    ("flatten", "view", "reshape", "__getitem__", "unsqueeze", "squeeze", "permute", "transpose", "expand",
     "contiguous", "to", "float", "cpu", "clone", "expand_as", "view_as", "unflatten")
)  # fmt: skip
PARTING = frozenset(("chunk", "split", "unbind", "tensor_split"))
FUNCTION_KINDS = {
    "multi_head_attention_forward": "Attention",
    "max_pool2d": "MaxPool2d",
    "avg_pool2d": "AvgPool2d",
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "silu": "SiLU",
    "sigmoid": "Sigmoid",
    "add": "Add",
    "add_": "Add",
    "iadd": "Add",
    "mul": "Multiply",
    "true_divide": "Divide",
    "div": "Divide",
    "sub": "Subtract",
    "cat": "Concatenate",
    "mean": "Mean",
    "interpolate": "Resize",
    "pad": "Pad",
}


@dataclass(frozen=True)
class Step:
    """One layer or function in the order in which a face passes: `inputs` are places of earlier steps, or FACE.

    `name` is the layer's own; a function is called after the module that uses it (`modules_.0.add`). A
    second use of the same name is numbered (`relu#2`). `output_shape` is without the batch. `macs` counts
    multiplications with weights, of convolutions and dense layers, for one face.
    """

    name: str
    kind: str
    module: nn.Module | None
    inputs: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel: str
    macs: int
    field: Field

    @property
    def is_spatial(self) -> bool:
        """Whether it gives maps (F, H, W) of more than one pixel."""
        return len(self.output_shape) == 3 and min(self.output_shape[1:]) > 1


@dataclass
class Trace:
    """The steps of a pass, and what those gave that were asked for, as they were before any change in place."""

    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, Tensor] = field(default_factory=dict)


@contextmanager
def traced(model: nn.Module, face: Tensor, keep: Collection[str] = (), *, everything: bool = False) -> Iterator[Trace]:
    """Write down what `model` does with the tensor `face` inside the block; hooks are gone after it, even an error.

    Hooks on a model are seen by every thread that uses it: hold a lock, or trace a copy. `keep` names the
    steps whose outputs are kept, or `everything`; they stay part of the graph of gradients.
    """
    trace = Trace()
    recorder = _Recorder(trace, face, frozenset(keep), everything)
    handles = [handle for name, module in model.named_modules() for handle in recorder.hooks(name, module)]
    try:
        with recorder:
            yield trace
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout and batch statistics off, as for one face, and back to what each module had."""
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def trace_steps(model: nn.Module, channels: int, size: int) -> list[Step]:
    """Every step of one face (`channels`, `size`, `size`) through the model, which is left as it was."""
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    face = torch.zeros(1, channels, size, size, device=device)
    with evaluating(model), traced(model, face) as trace, torch.no_grad():
        model(face)
    return trace.steps


class _Recorder(TorchFunctionMode):
    """Sees the functions that are called between layers; its hooks see the layers."""

    def __init__(self, trace: Trace, face: Tensor, keep: frozenset[str], everything: bool) -> None:
        super().__init__()
        self.trace, self.keep, self.everything = trace, keep, everything
        self.places = WeakTensorKeyDictionary({face: FACE})  # a tensor's place is forgotten with the tensor
        self.uses: dict[str, int] = {}
        self.path: list[str] = []
        self.leaf: nn.Module | None = None  # the layer that computes now: its functions are its own affair
        self.leaf_inputs: tuple[int, ...] = ()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        inputs = self._inputs((*args, *given.values())) if self.leaf is None else ()
        before = _first_shape(args)
        result = func(*args, **given)
        name = getattr(func, "__name__", str(func))
        if inputs and isinstance(result, Tensor):
            self._function(name, inputs, args, given, before, result)
        elif inputs and isinstance(result, tuple | list) and any(isinstance(each, Tensor) for each in result):
            self._several(name, inputs, args, given, before, list(_tensors(result)))
        return result

    def hooks(self, name: str, module: nn.Module) -> list[Any]:
        """What notices when a module begins and ends."""
        if any(module.children()):
            enter = module.register_forward_pre_hook(lambda *_: self.path.append(name))
            return [enter, module.register_forward_hook(lambda *_: self._leave())]
        return [
            module.register_forward_pre_hook(lambda module, args: self._begin(module, args)),
            module.register_forward_hook(lambda module, args, output: self._end(name, module, args, output)),
        ]

    def _leave(self) -> None:
        self.path.pop()

    def _begin(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if self.leaf is None:
            self.leaf, self.leaf_inputs = module, self._inputs(args)

    def _end(self, name: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self.leaf is not module:
            return
        self.leaf = None
        result = output[0] if isinstance(output, tuple) else output
        if isinstance(module, nn.Identity):
            self._place(result, self.leaf_inputs[0] if self.leaf_inputs else FACE)
        elif isinstance(result, Tensor):
            spread = after_module(self._spread(self.leaf_inputs), module, result.ndim)
            kind, kernel = type(module).__name__, kernel_of(module)
            self._add(name or kind, kind, module, self.leaf_inputs, result, kernel, macs_of(module, result), spread)

    def _function(
        self, name: str, inputs: tuple[int, ...], args: tuple[Any, ...], given: dict[str, Any],
        before: tuple[int, ...], result: Tensor,
    ) -> None:  # fmt: skip
        short = name.strip("_").removeprefix("boolean_dispatch.")
        if name in REARRANGING or short in REARRANGING:
            self._place(result, inputs[0])
            return
        named = _pool_arguments(args, given) if short.endswith("pool2d") else given
        spread = after_function([self._field(place) for place in inputs], short, named, [before, tuple(result.shape)])
        where = f"{self.path[-1]}." if self.path and self.path[-1] else ""
        kind = FUNCTION_KINDS.get(short) or short.replace("_", " ").capitalize()
        kernel = _window_text(named.get("kernel_size"), named.get("stride"))
        self._add(f"{where}{short}", kind, None, inputs, result, kernel, 0, spread)

    def _several(
        self, name: str, inputs: tuple[int, ...], args: tuple[Any, ...], given: dict[str, Any],
        before: tuple[int, ...], results: list[Tensor],
    ) -> None:  # fmt: skip
        """Parts of a tensor count as it; of other functions, such as attention, the first result is the step's."""
        if name in PARTING:
            for part in results:
                self._place(part, inputs[0])
        else:
            self._function(name, inputs, args, given, before, results[0])

    def _add(
        self, name: str, kind: str, module: nn.Module | None, inputs: tuple[int, ...], result: Tensor,
        kernel: str, macs: int, spread: Field,
    ) -> None:  # fmt: skip
        self.uses[name] = self.uses.get(name, 0) + 1
        unique = name if self.uses[name] == 1 else f"{name}#{self.uses[name]}"
        shape = tuple(result.shape[1:])
        self._place(result, len(self.trace.steps))
        self.trace.steps.append(Step(unique, kind, module, inputs, shape, kernel, macs, spread))
        if self.everything or unique in self.keep:
            # a copy, because a rectifier that works in place would change it; gradients need the tensor itself
            self.trace.outputs[unique] = result if result.requires_grad else result.clone()

    def _inputs(self, values: Any) -> tuple[int, ...]:
        """The places of the tensors among `values` that stem from the face, each once."""
        found = [self.places[each] for each in _tensors(values) if each in self.places]
        return tuple(dict.fromkeys(found))

    def _spread(self, inputs: tuple[int, ...]) -> Field:
        return widest([self._field(place) for place in inputs])

    def _field(self, place: int) -> Field:
        return Field() if place == FACE else self.trace.steps[place].field

    def _place(self, tensor: Tensor, place: int) -> None:
        self.places[tensor] = place


def kernel_of(module: nn.Module) -> str:
    """`3×3, stride 2, depthwise` of a convolution or a pooling; empty for other layers."""
    if not hasattr(module, "kernel_size"):
        return ""
    text = _window_text(module.kernel_size, getattr(module, "stride", 1))
    groups = getattr(module, "groups", 1)
    if groups > 1:
        text += ", depthwise" if groups == getattr(module, "in_channels", 0) else f", {groups} groups"
    return text


def macs_of(module: nn.Module, output: Tensor) -> int:
    """Multiplications with weights that a convolution or a dense layer needs for one face."""
    values = math.prod(output.shape[1:])
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        return values * height * width * module.in_channels // module.groups
    return values * module.in_features if isinstance(module, nn.Linear) else 0


def _window_text(kernel: Any, stride: Any) -> str:
    if kernel is None:
        return ""
    height, width = kernel if isinstance(kernel, tuple | list) else (kernel, kernel)
    step = max(stride) if isinstance(stride, tuple | list) else stride or 1
    return f"{height}×{width}" + (f", stride {step}" if step > 1 else "")


def _pool_arguments(args: tuple[Any, ...], given: dict[str, Any]) -> dict[str, Any]:
    names = ("input", "kernel_size", "stride", "padding", "dilation")
    return dict(zip(names, args, strict=False)) | given


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _first_shape(values: Any) -> tuple[int, ...]:
    return next((tuple(each.shape) for each in _tensors(values)), (0,))
