"""Folders that are named to be written into."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from fer_core.errors import FerError
from fer_core.paths import check_folder, make_folder


def test_a_folder_that_can_be_written_into_or_made_passes_and_nothing_is_left(tmp_path: Path) -> None:
    check_folder(tmp_path)
    check_folder(tmp_path / "new" / "deeper")
    assert list(tmp_path.iterdir()) == []
    make_folder(tmp_path / "new" / "deeper")
    assert (tmp_path / "new" / "deeper").is_dir()


@pytest.mark.parametrize("below", ["", "new/deeper"])
def test_a_file_is_no_folder_and_has_none_below_it(tmp_path: Path, below: str) -> None:
    taken = tmp_path / "taken.txt"
    taken.write_text("text")
    with pytest.raises(FerError, match=r"taken.txt' is no folder; name a folder"):
        check_folder(taken / below)
    with pytest.raises(FerError, match="nothing can be written into folder"):
        make_folder(taken / below)
    assert taken.read_text() == "text"


def test_a_link_to_nothing_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(FerError, match="link' is no folder"):
        check_folder(tmp_path / "link")


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_into_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    def refuse(**_: object) -> str:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(FerError, match=f"nothing can be written into folder .*new': {os.strerror(reason)}; name"):
        check_folder(tmp_path / "new")


def test_a_full_disk_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(OSError, match="No space"):
        check_folder(tmp_path)
