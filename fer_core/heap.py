"""Freed memory that stays with the process while it trains on a CPU."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Protocol

import torch

# parameters of glibc's mallopt(3)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
NEVER = 2**31 - 1  # bytes that lie free at the heap's end before some are given back: the most that can be named
# what glibc has by itself: the thresholds are those to which it rises in a process that frees large arrays
USUAL = {M_MMAP_MAX: 65_536, M_MMAP_THRESHOLD: 2**25, M_TRIM_THRESHOLD: 2**26}


class Allocator(Protocol):
    """What glibc offers to whom its allocator does not suit as it is."""

    def mallopt(self, parameter: int, value: int) -> int:
        """Set a parameter for the process; 1, or 0 where it is refused."""

    def malloc_trim(self, pad: int) -> int:
        """Give the system what lies free, except for `pad` bytes at the heap's end."""


@contextmanager
def freed_memory_kept(device: torch.device) -> Iterator[None]:
    """Keep what is freed inside for what is allocated next; afterwards the system gets it back.

    Each step of a training allocates the same activations. By itself, glibc asks the system for every array above
    32 MiB and returns it when it is freed, so that each of its pages is found, cleared and mapped anew when first
    written: up to a fifth of a step on one core. It holds for the whole process, and does nothing for other devices
    and allocators.
    """
    allocator = _glibc() if device.type == "cpu" else None
    if allocator is None:
        yield
        return
    allocator.mallopt(M_MMAP_MAX, 0)
    allocator.mallopt(M_TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        for parameter, value in USUAL.items():
            allocator.mallopt(parameter, value)
        allocator.malloc_trim(0)


@cache
def _glibc() -> Allocator | None:
    """The process's C library where it is glibc: musl and macOS lack these names, Windows the library."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
