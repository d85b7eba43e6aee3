"""Replacing a file, so that a power cut leaves the old one or the new one: never an empty one, nor half of one."""

import os
import platform
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes | memoryview, *, settled: bool = True) -> None:
    """Put `content` in the place of `path` at once; on a full disk `path` stays as it was.

    The content is on the disk before it takes the name: not every file system sees to that order itself. With
    `settled` the new name is on the disk too on return; else a power cut may bring the old content back.
    """
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        _settle(temporary, os.O_RDWR)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if settled:
        with suppress(OSError):  # Windows opens no folder, and some network file systems settle none
            _settle(path.parent, os.O_RDONLY)


def _settle(path: Path, access: int) -> None:
    """Have a file's content, or the names in a folder, written to the disk."""
    handle = os.open(path, access)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
