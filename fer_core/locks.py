"""File locks: who holds one is known at once, and the end of its process frees it."""

import fcntl
import time
from pathlib import Path
from typing import IO

LOOKS, LOOK_S = 5, 0.02  # a look at a lock holds it for microseconds


def is_held(path: Path) -> bool:
    """Whether another process holds the lock on a file; a file that is not there is held by nobody."""
    try:
        with path.open("r") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except (FileNotFoundError, NotADirectoryError):
        return False
    except BlockingIOError:
        return True


def take(handle: IO[str]) -> bool:
    """Lock an open file until it is closed; False where another process holds it for more than a look."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(LOOK_S)
    return False
