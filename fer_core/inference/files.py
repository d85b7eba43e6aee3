"""Which files are meant: pictures and videos by name, by pattern, in folders and in zip archives.

What is clearly meant as a picture and is not read here (a camera's RAW file, a HEIC photo) is not passed over: it is a
source like the others, with the reason for which it is refused, or its reader gives one.
"""

import glob
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fer_core.errors import FerError

PICTURES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".ico", ".tga", ".qoi"),
    *(".heic", ".heif", ".hif"),  # often a JPEG under that name; for the others, the reader says why they are refused
)
VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp", ".mts")
_RAW = (
    *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw"),
    *(".x3f", ".3fr", ".iiq", ".rwl"),
)
# Refused by their names: of a RAW file, a reader of TIFF takes the small preview for the photo.
NOT_READ = {
    **dict.fromkeys(_RAW, "a camera's RAW photo"),
    ".jxl": "a JPEG XL picture",
    ".psd": "a Photoshop document",
}
MOST_MEMBERS = 5_000
LARGEST_MEMBER = 200 * 2**20  # bytes, unpacked
_LOCKED = 0x1  # the bit of a zip member's flags that says so
# What each way of packing raises for damaged bytes (bzip2: OSError), a way that is not known, or a password.
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError)


@dataclass(frozen=True)
class Source:
    """A picture's or a video's name for people, and where it is: a file, or the bytes of one from an archive.

    `refusal` is a sentence where it is known beforehand that it cannot be read; the content is then not looked at.
    """

    name: str
    content: Path | bytes
    refusal: str = ""

    @property
    def is_video(self) -> bool:
        """Whether its name ends as a video's."""
        return _suffix(self.name) in VIDEOS


def find_sources(paths: Iterable[Path]) -> Iterator[Source]:
    """Files as they are named, patterns such as `*.jpg`, every picture and video below a folder, and within a zip.

    Raises FerError for a folder, a pattern or an archive in which there is none; what a named file is, its
    reader tells.
    """
    for path in paths:
        if path.is_dir():
            yield from _required((each for each in sorted(path.rglob("*")) if _is_meant(each.name)), f"folder '{path}'")
        elif path.suffix.lower() == ".zip" and path.is_file():
            yield from unpack(path, str(path))
        elif not path.exists() and glob.has_magic(str(path)):
            found = sorted(map(Path, glob.glob(str(path), recursive=True)))
            yield from _required((each for each in found if each.is_file()), f"pattern '{path}'")
        else:
            yield _file(path)


def unpack(archive: Path | bytes, name: str = "") -> Iterator[Source]:
    """Every picture of a zip, one after the other in memory; a member that cannot be read has a refusal.

    Raises FerError where the archive itself is damaged, holds no picture, or far too many.
    """
    name = name or (archive.name if isinstance(archive, Path) else "the archive")
    try:
        with zipfile.ZipFile(io.BytesIO(archive) if isinstance(archive, bytes) else archive) as opened:
            members = [member for member in opened.infolist() if _is_meant(member.filename) and not member.is_dir()]
            _check(members, name)
            for member in members:
                yield _member(opened, member, f"{name}/{member.filename}")
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise FerError(f"'{name}' is no zip archive that can be read: {error}") from error


def refusal(name: str) -> str:
    """Why a file of this name is not read, in a sentence; the empty string for a picture or a video."""
    what = NOT_READ.get(_suffix(name))
    return f"'{Path(name).name}' is {what}, which cannot be read here; save it as JPEG or PNG first" if what else ""


def _check(members: list[zipfile.ZipInfo], name: str) -> None:
    if not members:
        raise FerError(f"there is no picture in '{name}'; a zip holds {', '.join(PICTURES[:2])}, .png and the like")
    if len(members) > MOST_MEMBERS:
        raise FerError(f"'{name}' holds {len(members):,} pictures; at most {MOST_MEMBERS:,} are read at once")


def _member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Source:
    """One file of a zip; unpacked only where it is to be read."""
    known = _member_refusal(member)
    if known:
        return Source(name, b"", known)
    try:
        return Source(name, opened.read(member))
    except _DAMAGE as error:
        reason = "is locked by a password" if member.flag_bits & _LOCKED else f"is damaged in the zip ({error})"
        return Source(name, b"", f"'{Path(name).name}' {reason}; unpack it first")


def _member_refusal(member: zipfile.ZipInfo) -> str:
    name = Path(member.filename).name
    if _suffix(name) in VIDEOS:
        return f"'{name}' is a video inside a zip; unpack it first"
    if not refusal(name) and member.file_size > LARGEST_MEMBER:
        size = f"{member.file_size / 2**20:,.0f} MB unpacked"
        return f"'{name}' is {size}; at most {LARGEST_MEMBER // 2**20} MB are read, so make it smaller first"
    return refusal(name)


def _required(paths: Iterator[Path], where: str) -> Iterator[Source]:
    found = False
    for path in paths:
        found = True
        yield _file(path)
    if not found:
        raise FerError(f"there is no picture or video in {where}")


def _file(path: Path) -> Source:
    return Source(str(path), path, refusal(path.name) if path.is_file() else "")


def _is_meant(name: str) -> bool:
    path = Path(name)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not hidden and _suffix(name) in (*PICTURES, *VIDEOS, *NOT_READ)


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()
