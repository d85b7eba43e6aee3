"""Read a source into a spool: find out its format, walk it once, decode, and say where each image belongs."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from fer_core.datasets.classes import class_depth, folder_of, is_left_out, label_of_path
from fer_core.datasets.decode import IMAGE_SUFFIXES, Encoded, decode_all
from fer_core.datasets.errors import SourceError
from fer_core.datasets.limits import MAX_IMAGE_BYTES
from fer_core.datasets.members import Source
from fer_core.datasets.progress import Progress
from fer_core.datasets.readers import LAYOUTS, Layout, Place, known_formats
from fer_core.datasets.spool import Spool
from fer_core.datasets.tables import find_table, gather_table


def gather(source: Source, spool: Spool, progress: Progress) -> None:
    """Fill `spool` from `source`; raises SourceError, which names file and row, for anything unreadable."""
    if _has_class_folders(source):
        _gather_images(source, spool, progress)
    else:
        found = find_table(source)
        if found is None:
            raise SourceError(f"{source.name} has no layout that is known; these are: {known_formats()}")
        gather_table(source, found, spool, progress)
    spool.flush()


def is_junk(path: PurePosixPath) -> bool:
    """Whether an operating system put the file there: hidden files, __MACOSX, Thumbs.db."""
    text = f"/{path}"
    return "/." in text or "/__MACOSX/" in text or text.endswith("/Thumbs.db")


def _is_image(path: PurePosixPath) -> bool:
    return str(path).lower().endswith(IMAGE_SUFFIXES) and not is_junk(path)


def _has_class_folders(source: Source) -> bool:
    # Only as far as the first image: a second pass over a whole compressed archive would double the time.
    return any(
        _is_image(member.path) and class_depth(folder_of(member.path)) is not None
        for member in source.members()
        if not member.is_folder
    )


def _gather_images(source: Source, spool: Spool, progress: Progress) -> None:
    paths: list[PurePosixPath] = []
    folders: set[PurePosixPath] = set()
    ignored: Counter[str] = Counter()

    def encoded() -> Iterator[Encoded]:
        """Each image's bytes, while the folders and the ignored files are noted."""
        for member in source.members():
            if member.is_folder:
                folders.add(member.path)
            elif not _is_image(member.path):
                ignored["other files"] += not is_junk(member.path)
            elif is_left_out(folder_of(member.path)):
                ignored["images of expressions outside the seven"] += 1
            else:
                label_of_path(member.path)  # an unknown class ends the walk at once, not after the last image
                paths.append(member.path)
                yield Encoded(f"'{member.path}' in {source.name}", member.read(MAX_IMAGE_BYTES))
                progress(member.fraction, len(paths))

    for decoded in decode_all(encoded()):
        spool.append(decoded.image)
        spool.notes.update(decoded.notes)
    _require_no_empty_class(source.name, folders, paths)
    layout = _layout_of(paths)
    spool.places = _told_apart([layout.place(path) for path in paths], paths)
    spool.is_fer2013 = layout.is_fer2013
    spool.remarks += [f"{count:,} {what} left out" for what, count in sorted(ignored.items()) if count]
    spool.format = next(name for name in LAYOUTS.names() if LAYOUTS.get(name) is layout)


def _told_apart(places: list[Place], paths: list[PurePosixPath]) -> list[Place]:
    """The places, with the suffix in the id where `1.jpg` and `1.png` would share one."""
    suffixes: dict[str, set[str]] = defaultdict(set)
    for place, path in zip(places, paths, strict=True):
        suffixes[place.id].add(path.suffix)
    return [
        replace(place, id=place.id + path.suffix) if len(suffixes[place.id]) > 1 else place
        for place, path in zip(places, paths, strict=True)
    ]


def _layout_of(paths: list[PurePosixPath]) -> Layout:
    layouts = [layout for layout in map(LAYOUTS.get, LAYOUTS.names()) if layout.matches(paths)]
    return max(layouts, key=lambda layout: layout.specificity)


def _require_no_empty_class(source: str, folders: set[PurePosixPath], paths: list[PurePosixPath]) -> None:
    filled = {ancestor for path in {path.parent for path in paths} for ancestor in (path, *path.parents)}
    for folder in sorted(folders - filled):
        if class_depth(str(folder)) == len(folder.parts) - 1:
            raise SourceError(f"the class folder '{folder}' in {source} holds no image")
