"""How a long reading tells how far it is."""

from collections.abc import Callable

Progress = Callable[[float, int], None]  # (part of the source read in [0, 1], images so far)


def no_progress(_fraction: float, _images: int) -> None:
    """Show nothing."""
