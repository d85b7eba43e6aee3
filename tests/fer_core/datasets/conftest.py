"""Small sources of every format, made of the same few faces."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.labels import EMOTIONS

Files = Mapping[str, bytes]


def png(image: np.ndarray) -> bytes:
    """An image file whose pixels survive exactly; colour is given as RGB."""
    stored = image if image.ndim == 2 else image[..., ::-1]
    done, encoded = cv2.imencode(".png", stored)
    assert done
    return encoded.tobytes()


def face(seed: int, height: int = 48, width: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def colour_face(seed: int, height: int = 48, width: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def kaggle_files() -> dict[str, bytes]:
    """Two images of every class and official part, in Kaggle's layout."""
    files = {}
    for label, emotion in enumerate(EMOTIONS):
        for position, (folder, usage) in enumerate(
            (("train", "Training"), ("test", "PublicTest"), ("test", "PrivateTest"))
        ):
            for copy in range(2):
                image = face(label * 100 + position * 10 + copy)
                files[f"fer2013/{folder}/{emotion}/{usage}_{copy}.png"] = png(image)
    return files


def write_folder(root: Path, files: Files) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: Files) -> Path:
    compression = {".xz": "xz", ".gz": "gz", ".bz2": "bz2"}.get(path.suffix, "")
    with tarfile.open(path, f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def csv_rows(count: int = 21) -> list[tuple[int, str, str]]:
    """(emotion, pixels, Usage) with every class in every part."""
    usages = ("Training", "PublicTest", "PrivateTest")
    return [(row % 7, " ".join(map(str, face(row).ravel())), usages[row // 7 % 3]) for row in range(count)]


def write_csv(path: Path, rows: list[tuple[int, str, str]]) -> Path:
    lines = ["emotion,pixels,Usage", *(f'{emotion},"{pixels}",{usage}' for emotion, pixels, usage in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


class Make:
    """The helpers above, for tests: files are imported by path here, so that fixtures carry them."""

    png = staticmethod(png)
    face = staticmethod(face)
    colour_face = staticmethod(colour_face)
    folder = staticmethod(write_folder)
    zip = staticmethod(write_zip)
    tar = staticmethod(write_tar)
    csv_rows = staticmethod(csv_rows)
    csv = staticmethod(write_csv)


@pytest.fixture
def make() -> type[Make]:
    return Make


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty folder for prepared datasets."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def nothing_left(data_dir: Path) -> Callable[[], bool]:
    """Whether the folder of prepared datasets is still empty, hidden files included."""
    return lambda: not list(data_dir.iterdir())


@pytest.fixture
def sfew_stills(shared_data: Path, tmp_path: Path) -> Callable[[int], Path]:
    """Every n-th of SFEW's 675 film stills, as an archive like the whole one."""

    def every(step: int) -> Path:
        part = tmp_path / f"every_{step}.tar"
        with tarfile.open(shared_data / "sfew.tar") as whole, tarfile.open(part, "w") as archive:
            for entry in [entry for entry in whole if entry.isfile()][::step]:
                archive.addfile(entry, whole.extractfile(entry))
        return part

    return every
