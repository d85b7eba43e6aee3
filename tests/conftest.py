"""What all tests share."""

import fcntl
import os

# Set before torch starts its threads: tests run beside each other on few cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest

from fer_core.datasets import FaceDataset, load_dataset, prepare

SHARED_DATA = Path(os.environ.get("FER_SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_data)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real datasets; tests that need it skip where it is absent."""
    if not (SHARED_DATA / "fer2013.tar.xz").is_file():
        pytest.skip(f"the real datasets are not on this machine (looked in {SHARED_DATA}; set FER_SHARED_DATA)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def fer2013(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> FaceDataset:
    """The real FER2013, prepared once for all workers of one test session."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "real-data"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "fer2013").is_dir():
            prepare(shared_data / "fer2013.tar.xz", "fer2013", folder)
    return load_dataset("fer2013", folder)
