"""Turn a source into a prepared dataset: one array of one size and colour, sorted, counted and hashed."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.datasets.cache import SCHEMA_VERSION, building, check_free, load_prepared, publish, write_manifest
from fer_core.datasets.descriptor_table import is_descriptor_table, prepare_table
from fer_core.datasets.errors import SourceError
from fer_core.datasets.face_dataset import FaceDataset, count_table
from fer_core.datasets.faces import crop_faces
from fer_core.datasets.gather import gather
from fer_core.datasets.geometry import Geometry, Wanted, as_shown, choose_geometry
from fer_core.datasets.members import Source
from fer_core.datasets.official import missing_from_fer2013
from fer_core.datasets.progress import Progress, no_progress, part_of
from fer_core.datasets.readers import SPLITS
from fer_core.datasets.sources import open_source
from fer_core.datasets.spool import Spool
from fer_core.labels import EMOTIONS

AS_IS = Wanted()
READING_SHARE = 0.05  # of the time, where faces are looked for after the reading
_ARCHIVE_SUFFIXES = re.compile(r"\.(zip|tar|tgz|csv|tar\.(xz|gz|bz2))$", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-]+")


def prepare(
    source: Path,
    name: str | None = None,
    folder: Path | None = None,
    progress: Progress = no_progress,
    wanted: Wanted = AS_IS,
    *,
    replace: bool = False,
) -> FaceDataset:
    """Read `source` (folder, zip, tar or CSV) into the cache and open it.

    `name` defaults to `fer2013` for a complete FER2013 and to the source's own name otherwise; `folder` to the
    data folder. `wanted` asks for a size, for gray, or for faces cropped from the pictures. An earlier dataset
    of that name and the same content is replaced, in one step, once all went well; one of other content only with
    `replace`.
    Raises SourceError, naming file and row, for anything that cannot be read, and DatasetError rather than replace.
    """
    if is_descriptor_table(source):
        if wanted != AS_IS:
            raise SourceError(f"{source.name} holds descriptors, not pictures; leave out --faces, --size and --gray")
        return prepare_table(source, name or own_name(source), folder, replace=replace)
    opened = open_source(source)
    if name is not None:
        check_free(name, folder)
    with building(folder) as workplace:
        with _spooled(opened, workplace, wanted, progress) as spool:
            manifest = _write_arrays(workplace, spool, opened, wanted)
        # Kaggle calls FER2013 archive.zip; nothing but the whole of it, as it is, earns the name.
        complete = spool.is_fer2013 and not manifest["missing"] and wanted == AS_IS
        name = name or ("fer2013" if complete else own_name(source))
        write_manifest(workplace, {"name": name, **manifest})
        publish(workplace, name, folder, replace=replace)
    return load_prepared(name, folder)


@contextmanager
def _spooled(source: Source, workplace: Path, wanted: Wanted, progress: Progress) -> Iterator[Spool]:
    """The images of a source, or the faces in them where faces are wanted."""
    with Spool(workplace / "pictures") as pictures:
        if wanted.without_face is None:
            gather(source, pictures, progress)
            progress(1.0, len(pictures.shapes))
            yield pictures
            return
        gather(source, pictures, part_of(progress, 0.0, READING_SHARE))
        with Spool(workplace / "faces") as faces:
            rows = _rows_in_order(pictures, source.name)
            crop_faces(pictures, rows, faces, wanted, source.name, part_of(progress, READING_SHARE, 1.0))
            yield faces


def own_name(source: Path) -> str:
    """The source's own name without its suffixes, in lower case."""
    stem = _ARCHIVE_SUFFIXES.sub("", source.resolve().name)
    return _UNSAFE.sub("-", stem).strip("-.").lower()[:64] or "dataset"


def _write_arrays(workplace: Path, spool: Spool, source: Source, wanted: Wanted) -> dict[str, Any]:
    rows = _rows_in_order(spool, source.name)
    labels = np.array([spool.places[row].label for row in rows], np.uint8)
    ids = np.array([spool.places[row].id for row in rows])
    split = np.array([spool.places[row].split for row in rows])
    geometry = choose_geometry([spool.shapes[row] for row in rows], wanted)
    aspect = wanted.aspect if wanted.without_face is None else None  # faces were cut from pictures as they are shown
    digest = _write_images(workplace / "images.npy", spool, rows, geometry, aspect)
    digest.update(labels.tobytes())
    for part, column in (("labels", labels), ("ids", ids), ("split", split)):
        np.save(workplace / f"{part}.npy", column, allow_pickle=False)
    counts = count_table(labels, split)
    shaped = geometry.remarks() if wanted.without_face is None else geometry.colour_remarks()
    if aspect is not None:
        shaped.append(f"their width made {aspect:.3g} times their height before")
    return {
        "schema_version": SCHEMA_VERSION,
        "source": {"format": spool.format, "file": source.name},
        "synthetic": False,
        "images": len(rows),
        "image_shape": list(geometry.shape),
        "original_sizes": _sizes([(spool.originals or spool.shapes)[row] for row in rows]),
        "counts": counts,
        "sha256": digest.hexdigest(),
        "conversions": [*shaped, *_counted(spool.notes), *spool.remarks],
        "missing": missing_from_fer2013(counts) if spool.is_fer2013 else _missing(counts),
    }


def _sizes(shapes: list[tuple[int, ...]]) -> list[list[int]]:
    """`[width, height, images]` of each size of the pictures that were read, the most frequent first."""
    found = Counter((shape[1], shape[0]) for shape in shapes)
    return [[*size, number] for size, number in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


def _rows_in_order(spool: Spool, source: str) -> list[int]:
    """Rows by split and id, so that one dataset has one hash whatever it was read from."""
    if not spool.places:
        raise SourceError(f"{source} holds no image")
    order = {split: position for position, split in enumerate((*SPLITS, ""))}
    rows = sorted(range(len(spool.places)), key=lambda row: (order[spool.places[row].split], spool.places[row].id))
    unique = rows[:1]
    for row in rows[1:]:
        if spool.places[row].id != spool.places[unique[-1]].id:
            unique.append(row)
        elif spool.places[row] != spool.places[unique[-1]] or not np.array_equal(
            spool.read(row), spool.read(unique[-1])
        ):
            raise SourceError(f"{source} holds two different images called '{spool.places[row].id}'")
    if len(unique) < len(rows):
        spool.remarks.append(f"{len(rows) - len(unique):,} images that stand twice in {source} were read once")
    if len({spool.places[row].label for row in unique}) < 2:
        emotion = EMOTIONS[spool.places[unique[0]].label]
        raise SourceError(f"{source} holds a single class, {emotion}; at least two are needed")
    return unique


def _write_images(
    path: Path, spool: Spool, rows: list[int], geometry: Geometry, aspect: float | None
) -> "hashlib._Hash":
    digest = hashlib.sha256()
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(rows), *geometry.shape)}
        np.lib.format.write_array_header_1_0(file, header)
        for row in rows:
            pixels = geometry.convert(as_shown(spool.read(row), aspect)).tobytes()
            digest.update(pixels)
            file.write(pixels)
    return digest


def _counted(notes: Counter[str]) -> list[str]:
    return [f"{count:,} images {what}" for what, count in sorted(notes.items())]


def _missing(counts: dict[str, dict[str, int]]) -> list[str]:
    absent = [split for split in SPLITS if split not in counts]
    told = [
        f"no official {' and no official '.join(absent)} images" if len(absent) < len(SPLITS) else "no official split"
    ]
    return told[: len(absent)] + [
        f"no image of {emotion}{f' in {split}' if split else ''}"
        for split, classes in counts.items()
        for emotion, count in classes.items()
        if count == 0
    ]
