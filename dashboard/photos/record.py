"""What runs read in the faces of a video's frames: kept in few bytes, and as tables, CSV and JSON.

Shares are in [0, 1] here and in the JSON, and percentages in the tables and the CSV.
"""

import io
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dashboard.photos.tables import BOX, NOT_SURE, SURE, read_columns
from fer_core.labels import EMOTIONS

if TYPE_CHECKING:
    # importing this would import OpenCV
    from fer_core.inference import Prediction

MOST_POINTS = 600  # of one face along a chart, which is about one a pixel
AT_ONCE = 10_000  # faces that are made into rows of text together
_PLACE = ("frame", "face", *BOX[:4])


@dataclass(eq=False)
class Record:
    """The faces of frames, in their order, and what each of `runs` (ids) reads in them.

    A face of a frame takes 36 bytes, and 28 more for each run: an hour of one face with 30 frames a second, read by
    four runs, takes 16 MB.
    """

    runs: tuple[str, ...]
    _places: "array[int]" = field(default_factory=lambda: array("i"))
    _seconds: "array[float]" = field(default_factory=lambda: array("d"))
    _rolls: "array[float]" = field(default_factory=lambda: array("f"))
    _shares: "array[float]" = field(default_factory=lambda: array("f"))

    def __len__(self) -> int:
        """The number of faces of frames; each has as many readings as there are runs."""
        return len(self._rolls)

    def add(self, frame: int, seconds: float, face: int, readings: "Sequence[Prediction]") -> None:
        """One face of a frame and its time, numbered as `Tracker` numbers it, and each run's reading of it."""
        box = readings[0].box
        self._places.extend((frame, face, box.x, box.y, box.width, box.height))
        self._seconds.append(seconds)
        self._rolls.append(box.roll)
        for reading in readings:
            self._shares.extend(reading.probabilities.get(emotion, np.nan) for emotion in EMOTIONS)

    def places(self, rows: slice = slice(None)) -> np.ndarray:
        """int32 (N, 6): frame, number of the face, x, y, width, height."""
        return np.frombuffer(self._places, np.int32).reshape(-1, len(_PLACE))[rows].copy()

    def seconds(self, rows: slice = slice(None)) -> np.ndarray:
        """float64 (N,): the time of each face's frame in the video."""
        return np.frombuffer(self._seconds, np.float64)[rows].copy()

    def rolls(self, rows: slice = slice(None)) -> np.ndarray:
        """float32 (N,): by how many degrees each box is turned."""
        return np.frombuffer(self._rolls, np.float32)[rows].copy()

    def shares(self, rows: slice = slice(None)) -> np.ndarray:
        """float32 (N, runs, emotions): probabilities, NaN for an emotion that a run does not know."""
        return np.frombuffer(self._shares, np.float32).reshape(-1, len(self.runs), len(EMOTIONS))[rows].copy()

    def emotions(self, rows: slice = slice(None)) -> np.ndarray:
        """Of each face (N, runs): the most probable emotion, as its place in EMOTIONS."""
        return np.nan_to_num(self.shares(rows), nan=-1.0).argmax(axis=2)


def table(record: Record, names: Mapping[str, str], unsure_below: float, rows: slice = slice(None)) -> pd.DataFrame:
    """One row for each run, by its name, of each face of each frame in `rows`; shares in percent."""
    places, shares, runs = record.places(rows), record.shares(rows), len(record.runs)
    found = pd.DataFrame(np.repeat(places, runs, axis=0), columns=list(_PLACE))
    best = record.emotions(rows).reshape(-1)
    percents = 100.0 * shares.reshape(-1, len(EMOTIONS)).astype(float)
    confidence = np.take_along_axis(percents, best[:, None], axis=1)[:, 0]
    known = [name for place, name in enumerate(EMOTIONS) if not np.isnan(percents[:, place]).all()]
    found = found.assign(
        seconds=np.repeat(record.seconds(rows), runs),
        run=[names[run] for run in record.runs] * len(places),
        emotion=np.array(EMOTIONS)[best],
        confidence=confidence,
        sure=np.where(confidence < 100 * unsure_below, NOT_SURE, SURE),
        roll=np.repeat(record.rolls(rows), runs),
        **{name: percents[:, EMOTIONS.index(name)] for name in known},
    )
    return found[["frame", "seconds", "face", "run", *read_columns([dict.fromkeys(known)])]]


def to_csv(record: Record, unsure_below: float) -> bytes:
    """The whole table, the runs by their ids; UTF-8."""
    found, names = io.StringIO(), {run: run for run in record.runs}
    for rows in _stretches(record):
        text = table(record, names, unsure_below, rows).to_csv(index=False, header=rows.start == 0, float_format="%.4f")
        found.write(text)
    return found.getvalue().encode()


def to_json(record: Record, facts: Mapping[str, Any]) -> bytes:
    """`facts`, and under `faces` each face of each frame with its box and what each run reads in it."""
    found = io.BytesIO()
    found.write(json.dumps({**facts, "faces": []}, indent=1).removesuffix("]\n}").encode())
    for number, face in enumerate(_faces_json(record)):
        found.write((b",\n  " if number else b"\n  ") + json.dumps(face).encode())
    found.write(b"\n ]\n}\n")
    return found.getvalue()


def _faces_json(record: Record) -> Iterator[dict[str, Any]]:
    for rows in _stretches(record):
        places, times, rolls = record.places(rows), record.seconds(rows), record.rolls(rows)
        read = zip(places, times, rolls, record.shares(rows), record.emotions(rows), strict=True)
        for place, seconds, roll, shares, best in read:
            frame, face, *box = place.tolist()
            yield {
                "frame": frame,
                "seconds": round(float(seconds), 3),
                "face": face,
                "box": dict(zip(BOX, (*box, round(float(roll), 2)), strict=True)),
                "runs": {run: _reading_json(*each) for run, *each in zip(record.runs, shares, best, strict=True)},
            }


def _reading_json(shares: np.ndarray, best: int) -> dict[str, Any]:
    rounded = {name: round(float(share), 5) for name, share in zip(EMOTIONS, shares, strict=True) if share == share}
    return {"emotion": EMOTIONS[best], "confidence": rounded[EMOTIONS[best]], "probabilities": rounded}


def _stretches(record: Record) -> Iterator[slice]:
    """The whole record, AT_ONCE faces after the other; a first one, empty, where it holds none."""
    return (slice(start, start + AT_ONCE) for start in range(0, max(1, len(record)), AT_ONCE))


def faces_by_time(record: Record) -> dict[int, int]:
    """In how many frames each face is seen, by its number; those in most first."""
    numbers, counts = np.unique(record.places()[:, 1], return_counts=True)
    return {int(numbers[place]): int(counts[place]) for place in np.argsort(-counts, kind="stable")}


def usual_emotions(record: Record) -> dict[int, str]:
    """What the first run reads most often in each face, by its number."""
    numbers, faces = np.unique(record.places()[:, 1], return_inverse=True)
    counts = np.zeros((len(numbers), len(EMOTIONS)), int)
    np.add.at(counts, (faces, record.emotions()[:, 0]), 1)
    return {int(number): EMOTIONS[best] for number, best in zip(numbers, counts.argmax(axis=1), strict=True)}


def agreement(record: Record) -> float:
    """The share in [0, 1] of the faces of frames in which all runs name the same emotion."""
    best = record.emotions()
    return float((best == best[:, :1]).all(axis=1).mean())


def binned(record: Record, face: int, run: str) -> pd.DataFrame:
    """Shares of one face by one run over the seconds, at most MOST_POINTS means of each emotion.

    `part` counts the stretches in which the face is seen without a gap: a line is drawn within each. A gap is long in
    seconds and in frames: where few frames are shown for long, none is missing.
    """
    places = record.places()
    is_own = places[:, 1] == face
    shares = record.shares()[is_own, record.runs.index(run)]
    emotions = [name for place, name in enumerate(EMOTIONS) if not np.isnan(shares[:, place]).all()]
    own = pd.DataFrame(shares, columns=list(EMOTIONS))[emotions].assign(
        seconds=record.seconds()[is_own], frame=places[is_own, 0]
    )
    size = max(1, -(-len(own) // MOST_POINTS))
    means = own.groupby(np.arange(len(own)) // size)[["seconds", "frame", *emotions]].mean()
    steps = means[["seconds", "frame"]].diff()
    is_gap = (steps > 3 * steps.median()).all(axis=1) & (steps["seconds"] > 1.0)
    part = is_gap.cumsum() if len(means) > 1 else 0
    return means.assign(part=part).melt(["seconds", "part"], emotions, "emotion", "share")
