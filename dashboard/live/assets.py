"""What the browser loads for the live camera, and where the server gives it out.

Streamlit serves `dashboard/static/` (`server.enableStaticServing`). It holds nothing that is written by hand:
set-up puts the packages' files there (see setup.py), and the page its own scripts, under a name that changes with
them, because browsers keep such files for days.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import streamlit as st

SCRIPTS = Path(__file__).parent / "browser"
STATIC = Path(__file__).parent.parent / "static"
VENDOR = STATIC / "vendor"
EXPORTS = STATIC / "exports"
READY = VENDOR / ".ready"
VENDOR_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort.wasm.gz", "detector.onnx")
MISSING = (
    "The browser's part of the live camera is not installed: `make camera` installs it (it needs the npm registry)."
)


def is_installed() -> bool:
    """Whether set-up has put every file in its place."""
    return all((VENDOR / name).is_file() for name in VENDOR_FILES)


def vendor_version() -> str:
    """Changes whenever set-up is run again."""
    stats = [(VENDOR / name).stat() for name in VENDOR_FILES]
    return _digest(f"{stat.st_mtime_ns} {stat.st_size}".encode() for stat in stats)


def address(path: Path) -> str:
    """The path part of the address of a file or folder below STATIC."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return "/".join(["", *([base] if base else []), "app", "static", *path.relative_to(STATIC).parts])


def published_scripts() -> Path:
    """The folder that the server gives the scripts out from, as they are now."""
    sources = sorted(SCRIPTS.glob("*.js"))
    digest = _digest(part for source in sources for part in (source.name.encode(), source.read_bytes()))
    return _published(digest, tuple(sources), STATIC)


@cache
def _published(digest: str, sources: tuple[Path, ...], static: Path) -> Path:
    folder = static / "live" / digest
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        put(source.read_bytes(), folder / source.name)
    for other in folder.parent.iterdir():
        if other.name != digest:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def put(content: bytes, path: Path) -> None:
    """Write a file that is whole at every moment, whoever else writes or reads it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def _digest(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
        found.update(b"\0")
    return found.hexdigest()[:12]
