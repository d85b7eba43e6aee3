"""Which face of a video's frame is the same as one before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # importing this would import OpenCV
    from fer_core.inference import FaceBox

SAME = 0.2  # least overlap (intersection over union) of a face with itself, seen before
FORGOTTEN_S = 1.5  # after which a face that was away and comes back is another one


@dataclass(eq=False)
class Tracker:
    """Numbers the faces of a video's frames: a face keeps its number as long as its boxes overlap."""

    last: "dict[int, tuple[FaceBox, float]]" = field(default_factory=dict)
    count: int = 0
    seconds: float = 0.0  # of the frame before: who was in it was never away, however long it stood

    def numbers(self, boxes: "Sequence[FaceBox]", seconds: float) -> list[int]:
        """The number of each face of a frame, from 1 on; pairs that overlap most are matched first."""
        oldest = min(self.seconds, seconds - FORGOTTEN_S)
        self.last = {number: (box, at) for number, (box, at) in self.last.items() if at >= oldest}
        self.seconds = seconds
        pairs = [
            (overlap(box, before), place, number)
            for place, box in enumerate(boxes)
            for number, (before, _) in self.last.items()
        ]
        found: dict[int, int] = {}
        for share, place, number in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
            if share >= SAME and place not in found and number not in found.values():
                found[place] = number
        for place in range(len(boxes)):
            if place not in found:
                self.count += 1
                found[place] = self.count
        self.last |= {found[place]: (box, seconds) for place, box in enumerate(boxes)}
        return [found[place] for place in range(len(boxes))]


def overlap(first: "FaceBox", second: "FaceBox") -> float:
    """Intersection over union of two boxes, in [0, 1]; by how much they are turned does not count."""
    wide = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    high = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    common = max(0, wide) * max(0, high)
    return common / (first.area + second.area - common)
