"""The file that keeps what was read from run folders: SQLite, never the truth, thrown away where it is damaged."""

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")

FORMAT = 3  # a file of another format is made anew
PATIENCE_S = 2.0  # for another process that writes; who waits in vain writes at the next change
CODES_OF_OTHERS = (
    # the file is in use, or cannot be written here: it is no worse than before
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_PERM),
)
TABLES = """
CREATE TABLE IF NOT EXISTS runs (name TEXT PRIMARY KEY, inode INTEGER, changed INTEGER, looked INTEGER,
                                 facts TEXT, crc INTEGER);
CREATE TABLE IF NOT EXISTS kept (kind TEXT, name TEXT, stamp TEXT, data BLOB, crc INTEGER,
                                 PRIMARY KEY (kind, name));
"""


class Row(NamedTuple):
    """What is kept of one folder: its inode and time (ns), when it was looked at (ns), and its facts as JSON."""

    inode: int
    changed: int
    looked: int
    facts: str


def index_path(root: Path) -> Path:
    """Where the index of a folder of runs lies: inside it, or in the user's cache where it cannot be written."""
    if os.access(root, os.W_OK):
        return root / ".index" / "runs.sqlite"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return cache / "fer_core" / f"runs-{digest}.sqlite"


class IndexFile:
    """One file of SQLite; every method works without it, too: it reads nothing then, and writes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[str, Row]:
        """Every row that is whole, by the name of its folder."""
        if not self.path.exists():
            return {}
        query = "SELECT name, inode, changed, looked, facts, crc FROM runs"
        rows: list[tuple[Any, ...]] = self._use(lambda each: each.execute(query).fetchall(), [])
        return {name: Row(*row) for name, *row, crc in rows if _is_whole(row[-1], crc)}

    def save(self, changed: Mapping[str, Row], removed: Iterable[str] = ()) -> None:
        """Replace some rows and forget others, all at once."""
        rows = [(name, *row, _checksum(row.facts)) for name, row in changed.items()]
        gone = [(name,) for name in removed]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.executemany("DELETE FROM runs WHERE name = ?", gone)
            connection.executemany("DELETE FROM kept WHERE name = ?", gone)

        self._use(write, None)

    def recall(self, kind: str) -> dict[str, tuple[str, bytes]]:
        """What was kept of one kind: for each run the stamp of the file that it was computed from, and the bytes."""
        if not self.path.exists():
            return {}
        query = "SELECT name, stamp, data, crc FROM kept WHERE kind = ?"
        rows: list[tuple[Any, ...]] = self._use(lambda each: each.execute(query, (kind,)).fetchall(), [])
        return {name: (stamp, data) for name, stamp, data, crc in rows if _is_whole(data, crc)}

    def keep(self, kind: str, computed: Mapping[str, tuple[str, bytes]]) -> None:
        """Keep what was computed from a file of each run, with the stamp that says when the file changed."""
        rows = [(kind, name, stamp, data, _checksum(data)) for name, (stamp, data) in computed.items()]
        query = "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?)"
        self._use(lambda connection: connection.executemany(query, rows), None)

    def _use(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        """What `work` does within one transaction; `otherwise` where there can be no file.

        A damaged file is removed: whoever reads next makes it anew out of the folders.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=PATIENCE_S)) as connection, connection:
                _prepare(connection)
                return work(connection)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) not in CODES_OF_OTHERS:
                self._remove()
        except OSError:
            pass  # nobody may write here: what was read stays in memory
        return otherwise

    def _remove(self) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _prepare(connection: sqlite3.Connection) -> None:
    """Tables of this format; without waiting for the disk, since everything can be read again."""
    connection.execute("PRAGMA synchronous = OFF")
    connection.text_factory = lambda text: text.decode("utf-8", "replace")  # a damaged row fails its checksum
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != FORMAT:
        connection.executescript(f"DROP TABLE IF EXISTS runs; DROP TABLE IF EXISTS kept; {TABLES}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")


def _checksum(data: str | bytes) -> int:
    return zlib.crc32(data.encode() if isinstance(data, str) else data)


def _is_whole(data: object, crc: object) -> bool:
    return isinstance(data, str | bytes) and _checksum(data) == crc
