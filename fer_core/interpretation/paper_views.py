"""The layers whose maps and filters the papers print, by the names that they have here."""

from dataclasses import dataclass
from typing import Literal

View = Literal["maps", "filters"]


@dataclass(frozen=True)
class PaperView:
    """A picture of a paper: what it shows of which layers, and how many maps of each."""

    paper: int
    title: str
    view: View
    layers: tuple[str, ...]
    count: int


# Keras numbers mini-Xception's layers 1, 4, 12, 21, 30, 39: both convolutions of the stem, and the four shortcuts
_MINI_XCEPTION = ("stem.0", "stem.3", *(f"modules_.{block}.shortcut.0" for block in range(4)))

PAPER_VIEWS: dict[str, tuple[PaperView, ...]] = {
    "mini_xception": (
        PaperView(1, "Layers 1, 4, 12, 21, 30, 39", "maps", _MINI_XCEPTION, 4),
        PaperView(1, "Filters of both first convolutions", "filters", ("stem.0", "stem.3"), 8),
    ),
    "deeper_cnn": (PaperView(2, "First layer's activations", "maps", ("2",), 64),),
    # each block ends in its pooling
    "six_conv_cnn": (PaperView(3, "Activations of each block", "maps", ("6", "14", "22"), 8),),
}


def paper_views(architecture: str) -> tuple[PaperView, ...]:
    """What the papers show of an architecture; nothing for most."""
    return PAPER_VIEWS.get(architecture, ())
