"""Decoded images on their way into the cache: raw bytes in one temporary file, so that memory stays bounded."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from fer_core.datasets.readers.base import Place


@dataclass
class Spool:
    """Append-only store of uint8 images of any shape, with the place of each.

    `places[i]` belongs to the image `read(i)` returns, (H, W) or (H, W, 3). `notes` counts what was
    done to images; `remarks` are whole sentences; `format` says which reader read them. `originals` are the shapes of
    the pictures that the images were cut from, empty where nothing was cut.
    """

    path: Path
    places: list[Place] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    originals: list[tuple[int, ...]] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    format: str = ""
    is_fer2013: bool = False
    _offsets: list[int] = field(default_factory=list)
    _size: int = 0

    def __enter__(self) -> "Spool":
        self._file = self.path.open("w+b")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self.path.unlink()

    def append(self, image: np.ndarray) -> None:
        """Add one image; its place is given in `places`, now or later."""
        self._file.write(image.tobytes())
        self.shapes.append(image.shape)
        self._offsets.append(self._size)
        self._size += image.size

    def read(self, index: int) -> np.ndarray:
        """Image `index`; read with pread, since a memory map would count as memory used."""
        shape = self.shapes[index]
        size = int(np.prod(shape))
        return np.frombuffer(os.pread(self._file.fileno(), size, self._offsets[index]), np.uint8).reshape(shape)

    def flush(self) -> None:
        """Make everything appended visible to `read`."""
        self._file.flush()
