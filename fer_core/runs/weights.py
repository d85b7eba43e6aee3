"""A run's trained weights: in a file of its own or, of an ensemble without one, in its members' files."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # torch is imported where weights are read or written: a list of runs need not wait seconds for it
    from torch import Tensor

WEIGHTS = "weights.safetensors"


def weights_files(folder: Path, arguments: Mapping[str, Any]) -> dict[str, Path]:
    """The files that hold a run's weights, by what precedes their tensors' names in its network.

    `arguments` are its architecture's, which name an ensemble's members, runs beside `folder`. Empty where the
    weights are not here, or not all of them.
    """
    if (folder / WEIGHTS).is_file():
        return {"": folder / WEIGHTS}
    files = {f"members.{place}.": folder.parent / name / WEIGHTS for place, name in enumerate(_members(arguments))}
    return files if all(path.is_file() for path in files.values()) else {}


def absence(arguments: Mapping[str, Any]) -> str:
    """Why there are none, as the rest of a sentence about the run."""
    if _members(arguments):
        return "has no weights here, and not all of its members have theirs; train those again"
    return "has no weights here; train it again"


def read_weights(path: Path) -> "dict[str, Tensor]":
    """The tensors of a file by name, in float32 where they are no counts; raises safetensors' errors."""
    from safetensors.torch import load_file

    return {name: t.float() if t.is_floating_point() else t for name, t in load_file(path).items()}


def pack_weights(state: "Mapping[str, Tensor]") -> bytes:
    """The file of a state dict: matrices and kernels in half precision, vectors in full."""
    from safetensors.torch import save

    return save({name: _halved(tensor).contiguous().cpu() for name, tensor in state.items()})


def stored_precision(state: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """What `read_weights` gives back of `state` once it is packed: kernels rounded to half precision."""
    return {name: t.float() if (t := _halved(tensor)).is_floating_point() else t for name, tensor in state.items()}


def _halved(tensor: "Tensor") -> "Tensor":
    return tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor


def _members(arguments: Mapping[str, Any]) -> list[str]:
    found = arguments.get("members")
    members = found if isinstance(found, list) else []
    return [str(each.get("run")) if isinstance(each, dict) else "" for each in members]
