"""Zip and tar archives, walked as streams: nothing is unpacked to disk."""

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, TypeVar

from fer_core.datasets.errors import SourceError
from fer_core.datasets.limits import MAX_HEADER_BYTES
from fer_core.datasets.members import Member, check_total, clear_errors, count_bounded

_BLOCK = 2**20
_EXTENDED_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_DRIVE = re.compile(r"[A-Za-z]:")
TAR_OPENERS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
}


@dataclass(frozen=True)
class ZipSource:
    """A zip archive, read in the order of its contents."""

    root: Path

    @property
    def name(self) -> str:
        """The archive's file name."""
        return self.root.name

    def members(self) -> Iterator[Member]:
        """Everything in it, in the order of its bytes; raises SourceError if it is encrypted, damaged or too large."""
        with clear_errors(self.name), zipfile.ZipFile(self.root) as archive:
            entries = sorted(count_bounded(self.name, archive.infolist()), key=lambda entry: entry.header_offset)
            check_total(self.name, sum(entry.file_size for entry in entries))
            for position, entry in enumerate(entries):
                if entry.flag_bits & 1:
                    raise SourceError(f"{self.name} is encrypted; unpack it and prepare the folder")
                opener = None if entry.is_dir() else lambda entry=entry: archive.open(entry)
                path = inner_path(self.name, entry.filename)
                yield Member(path, entry.file_size, position / len(entries), self.name, opener)


class _StrictTarInfo(tarfile.TarInfo):
    """Raises where tarfile would take a broken header for the end, or read a header of any size into memory."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "_StrictTarInfo":
        return _whole_header(super().fromtarfile, tarfile)

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictTarInfo":
        """As tarfile's; SourceError for an extended header that is too large."""
        entry = super().frombuf(buf, encoding, errors)
        if entry.type in _EXTENDED_HEADERS and entry.size > MAX_HEADER_BYTES:
            raise SourceError(
                f"the archive holds a header of {entry.size:,} bytes; at most {MAX_HEADER_BYTES:,} are read"
            )
        return entry


_Header = TypeVar("_Header", bound=tarfile.TarInfo)


def _whole_header(parse: Callable[[tarfile.TarFile], _Header], archive: tarfile.TarFile) -> _Header:
    try:
        return parse(archive)
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        raise
    except tarfile.HeaderError as error:
        raise tarfile.ReadError(f"{error} at byte {archive.offset:,}") from error


@dataclass(frozen=True)
class TarSource:
    """A tar archive, plain or compressed with xz, gzip or bzip2."""

    root: Path

    @property
    def name(self) -> str:
        """The archive's file name."""
        return self.root.name

    def members(self) -> Iterator[Member]:
        """Everything in it, in its order; raises SourceError if it holds links, is damaged or too large."""
        total = max(1, self.root.stat().st_size)
        walked = 0
        with (
            clear_errors(self.name),
            self.root.open("rb") as file,
            _decompressed(file) as stream,
            tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictTarInfo) as archive,
        ):
            for entry in count_bounded(self.name, _forgetful(archive)):
                walked += entry.size
                check_total(self.name, walked)
                if not (entry.isfile() or entry.isdir()):
                    raise SourceError(f"'{entry.name}' in {self.name} is a link or device; only files are read")
                opener = None if entry.isdir() else lambda entry=entry: _extracted(archive, entry)
                path = inner_path(self.name, entry.name)
                yield Member(path, entry.size, min(1.0, file.tell() / total), self.name, opener)


def inner_path(source: str, name: str) -> PurePosixPath:
    """A member's path; raises SourceError for one that points outside its archive."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or _DRIVE.match(name):
        raise SourceError(f"{source} holds '{name}', which points outside the archive; it is not read")
    return path


def _decompressed(file: BinaryIO) -> IO[bytes]:
    head = file.read(6)
    file.seek(0)
    for magic, opener in TAR_OPENERS.items():
        if head.startswith(magic):
            return io.BufferedReader(_ReadAhead(opener(file)), _BLOCK)
    return file


class _ReadAhead(io.RawIOBase):
    """Reads `stream` one block ahead in a thread: decompression is slow and needs no interpreter."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="decompress")
        self._coming = self._pool.submit(stream.read, _BLOCK)
        self._block = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what there is of the block at hand; the number of bytes, 0 at the end."""
        if not self._block:
            self._block = memoryview(self._coming.result())
            if self._block:
                self._coming = self._pool.submit(self._stream.read, _BLOCK)
        size = min(len(buffer), len(self._block))
        buffer[:size] = self._block[:size]
        self._block = self._block[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            self._pool.shutdown(cancel_futures=True)
            self._stream.close()
        super().close()


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
