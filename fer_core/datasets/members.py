"""The files of a source, one at a time, and clear words for the many ways in which archives are damaged."""

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, TypeVar

from fer_core.datasets.errors import SourceError
from fer_core.datasets.limits import MAX_MEMBERS, MAX_SOURCE_BYTES

Item = TypeVar("Item")
_DAMAGE = (tarfile.TarError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)


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

    @property
    def name(self) -> str: ...

    def members(self) -> Iterator[Member]:
        """Every file and folder, in an order that never depends on the file system."""


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
        if not member and error.filename and Path(str(error.filename)).name != source:
            place = f" at '{error.filename}'"  # of all the files of a folder
        raise SourceError(f"cannot read {source}{place}: {error.strerror or _sentence(error)}") from error


def count_bounded(source: str, items: Iterable[Item]) -> Iterator[Item]:
    """The items; raises SourceError after MAX_MEMBERS of them."""
    for count, item in enumerate(items):
        if count >= MAX_MEMBERS:
            raise SourceError(f"{source} has more than {MAX_MEMBERS:,} members; that is no dataset of faces")
        yield item


def check_total(source: str, size: int) -> None:
    """Raise SourceError where `size`, the bytes of all members, passes MAX_SOURCE_BYTES."""
    if size > MAX_SOURCE_BYTES:
        raise SourceError(f"{source} unpacks to more than {MAX_SOURCE_BYTES // 2**30} GiB; it is not read")


def _sentence(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
