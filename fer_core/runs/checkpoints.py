"""A run's checkpoint as a file: written and read by torch, tensors and plain types only."""

import errno
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKPOINT = "checkpoint.pt"


def pack_checkpoint(state: Mapping[str, Any]) -> memoryview:
    """The file of a checkpoint."""
    import torch

    buffer = io.BytesIO()  # written by torch itself, a full disk would be an error of its file format
    torch.save(dict(state), buffer)
    return buffer.getbuffer()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What was packed; raises errors of almost any class where the file is damaged (see `refusal`)."""
    import torch

    return dict(torch.load(path, map_location="cpu", weights_only=True))


def refusal(error: Exception) -> str:
    """Why a checkpoint could not be read, and what is possible, as the rest of a sentence that names it."""
    # in a short file that was cut, torch looks for the end of the archive before the file's beginning: EINVAL
    if isinstance(error, OSError) and error.errno != errno.EINVAL:
        return f"cannot be read: {error.strerror or error}; resume once it can, or delete it to train from the start"
    if isinstance(error, MemoryError) or "tried to allocate" in str(error):  # the words of torch's RuntimeError
        return "does not fit into the free memory; resume once there is more"
    return "is damaged or not a checkpoint; delete it to train from the start"
