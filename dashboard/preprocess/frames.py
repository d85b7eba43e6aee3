"""A face on its way through a pipeline: the picture after each step, and what is counted on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard.pictures import flat, gray, npz

if TYPE_CHECKING:
    # importing this would import torch
    from fer_core.preprocessing import Stage

RAW = "raw"
LEVELS = 256
BINS = 64
NO_FACE = "face_crop: no face"  # how face_crop begins what it counts then


@dataclass(frozen=True, eq=False)
class Frame:
    """The picture after a step: uint8 (H, W) or (H, W, 3); `step` is `raw` for the picture as it was given."""

    step: str
    image: np.ndarray
    milliseconds: float = 0.0
    note: str = ""
    training_only: bool = False

    @property
    def gray(self) -> np.ndarray:
        """The picture's grey levels, uint8 (H, W)."""
        return gray(self.image)


def frames_of(stages: "Sequence[Stage]") -> list[Frame]:
    """A trace of one image as frames."""
    return [_frame(stage) for stage in stages]


def _frame(stage: "Stage") -> Frame:
    missed = sum(amount for note, amount in stage.notes.items() if note.startswith(NO_FACE))
    return Frame(
        str(stage.step or RAW),
        flat(stage.images[0].permute(1, 2, 0).cpu().numpy()),
        1000 * stage.seconds,
        "no face found, the picture is kept" if missed else "",
        stage.step is not None and stage.step.training_only,
    )


def difference(after: Frame, before: Frame) -> np.ndarray:
    """How many grey levels each pixel rose, int16 (H, W)."""
    return after.gray.astype(np.int16) - before.gray


def histogram(frame: Frame) -> np.ndarray:
    """How many pixels have each grey level, int64 (256,)."""
    return np.bincount(frame.gray.ravel(), minlength=LEVELS)


def histogram_table(frame: Frame, before: Frame | None) -> pd.DataFrame:
    """Share in [0, 1] of the pixels in each of 64 bins of grey levels: `after`, and `before` the step."""
    shares = [_binned(each) for each in (frame, before or frame)]
    level = np.arange(BINS) * (LEVELS // BINS)
    return pd.DataFrame({"level": level, "to": level + LEVELS // BINS - 1, "after": shares[0], "before": shares[1]})


def _binned(frame: Frame) -> np.ndarray:
    shares: np.ndarray = histogram(frame).reshape(BINS, -1).sum(axis=1) / frame.gray.size
    return shares


def figures(frame: Frame) -> dict[str, float]:
    """Mean, deviation, lowest and highest grey level of a picture."""
    gray = frame.gray
    return {
        "mean": float(gray.mean()),
        "deviation": float(gray.std()),
        "lowest": float(gray.min()),
        "highest": float(gray.max()),
    }


def changed_share(after: Frame, before: Frame) -> float:
    """Share in [0, 1] of the pixels that a step changed."""
    return float((difference(after, before) != 0).mean())


def table(traces: Mapping[str, Sequence[Frame]]) -> pd.DataFrame:
    """One row for each step of each pipeline: its time, and what is counted on the picture after it."""
    rows = [
        {
            "pipeline": pipeline,
            "position": position,
            "step": frame.step,
            "milliseconds": frame.milliseconds,
            **figures(frame),
            "changed": 100 * changed_share(frame, frames[max(0, position - 1)]),
        }
        for pipeline, frames in traces.items()
        for position, frame in enumerate(frames)
    ]
    return pd.DataFrame(rows)


def to_npz(traces: Mapping[str, Sequence[Frame]]) -> bytes:
    """All pictures and histograms as NumPy's compressed archive.

    `pipelines` (P,) are the names; `pictures_<p>` uint8 (steps, H, W[, 3]), `histograms_<p>` (steps, 256),
    `steps_<p>` and `milliseconds_<p>` (steps,) belong to the pipeline at place p, from 0.
    """
    arrays: dict[str, np.ndarray] = {"pipelines": np.array(list(traces))}
    for place, frames in enumerate(traces.values()):
        arrays[f"pictures_{place}"] = np.stack([frame.image for frame in frames])
        arrays[f"histograms_{place}"] = np.stack([histogram(frame) for frame in frames])
        arrays[f"steps_{place}"] = np.array([frame.step for frame in frames])
        arrays[f"milliseconds_{place}"] = np.array([frame.milliseconds for frame in frames])
    return npz(arrays)
