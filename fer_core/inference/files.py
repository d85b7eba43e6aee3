"""Which files are meant: pictures and videos by name, by pattern, in folders and in zip archives."""

import glob
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fer_core.errors import FerError

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2")
VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
MOST_MEMBERS = 5_000
LARGEST_MEMBER = 200 * 2**20  # bytes, unpacked


@dataclass(frozen=True)
class Source:
    """A picture's or a video's name for people, and where it is: a file, or the bytes of one from an archive."""

    name: str
    content: Path | bytes

    @property
    def is_video(self) -> bool:
        """Whether its name ends as a video's."""
        return Path(self.name).suffix.lower() in VIDEOS


def find_sources(paths: Iterable[Path]) -> Iterator[Source]:
    """Files as they are named, patterns such as `*.jpg`, every picture and video below a folder, and within a zip.

    Raises FerError for a folder, a pattern or an archive in which there is none; what a named file is, its
    reader tells.
    """
    for path in paths:
        if path.is_dir():
            yield from _required((each for each in sorted(path.rglob("*")) if _is_meant(each.name)), f"folder '{path}'")
        elif path.suffix.lower() == ".zip" and path.is_file():
            yield from unpack(path)
        elif not path.exists() and glob.has_magic(str(path)):
            found = sorted(map(Path, glob.glob(str(path), recursive=True)))
            yield from _required((each for each in found if each.is_file()), f"pattern '{path}'")
        else:
            yield Source(str(path), path)


def unpack(archive: Path | bytes, name: str = "") -> Iterator[Source]:
    """Every picture of a zip, one after the other in memory; raises FerError where it is damaged, empty or a bomb."""
    name = name or (archive.name if isinstance(archive, Path) else "the archive")
    try:
        with zipfile.ZipFile(io.BytesIO(archive) if isinstance(archive, bytes) else archive) as opened:
            members = [member for member in opened.infolist() if _is_meant(member.filename) and not member.is_dir()]
            _check(members, name)
            for member in members:
                yield Source(f"{name}/{member.filename}", opened.read(member))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise FerError(f"'{name}' is no zip archive that can be read: {error}") from error


def _check(members: list[zipfile.ZipInfo], name: str) -> None:
    if not members:
        raise FerError(f"there is no picture in '{name}'; a zip holds {', '.join(PICTURES[:4])} and the like")
    if len(members) > MOST_MEMBERS:
        raise FerError(f"'{name}' holds {len(members):,} pictures; at most {MOST_MEMBERS:,} are read at once")
    largest = max(members, key=lambda member: member.file_size)
    if largest.file_size > LARGEST_MEMBER:
        raise FerError(
            f"'{largest.filename}' in '{name}' is {largest.file_size / 2**20:,.0f} MB unpacked; "
            f"at most {LARGEST_MEMBER // 2**20} MB are read"
        )


def _required(paths: Iterator[Path], where: str) -> Iterator[Source]:
    found = False
    for path in paths:
        found = True
        yield Source(str(path), path)
    if not found:
        raise FerError(f"there is no picture or video in {where}")


def _is_meant(name: str) -> bool:
    path = Path(name)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not hidden and path.suffix.lower() in (*PICTURES, *VIDEOS)
