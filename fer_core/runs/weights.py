"""A run's trained weights: in a file of its own or, of an ensemble without one, in its members' files."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # torch is imported where weights are read or written: a list of runs need not wait seconds for it
    from torch import Tensor

WEIGHTS = "weights.safetensors"
SCALE = ".scale"
LARGEST = 127
RESUMABLE = ("failed", "cancelled", "lost")


def weights_files(folder: Path, arguments: Mapping[str, Any]) -> dict[str, Path]:
    """The files that hold a run's weights, by what precedes their tensors' names in its network.

    `arguments` are its architecture's, which name an ensemble's members, runs beside `folder`. Empty where the
    weights are not here, or not all of them.
    """
    if (folder / WEIGHTS).is_file():
        return {"": folder / WEIGHTS}
    files = {f"members.{place}.": folder.parent / name / WEIGHTS for place, name in enumerate(_members(arguments))}
    return files if all(path.is_file() for path in files.values()) else {}


def absence(arguments: Mapping[str, Any], state: str = "finished") -> str:
    """Why there are none, as the rest of a sentence about the run."""
    if state not in ("finished", "damaged"):
        way_out = "; `resume` goes on with it" if state in RESUMABLE else ""
        return f"is {state}; only a finished run has weights{way_out}"
    if _members(arguments):
        return "has no weights here, and not all of its members have theirs; train those again"
    return "has no weights here; train it again"


def read_weights(path: Path) -> "dict[str, Tensor]":
    """The tensors of a file by name, in float32 where they are no counts; raises safetensors' errors."""
    from safetensors.torch import load_file

    return _unpacked(load_file(path))


def pack_weights(state: "Mapping[str, Tensor]") -> bytes:
    """The file of a state dict: layers' weights in eight bits a number, other matrices in sixteen, vectors in full.

    Of a weight (out, ...) one float32 scale for each output, under its name and `SCALE`, gives the numbers back
    within 1/254 of the largest of that output: a quarter of float32's size, for a tenth of a point of accuracy
    (docs/experiments.md). A weight that is not finite is kept in sixteen bits.
    """
    from safetensors.torch import save

    return save({name: tensor.contiguous().cpu() for name, tensor in _packed(state).items()})


def stored_precision(state: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """What `read_weights` gives back of `state` once it is packed: rounded to what the file holds."""
    return _unpacked(_packed(state))


def _packed(state: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if not tensor.is_floating_point() or tensor.ndim < 2:
            packed[name] = tensor
        elif name.endswith("weight") and bool(tensor.isfinite().all()):
            packed[name], packed[name + SCALE] = _eight_bits(tensor.detach().float())
        else:
            packed[name] = tensor.half()
    return packed


def _unpacked(packed: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """Both kinds of file: older ones hold every matrix in sixteen bits, without scales."""
    state = {name: t.float() if t.is_floating_point() else t for name, t in packed.items()}
    for name in [each for each in packed if each + SCALE in packed]:
        scale = state.pop(name + SCALE)
        state[name] = state[name].float() * scale.view(-1, *[1] * (state[name].ndim - 1))
    return state


def _eight_bits(weight: "Tensor") -> "tuple[Tensor, Tensor]":
    """Integers in [-127, 127] of the weight's shape, and the scale (out,) of each output.

    A scale keeps 16 of its bits, so that 127 times it is exact and what was rounded once stays as it is.
    """
    import torch

    rows = weight.flatten(1)
    scale = ((rows.abs().amax(1) / LARGEST).view(torch.int32) & -256).view(torch.float32)
    divisor = torch.where(scale > 0, scale, torch.inf)  # an output of zeros alone
    return (rows / divisor[:, None]).round().to(torch.int8).view(weight.shape), scale


def _members(arguments: Mapping[str, Any]) -> list[str]:
    found = arguments.get("members")
    members = found if isinstance(found, list) else []
    return [str(each.get("run")) if isinstance(each, dict) else "" for each in members]
