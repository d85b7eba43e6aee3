"""`sfew_lpq_phog.csv`: the LPQ and PHOG components of SFEW's frames that paper 3's authors computed.

Prepared like any dataset, but with ten columns of numbers in the place of pixels.
"""

import csv
import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_core.datasets.cache import SCHEMA_VERSION, building, load_prepared, publish, write_manifest
from fer_core.datasets.errors import SourceError, not_utf8
from fer_core.datasets.face_dataset import FaceDataset, count_table
from fer_core.labels import EMOTIONS

COMPONENTS = 5
DESCRIPTORS = ("lpq", "phog")
COLUMNS = tuple(f"{descriptor}_pc{number}" for descriptor in DESCRIPTORS for number in range(1, COMPONENTS + 1))
SFEW_EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""SFEW's labels 1..7 by name: an order of its own, not that of EMOTIONS."""
_NEEDED = ("image", "label", *COLUMNS)


@dataclass(frozen=True)
class DescriptorTable:
    """One row per frame: `features` float64 (N, 10), `labels` uint8 (index into EMOTIONS), `ids` "<class>/<frame>".

    `filled` holds the ids of frames that lack a descriptor: a frame without an edge has no PHOG in the
    authors' table. A principal component's mean is 0, and so is what stands in for the missing ones.
    """

    features: NDArray[np.float64]
    labels: NDArray[np.uint8]
    ids: NDArray[np.str_]
    filled: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def is_descriptor_table(path: Path) -> bool:
    """Whether `path` is a CSV file whose header names the components."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return set(_NEEDED) <= set(next(csv.reader([stream.readline(4096)]), []))


def prepare_table(path: Path, name: str, folder: Path | None = None, *, replace: bool = False) -> FaceDataset:
    """Read the table at `path` into the cache as the dataset `name`.

    Raises SourceError as `read_table` does, and DatasetError where a dataset of that name holds something else,
    unless `replace` allows that.
    """
    table = read_table(path)
    order = np.argsort(table.ids)
    columns, labels, ids = table.features[order], table.labels[order], table.ids[order]
    split = np.full(len(ids), "")
    filled = f"{len(table.filled)} frames without a descriptor stand at the mean of its components"
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "source": {"format": "descriptor_table", "file": path.name},
        "synthetic": False,
        "images": len(ids),
        "image_shape": [columns.shape[1]],
        "counts": count_table(labels, split),
        "sha256": hashlib.sha256(columns.tobytes() + labels.tobytes()).hexdigest(),
        "conversions": [f"{len(ids)} rows of {columns.shape[1]} columns kept", *([filled] if table.filled else [])],
        "missing": ["no official split", "no pixels: descriptors alone"],
    }
    with building(folder) as workplace:
        for part, content in (("images", columns), ("labels", labels), ("ids", ids), ("split", split)):
            np.save(workplace / f"{part}.npy", content, allow_pickle=False)
        write_manifest(workplace, manifest)
        publish(workplace, name, folder, replace=replace)
    return load_prepared(name, folder)


def read_table(path: Path) -> DescriptorTable:
    """Read the table at `path`; raises SourceError with the row for whatever it cannot take."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            _check_columns(path, reader.fieldnames or ())
            rows = [_read_row(path.name, number, row) for number, row in enumerate(reader, start=1)]
    except UnicodeDecodeError as error:
        raise not_utf8(path.name) from error
    except (OSError, csv.Error) as error:
        raise SourceError(f"cannot read the feature table {path}: {error}") from error
    if not rows:
        raise SourceError(f"{path.name} has a header and no rows")
    _check_ids(path.name, [row.id for row in rows])
    return DescriptorTable(
        features=np.array([row.values for row in rows]),
        labels=np.array([row.label for row in rows], np.uint8),
        ids=np.array([row.id for row in rows]),
        filled=tuple(row.id for row in rows if row.is_filled),
    )


@dataclass(frozen=True)
class _Row:
    id: str
    label: int
    values: tuple[float, ...]
    is_filled: bool


def _check_columns(path: Path, names: Collection[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise SourceError(f"{path.name} lacks the column {missing[0]!r}; it needs {', '.join(_NEEDED)}")


def _read_row(name: str, number: int, row: Mapping[str | None, str | None]) -> _Row:
    try:
        if None in row or None in row.values():
            raise ValueError("it has more or fewer cells than the header")
        cells = {str(column): str(cell).strip() for column, cell in row.items()}
        emotion = _emotion(cells)
        if not cells["image"]:
            raise ValueError("the image has no name")
        parts = [_components(cells, descriptor) for descriptor in DESCRIPTORS]
    except ValueError as error:
        raise SourceError(f"{name}, row {number} (line {number + 1}): {error}") from None
    values = tuple(value for part in parts for value in part or (0.0,) * COMPONENTS)
    return _Row(f"{emotion}/{cells['image']}", EMOTIONS.index(emotion), values, None in parts)


def _emotion(cells: Mapping[str, str]) -> str:
    label = cells["label"]
    if label not in map(str, range(1, len(SFEW_EMOTIONS) + 1)):
        choices = ", ".join(f"{number} {emotion}" for number, emotion in enumerate(SFEW_EMOTIONS, start=1))
        raise ValueError(f"the label is {label[:40]!r}; choose from {choices}")
    emotion = SFEW_EMOTIONS[int(label) - 1]
    if cells.get("emotion", emotion) != emotion:
        raise ValueError(f"label {label} is {emotion}, but the row says {cells['emotion'][:40]!r}")
    return emotion


def _components(cells: Mapping[str, str], descriptor: str) -> tuple[float, ...] | None:
    """The components of one descriptor; None where all its cells are empty."""
    columns = [column for column in COLUMNS if column.startswith(descriptor)]
    if not any(cells[column] for column in columns):
        return None
    return tuple(_number(column, cells[column]) for column in columns)


def _number(column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{column} is {text[:40]!r}, not a number")
    return value


def _check_ids(name: str, ids: list[str]) -> None:
    seen: dict[str, int] = {}
    for number, each in enumerate(ids, start=1):
        if each in seen:
            raise SourceError(f"{name}, row {number} (line {number + 1}): {each} stands in row {seen[each]} already")
        seen[each] = number
