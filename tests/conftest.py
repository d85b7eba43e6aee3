"""What all tests share."""

import os
from pathlib import Path

import pytest

# Set before torch starts its threads: tests run beside each other on few cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

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
