"""Where the files of a dataset come from: a folder, a zip, a tar (also compressed), or one file.

All are walked member by member; nothing is ever unpacked to disk, so that a member's name can never
write outside, and memory holds one member at a time.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from fer_core.datasets.archives import TAR_OPENERS, TarSource, ZipSource
from fer_core.datasets.errors import SourceError
from fer_core.datasets.members import Member, Source, clear_errors, count_bounded


def open_source(path: Path) -> Source:
    """The source at `path`; raises SourceError if it is missing or of an unknown kind."""
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise SourceError(f"there is no file or folder '{path}'")
    with clear_errors(path.name), path.open("rb") as file:
        head = file.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZipSource(path)
    if head[257:262] == b"ustar" or head.startswith(tuple(TAR_OPENERS)):
        return TarSource(path)
    if path.suffix.lower() == ".csv":
        return FileSource(path)
    if path.suffix.lower() in (".zip", ".tar", ".xz", ".gz", ".tgz", ".bz2"):
        raise SourceError(f"{path.name} is truncated or damaged: it does not begin like a zip or tar archive")
    raise SourceError(f"'{path.name}' is no dataset; choose a folder, a .zip, a .tar (.xz, .gz, .bz2) or a .csv file")


@dataclass(frozen=True)
class FileSource:
    """A single file, such as fer2013.csv."""

    root: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.root.name

    def members(self) -> Iterator[Member]:
        """The file itself."""
        yield Member(
            PurePosixPath(self.name), self.root.stat().st_size, 0.0, self.name, lambda: _open_binary(self.root)
        )


@dataclass(frozen=True)
class FolderSource:
    """A folder; links to folders are followed, each folder once."""

    root: Path

    @property
    def name(self) -> str:
        """The folder's own name, also where it was given as `.` or a link; the root of all folders has only a path."""
        whole = self.root.resolve()
        return whole.name or str(whole)

    def members(self) -> Iterator[Member]:
        """All folders but hidden ones, and their files, by name; raises SourceError if one cannot be read."""
        with clear_errors(self.name):
            paths = list(count_bounded(self.name, self._walk()))
            for position, (path, is_folder) in enumerate(paths):
                full = self.root / path
                size = 0 if is_folder else full.stat().st_size
                opener = None if is_folder else lambda full=full: _open_binary(full)
                yield Member(path, size, position / len(paths), self.name, opener)

    def _walk(self) -> Iterator[tuple[PurePosixPath, bool]]:
        seen: set[tuple[int, int]] = set()
        for folder, folders, files in os.walk(self.root, followlinks=True, onerror=_raise):
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                folders.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            relative = PurePosixPath(Path(folder).relative_to(self.root).as_posix())
            yield relative, True
            # A pipe or device would block for ever.
            yield from ((relative / name, False) for name in sorted(files) if (Path(folder) / name).is_file())


def _open_binary(path: Path) -> IO[bytes]:
    return path.open("rb")


def _raise(error: OSError) -> None:
    raise error
