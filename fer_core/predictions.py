"""How predictions.npz is packed: small, every answer as it was, the same bytes for the same predictions."""

import io
import lzma
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

PREDICTION_KEYS = tuple(f"{split}_{what}" for split in ("valid", "test") for what in ("ids", "labels", "probabilities"))
TEXTS = ("_ids", "_folds")
RELATIVE_BITS = 3  # a probability is kept within 2^-4 of itself, ...
ABSOLUTE_BITS = 8  # ... and within 2^-9: what lies below is noise, and half of the file
UNREADABLE = (ValueError, OSError, EOFError, zipfile.BadZipFile, lzma.LZMAError)


def pack_predictions(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A packed npz: ids as bytes, labels as uint8, flags as bool, probabilities as float16 (see `_rounded`)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, _compact(key, array), allow_pickle=False)
            # a ZipInfo of its own has a fixed date: the same predictions give the same file
            archive.writestr(zipfile.ZipInfo(f"{key}.npy"), member.getvalue(), _packing(key))
    return buffer.getvalue()


def unpack_predictions(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a packed file: ids as str, labels as int64; raises one of UNREADABLE if it is damaged."""
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as archive:
        return {key: _decoded(key, archive[key]) for key in archive.files}


def of_fold(predictions: Mapping[str, np.ndarray], fold: str) -> dict[str, np.ndarray]:
    """What one fold predicted, of the arrays of both splits; all of it where they are not of several folds."""
    if "test_folds" not in predictions:
        return dict(predictions)
    chosen = {split: predictions[f"{split}_folds"] == fold for split in ("valid", "test")}
    return {key: array[chosen[key.partition("_")[0]]] for key, array in predictions.items()}


def _packing(key: str) -> int:
    """What packs a member smallest: texts repeat themselves, probabilities only have more and less frequent bytes."""
    return zipfile.ZIP_BZIP2 if key.endswith("probabilities") else zipfile.ZIP_LZMA


def _compact(key: str, array: np.ndarray) -> np.ndarray:
    if key.endswith(TEXTS):
        return np.char.encode(array.astype(str), "utf-8")
    if key.endswith("_clean"):
        return array.astype(bool)
    return array.astype(np.uint8) if key.endswith("_labels") else _rounded(array.astype(np.float16))


def _rounded(probabilities: np.ndarray) -> np.ndarray:
    """Float16 (N, classes) without its last bits, which do not compress, and with the same most probable classes.

    Every value lies within 2^-9 (0.002) and within 6.3 % of what it was; a row whose most probable class would
    change stays as it was.
    """
    exponent = np.frexp(probabilities)[1].astype(np.float64)
    step = np.exp2(np.minimum(exponent - 1 - RELATIVE_BITS, -ABSOLUTE_BITS))
    rounded: np.ndarray = (np.round(probabilities / step) * step).astype(np.float16)
    tied = rounded.argmax(axis=1) != probabilities.argmax(axis=1)
    rounded[tied] = probabilities[tied]
    return rounded


def _decoded(key: str, array: np.ndarray) -> np.ndarray:
    if key.endswith(TEXTS):
        return np.char.decode(array, "utf-8")
    if key.endswith("_clean"):
        return array.astype(bool)
    return array.astype(np.int64) if key.endswith("_labels") else array
