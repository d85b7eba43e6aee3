"""How a long reading tells how far it is."""

from collections.abc import Callable

Progress = Callable[[float, int], None]  # (part of the source read in [0, 1], images so far)


def no_progress(_fraction: float, _images: int) -> None:
    """Show nothing."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Progress over the part `start..end` of the whole, for work in several passes."""

    def show(fraction: float, images: int) -> None:
        progress(start + fraction * (end - start), images)

    return show
