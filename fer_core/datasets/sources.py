"""Where the files of a dataset come from: a folder, a zip, a tar (also compressed), or one file.

All are walked member by member; nothing is ever unpacked to disk, so that a member's name can never
write outside, and memory holds one member at a time.
"""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, Protocol, TypeVar

from fer_core.datasets.errors import SourceError
from fer_core.datasets.limits import MAX_MEMBERS, MAX_SOURCE_BYTES

Item = TypeVar("Item")
# Large, so that decompression seldom waits for the interpreter that the decoding threads use too.
_DECOMPRESSED_BUFFER = 2**20
_DAMAGE = (tarfile.TarError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)
_TAR_OPENERS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
}


@dataclass(frozen=True)
class Member:
    """One file or folder of a source.

    `path` is relative to the source; `fraction` is the part of the source that lies before it, in
    [0, 1]. `opener` works only until the next member is asked for: archives are read as a stream.
    """

    path: PurePosixPath
    size: int
    fraction: float
    source: str
    opener: Callable[[], IO[bytes]] | None

    @property
    def is_folder(self) -> bool:
        return self.opener is None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The member's bytes as a stream; damage met while reading raises SourceError."""
        if self.opener is None:
            raise SourceError(f"'{self.path}' in {self.source} is a folder, not a file")
        with clear_errors(self.source, str(self.path)), self.opener() as stream:
            yield stream

    def read(self, limit: int) -> bytes:
        """All bytes; raises SourceError beyond `limit` bytes or where the member is cut short."""
        if self.size > limit:
            raise SourceError(f"'{self.path}' in {self.source} is {self.size:,} bytes long; at most {limit:,} are read")
        with self.open() as stream:
            content = stream.read(limit + 1)
        if len(content) != self.size:
            raise SourceError(f"{self.source} is truncated: '{self.path}' has {len(content):,} of {self.size:,} bytes")
        return content


class Source(Protocol):
    """A walkable collection of members; `name` is the file's or folder's own name."""

    name: str

    def members(self) -> Iterator[Member]:
        """Every file and folder, in an order that never depends on the file system."""
        ...


@contextmanager
def clear_errors(source: str, member: str = "") -> Iterator[None]:
    """Turn the many errors of damaged archives into one SourceError naming source and member."""
    place = f" at '{member}'" if member else ""
    try:
        yield
    except _DAMAGE as error:
        raise SourceError(f"{source} is truncated or damaged{place}: {_sentence(error)}") from error
    except NotImplementedError as error:
        raise SourceError(f"{source} uses a compression that cannot be read{place}: {_sentence(error)}") from error
    except OSError as error:
        raise SourceError(f"cannot read {source}{place}: {error.strerror or _sentence(error)}") from error


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
    if head[257:262] == b"ustar" or head.startswith(tuple(_TAR_OPENERS)):
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
        return self.root.name

    def members(self) -> Iterator[Member]:
        yield Member(
            PurePosixPath(self.name), self.root.stat().st_size, 0.0, self.name, lambda: _open_binary(self.root)
        )


@dataclass(frozen=True)
class FolderSource:
    """A folder; links to folders are followed, each folder once."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.resolve().name

    def members(self) -> Iterator[Member]:
        with clear_errors(self.name):
            paths = list(_count_bounded(self.name, self._walk()))
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


@dataclass(frozen=True)
class ZipSource:
    """A zip archive, read in the order of its contents."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    def members(self) -> Iterator[Member]:
        with clear_errors(self.name), zipfile.ZipFile(self.root) as archive:
            entries = sorted(_count_bounded(self.name, archive.infolist()), key=lambda entry: entry.header_offset)
            _check_total(self.name, sum(entry.file_size for entry in entries))
            for position, entry in enumerate(entries):
                if entry.flag_bits & 1:
                    raise SourceError(f"{self.name} is encrypted; unpack it and prepare the folder")
                opener = None if entry.is_dir() else lambda entry=entry: archive.open(entry)
                path = inner_path(self.name, entry.filename)
                yield Member(path, entry.file_size, position / len(entries), self.name, opener)


class _StrictTarInfo(tarfile.TarInfo):
    """Raises where tarfile would take a broken header in mid-archive for the end."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "_StrictTarInfo":  # noqa: N805 - the parent's argument name
        return _strict_header(super().fromtarfile, tarfile)


def _strict_header(parse: Callable[[tarfile.TarFile], tarfile.TarInfo], archive: tarfile.TarFile) -> "_StrictTarInfo":
    try:
        return parse(archive)  # type: ignore[return-value]
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        raise
    except tarfile.HeaderError as error:
        raise tarfile.ReadError(f"{error} at byte {archive.offset:,}") from error  # type: ignore[attr-defined]


@dataclass(frozen=True)
class TarSource:
    """A tar archive, plain or compressed with xz, gzip or bzip2."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    def members(self) -> Iterator[Member]:
        total = max(1, self.root.stat().st_size)
        walked = 0
        with clear_errors(self.name), self.root.open("rb") as file, _decompressed(file) as stream:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictTarInfo) as archive:
                for entry in _count_bounded(self.name, _forgetful(archive)):
                    walked += entry.size
                    _check_total(self.name, walked)
                    if not (entry.isfile() or entry.isdir()):
                        raise SourceError(f"'{entry.name}' in {self.name} is a link or device; only files are read")
                    opener = None if entry.isdir() else lambda entry=entry: _extracted(archive, entry)
                    path = inner_path(self.name, entry.name)
                    yield Member(path, entry.size, min(1.0, file.tell() / total), self.name, opener)


def inner_path(source: str, name: str) -> PurePosixPath:
    """A member's path; raises SourceError for one that points outside its archive."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name.partition("/")[0]:
        raise SourceError(f"{source} holds '{name}', which points outside the archive; it is not read")
    return path


def _decompressed(file: BinaryIO) -> IO[bytes]:
    head = file.read(6)
    file.seek(0)
    for magic, opener in _TAR_OPENERS.items():
        if head.startswith(magic):
            return io.BufferedReader(opener(file), _DECOMPRESSED_BUFFER)
    return file


def _forgetful(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (entry := archive.next()) is not None:
        # tarfile keeps every header it has seen; a stream never goes back to them.
        archive.members = []  # type: ignore[attr-defined]
        yield entry


def _extracted(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(entry)
    if stream is None:
        raise SourceError(f"'{entry.name}' is not a plain file")
    return stream


def _open_binary(path: Path) -> IO[bytes]:
    return path.open("rb")


def _raise(error: OSError) -> None:
    raise error


def _count_bounded(source: str, items: Iterable[Item]) -> Iterator[Item]:
    for count, item in enumerate(items):
        if count >= MAX_MEMBERS:
            raise SourceError(f"{source} has more than {MAX_MEMBERS:,} members; that is no dataset of faces")
        yield item


def _check_total(source: str, size: int) -> None:
    if size > MAX_SOURCE_BYTES:
        raise SourceError(f"{source} unpacks to more than {MAX_SOURCE_BYTES // 2**30} GiB; it is not read")


def _sentence(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
