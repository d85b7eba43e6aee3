"""Writing a report to where it was asked for."""

import os
from contextlib import suppress
from pathlib import Path

from fer_core.runs import RunError


def write_whole(path: Path, text: str, what: str) -> Path:
    """Write `text` to `path`, whole or not at all, making its folder; raises RunError, which names it as `what`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):  # there may be no folder that it could lie in
            temporary.unlink()
        raise RunError(f"the {what} cannot be written to {path}: {error.strerror or error}") from None
    return path
