"""What runs read in the faces of photos and videos, as data frames and JSON; shares are percentages in the tables.

Boxes are in pixels of the upright file, also where a large photo was reduced when it was read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
from streamlit import column_config as column

from dashboard.formats import percent, plural
from dashboard.photos.faces import Face, Looked, Refused
from fer_core.labels import EMOTIONS

if TYPE_CHECKING:
    # importing this would import OpenCV
    from fer_core.inference import Prediction

ALL, UNSURE, DISAGREED = "All", "Unsure", "Runs disagree"
SURE, NOT_SURE = "yes", "unsure"
BOX = ("x", "y", "width", "height", "roll")


def face_rows(
    looked: Sequence[Looked], names: Mapping[str, str], unsure_below: float, shown: str = ALL
) -> pd.DataFrame:
    """One row for each face of each photo and each run, the runs by `names`; `shown` is one of the three kinds.

    `place` is the photo's place in `looked`. An emotion that a run does not know is NaN.
    """
    rows = [
        {
            **{"place": place, "photo": photo.name, "face": face.number, "run": names[run]},
            **reading_row(replace(reading, box=reading.box.scaled(*photo.scale))),
            "sure": NOT_SURE if reading.confidence < unsure_below else SURE,
            "box": "drawn" if photo.is_drawn else "found",
        }
        for place, photo in enumerate(looked)
        for face in photo.faces
        if _is_shown(face, unsure_below, shown)
        for run, reading in face.readings.items()
    ]
    return pd.DataFrame(rows, columns=["place", "photo", "face", "run", *read_columns(rows), "box"])


def _is_shown(face: Face, unsure_below: float, shown: str) -> bool:
    return (
        shown == ALL or (shown == UNSURE and face.is_unsure(unsure_below)) or (shown == DISAGREED and not face.agrees)
    )


def reading_row(reading: "Prediction") -> dict[str, Any]:
    """What a run reads in a face, and where the face is; shares in percent."""
    box = reading.box.to_json()
    return {
        "emotion": reading.emotion,
        "confidence": 100 * reading.confidence,
        **{emotion: 100 * share for emotion, share in reading.probabilities.items()},
        **{name: box[name] for name in BOX},
    }


def read_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of `reading_row` with `sure`, in their order; emotions that no row has are left out."""
    known = {name for row in rows for name in row}
    return ["emotion", "confidence", "sure", *(each for each in EMOTIONS if each in known), *BOX]


def face_columns(table: pd.DataFrame) -> dict[str, Any]:
    """How `face_rows` and `record.table` are shown."""
    emotions = [each for each in EMOTIONS if each in table]
    several = "run" in table and table["run"].nunique() > 1
    return {
        "place": None,
        "photo": column.TextColumn("Photo", pinned=True),
        "frame": column.NumberColumn("Frame", format="%d", pinned=True),
        "seconds": column.NumberColumn("Time (s)", format="%.2f", pinned=True),
        "face": column.NumberColumn("Face", format="%d", width=60),
        "run": column.TextColumn("Run", width=60) if several else None,
        "emotion": column.TextColumn("Emotion"),
        "confidence": column.NumberColumn("Confidence (%)", format="%.1f"),
        "sure": column.TextColumn("Sure?", width=80, help="Unsure: confidence below the chosen limit."),
        **{each: column.NumberColumn(f"{each.capitalize()} (%)", format="%.1f") for each in emotions},
        **{name: column.NumberColumn(f"{name.capitalize()} (px)", format="%d") for name in BOX[:4]},
        "roll": column.NumberColumn("Roll (°)", format="%.1f", help="By how much the box is turned, clockwise."),
        "box": column.TextColumn("Box", width=80, help="Found by the detector, or drawn or corrected by hand."),
    }


def shares(face: Face, letters: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row for each emotion and run of a face: `share` in [0, 1], as text, and the run's letter and place."""
    return [
        {
            "place": place,
            "run": letters[run],
            "emotion": emotion,
            "share": share,
            "share_text": percent(share, 0),
        }
        for place, (run, reading) in enumerate(face.readings.items())
        for emotion, share in reading.probabilities.items()
    ]


def summary(looked: Sequence[Looked], refused: Sequence[Refused], unsure_below: float) -> str:
    """What was read in all photos: `12 photos · 31 faces · 4 unsure · 1 file refused`."""
    faces = [face for photo in looked for face in photo.faces]
    unsure = sum(face.is_unsure(unsure_below) for face in faces)
    disagreed = sum(not face.agrees for face in faces)
    parts = [
        plural(len(looked), "photo"),
        plural(len(faces), "face"),
        f"{unsure} unsure" if unsure else "",
        f"{disagreed} on which runs disagree" if disagreed else "",
        f"{plural(len(refused), 'file')} refused" if refused else "",
    ]
    return " · ".join(part for part in parts if part)


def to_json(looked: Sequence[Looked], refused: Sequence[Refused], settings: Mapping[str, Any]) -> bytes:
    """Everything but the pixels, for programs: photos, their faces, and what each run reads; shares in [0, 1]."""
    photos = [
        {
            "name": photo.name,
            "width": round(photo.scale[0] * photo.width),
            "height": round(photo.scale[1] * photo.height),
            "boxes": "drawn" if photo.is_drawn else "found",
            "notes": list(photo.notes),
            "faces": [_face_json(face, photo.scale) for face in photo.faces],
        }
        for photo in looked
    ]
    files = [{"name": each.name, "reason": each.reason} for each in refused]
    return json.dumps({**settings, "photos": photos, "refused": files}, indent=2).encode()


def _face_json(face: Face, scale: tuple[float, float]) -> dict[str, Any]:
    said = {
        run: {
            "emotion": reading.emotion,
            "confidence": reading.confidence,
            "probabilities": dict(reading.probabilities),
        }
        for run, reading in face.readings.items()
    }
    return {"box": face.box.scaled(*scale)._asdict(), "runs": said}
