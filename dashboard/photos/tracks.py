"""Which face of a video's frame is the same as one before, and what was read in it over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dashboard.photos.tables import BOX, NOT_SURE, SURE, read_columns, reading_row
from fer_core.labels import EMOTIONS

if TYPE_CHECKING:
    # importing these would import torch
    from fer_core.inference import FaceBox, Prediction

SAME = 0.2  # least overlap (intersection over union) of a face with itself, seen before
FORGOTTEN_S = 1.5  # after which a face that comes back is another one
MOST_POINTS = 600  # of one face along a chart, which is about one a pixel


@dataclass(eq=False)
class Tracker:
    """Numbers the faces of a video's frames: a face keeps its number as long as its boxes overlap."""

    last: "dict[int, tuple[FaceBox, float]]" = field(default_factory=dict)
    count: int = 0

    def numbers(self, boxes: "Sequence[FaceBox]", seconds: float) -> list[int]:
        """The number of each face of a frame, from 1 on; pairs that overlap most are matched first."""
        self.last = {number: (box, at) for number, (box, at) in self.last.items() if seconds - at <= FORGOTTEN_S}
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


def frame_row(number: int, seconds: float, face: int, reading: "Prediction") -> dict[str, Any]:
    """What is kept of one face of one frame: some dozens of numbers, and no pixels."""
    return {"frame": number, "seconds": seconds, "face": face, **reading_row(reading)}


def frame_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A `frame_row` for programs, with shares in [0, 1]."""
    return {
        **{name: row[name] for name in ("frame", "seconds", "face", "emotion")},
        "box": {name: row[name] for name in BOX},
        "confidence": row["confidence"] / 100,
        "probabilities": {emotion: row[emotion] / 100 for emotion in EMOTIONS if emotion in row},
    }


def frame_table(rows: Sequence[dict[str, Any]], unsure_below: float) -> pd.DataFrame:
    """One row for each face of each frame that was looked at; shares in percent."""
    table = pd.DataFrame(list(rows), columns=["frame", "seconds", "face", *read_columns(rows)])
    return table.assign(sure=np.where(table["confidence"] < 100 * unsure_below, NOT_SURE, SURE))


def faces_by_time(table: pd.DataFrame) -> list[int]:
    """The numbers of the faces, those seen in most frames first."""
    return [int(number) for number in table["face"].value_counts(sort=True).index]


def binned(table: pd.DataFrame, face: int, emotions: Sequence[str]) -> pd.DataFrame:
    """Shares in [0, 1] of one face over the seconds, at most MOST_POINTS means of each emotion.

    `part` counts the stretches in which the face is seen without a gap: a line is drawn within each.
    """
    own = table[table["face"] == face]
    size = max(1, -(-len(own) // MOST_POINTS))
    means = own.groupby(np.arange(len(own)) // size)[["seconds", *emotions]].mean()
    steps = means["seconds"].diff()
    part = (steps > max(1.0, 3 * float(steps.median() or 0))).cumsum() if len(means) > 1 else 0
    long = means.assign(part=part).melt(["seconds", "part"], list(emotions), "emotion", "share")
    return long.assign(share=long["share"] / 100)
