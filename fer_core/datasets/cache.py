"""The prepared datasets on disk: one folder each, built aside and moved into place whole.

<data_dir>/<name>/images.npy labels.npy ids.npy split.npy manifest.json
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fer_core import paths
from fer_core.datasets.errors import DatasetError, DatasetMissingError
from fer_core.datasets.face_dataset import FaceDataset

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


def check_name(name: str) -> str:
    """`name` itself; raises DatasetError if it cannot be the name of a folder and a run."""
    if not _NAME.fullmatch(name) or name.endswith((".npy", ".json")):
        raise DatasetError(f"'{name}' cannot name a dataset; use letters, digits, '_', '-' and '.', at most 64")
    return name


def dataset_folder(name: str, folder: Path | None = None) -> Path:
    """Where the dataset `name` lies or would lie; `folder` defaults to the data folder."""
    return (folder or paths.data_dir()) / check_name(name)


def prepared_names(folder: Path | None = None) -> list[str]:
    """Names of the prepared datasets, sorted."""
    root = folder or paths.data_dir()
    if not root.is_dir():
        return []
    return sorted(each.parent.name for each in root.glob(f"*/{MANIFEST}") if not each.parent.name.startswith("."))


def load_prepared(name: str, folder: Path | None = None) -> FaceDataset:
    """Open a prepared dataset, images memory-mapped; raises DatasetMissingError or DatasetError."""
    place = dataset_folder(name, folder)
    if not (place / MANIFEST).is_file():
        raise DatasetMissingError(_missing(name, folder))
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        images = np.load(place / "images.npy", mmap_mode="r", allow_pickle=False)
        labels, ids, split = (np.load(place / f"{part}.npy", allow_pickle=False) for part in ("labels", "ids", "split"))
        _check_consistency(manifest, images, labels, ids, split)
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        told = f"the prepared dataset '{name}' in {place.parent} is damaged ({error}); prepare it again"
        raise DatasetError(told) from error
    return FaceDataset(name, images, labels, ids, split, manifest)


def check_free(name: str, folder: Path | None = None) -> Path:
    """The folder for a dataset `name`; raises DatasetError where something else is in its place."""
    if name == "synthetic":
        raise DatasetError("'synthetic' is the name of the drawn faces; choose another --name")
    target = dataset_folder(name, folder)
    if target.exists() and not (target / MANIFEST).is_file():
        raise DatasetError(f"{target} exists and is not a prepared dataset; choose another --name")
    return target


@contextmanager
def building(folder: Path | None = None) -> Iterator[Path]:
    """A temporary folder beside the datasets, to be published or else to vanish when the block ends.

    Raises FerError where it cannot be made, or written into.
    """
    root = folder or paths.data_dir()
    try:
        paths.check_folder(root)
        root.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(prefix=".preparing.", dir=root))
    except OSError as error:
        raise DatasetError(f"cannot write to {root}: {error.strerror}") from error
    try:
        yield workplace
    except OSError as error:
        raise DatasetError(f"cannot write to {root}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def publish(workplace: Path, name: str, folder: Path | None = None, *, replace: bool = False) -> None:
    """Move a finished folder to where the dataset `name` is looked for, in place of an earlier one of the same content.

    Raises DatasetError where the earlier one holds something else, unless `replace` allows that.
    """
    target = check_free(name, folder)
    workplace.chmod(0o755)
    if not target.exists():
        workplace.replace(target)
        return
    if not replace:
        _check_same(workplace, target)
    # No system replaces a full folder in one step: the old one steps aside and comes back if the move fails.
    aside = workplace.with_name(f"{workplace.name}.old")
    target.replace(aside)
    try:
        workplace.replace(target)
    except BaseException:
        aside.replace(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def write_manifest(workplace: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest, the last file of a dataset in the making."""
    (workplace / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _check_same(workplace: Path, target: Path) -> None:
    """Raise DatasetError where the dataset at `target` holds other content; a damaged part of it is no difference."""
    new, earlier = _manifest(workplace), _manifest(target)
    if new is None or earlier is None:
        return
    same = all(new[key] == earlier[key] for key in ("sha256", "image_shape"))  # the hash is of pixels and labels
    if not (same and all(_is_same_column(workplace / part, target / part) for part in ("ids.npy", "split.npy"))):
        raise DatasetError(
            f"the dataset '{target.name}' is there already, with {_content(earlier)}, and would be replaced by other "
            f"content, {_content(new)}; give --name NEW to keep both, or --replace"
        )


def _manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a dataset; None where it is damaged."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(manifest, dict) and {"sha256", "images", "image_shape", "source"} <= manifest.keys()
    return manifest if known else None


def _is_same_column(new: Path, earlier: Path) -> bool:
    try:
        return np.array_equal(np.load(new, allow_pickle=False), np.load(earlier, allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return True


def _content(manifest: dict[str, Any]) -> str:
    """`35,887 images of 48×48 from fer2013.csv`; a table of descriptors has no size."""
    shape = manifest["image_shape"]
    size = f" of {shape[1]}×{shape[0]}{' in colour' if len(shape) > 2 else ''}" if len(shape) > 1 else ""
    return f"{manifest['images']:,} images{size} from {manifest['source']['file']}"


def _check_consistency(manifest: dict[str, Any], images: np.ndarray, *columns: np.ndarray) -> None:
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema version {manifest['schema_version']} instead of {SCHEMA_VERSION}")
    table = images.dtype == np.float64 and images.ndim == 2  # of descriptors
    if not table and (images.dtype != np.uint8 or images.ndim not in (3, 4)):
        raise ValueError(f"images are {images.dtype} of {images.ndim} dimensions")
    lengths = {manifest["images"], len(images), *map(len, columns)}
    if len(lengths) != 1 or list(images.shape[1:]) != manifest["image_shape"]:
        raise ValueError("its files do not belong together")


def _missing(name: str, folder: Path | None) -> str:
    there = ", ".join([*prepared_names(folder), "synthetic"])
    if name == "fer2013":
        return (
            "FER2013 is not prepared yet: run `python -m fer_core data prepare SOURCE` on Kaggle's zip or fer2013.csv, "
            "or `python -m fer_core data download fer2013`; to try at once, use `--dataset synthetic`"
        )
    return (
        f"there is no prepared dataset '{name}' (there are: {there}): run `python -m fer_core data prepare SOURCE "
        f"--name {name}`, or for FER2013 `python -m fer_core data download fer2013`; "
        "to try at once, use `--dataset synthetic`"
    )
