"""RunStore: the folder of all runs."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from fer_core.config import RunSpec, to_json
from fer_core.errors import is_full_disk
from fer_core.paths import make_folder, runs_dir
from fer_core.runs.requests import Job, write_job
from fer_core.runs.run import Run, RunError, RunExistsError, Status

TRASH = ".trash"


class Signature(NamedTuple):
    """A folder as the file system tells it: its inode, and when an entry of it changed last, in ns."""

    inode: int
    changed: int


class Trashed(NamedTuple):
    """A deleted run: where it lies, what it was called, and when it was deleted, in ns since 1970."""

    path: Path
    id: str
    deleted_ns: int


class RunStore:
    """The folder of all runs."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or runs_dir()

    def list(self) -> list[Run]:
        """Every run folder, by name; damaged ones too (see `Run.problem`)."""
        return [Run(self.root / name) for name in self.folders()]

    def folders(self) -> dict[str, Signature]:
        """Every run folder by name, with what changes when a file in it is made, replaced or removed."""
        found = {}
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.root) as entries:
            for entry in entries:
                # a folder may go away, and a link lead nowhere, while we look
                with suppress(OSError):
                    if not entry.name.startswith(".") and entry.is_dir():
                        about = entry.stat()
                        found[entry.name] = Signature(about.st_ino, about.st_mtime_ns)
        return dict(sorted(found.items()))

    def get(self, name: str) -> Run:
        """The run called `name`, or the only one that starts with it or whose hash it is; raises RunError for none."""
        runs = list(self.folders())
        matches = matching(name, runs)
        if len(matches) == 1:
            return Run(self.root / matches[0])
        if matches:
            raise RunError(f"{len(matches)} runs match {name!r}: {_first(matches)}")
        raise RunError(f"no run {name!r} in {self.root}; there are {_first(runs) or 'none yet'}")

    def find(self, spec: RunSpec) -> Run | None:
        """The run of exactly this spec, if it exists."""
        path = self.root / spec.run_id
        return Run(path) if path.is_dir() else None

    def create(self, spec: RunSpec, *, job: Job | None = None) -> Run:
        """Make the run's folder, whole at once; raises RunExistsError if another launch was first.

        With a `job` it waits for a worker. A folder that is not empty cannot be replaced by renaming
        another to its name: of several launches of one spec one alone succeeds, and none leaves a half-made run.
        Raises FerError where nothing can be written into the folder of all runs.
        """
        make_folder(self.root)
        draft = self._draft()
        try:
            run = Run(draft)
            run.write_json("spec.json", to_json(spec))
            run.write_json("status.json", asdict(Status(epochs=spec.recipe.epochs)))
            if job is not None:
                write_job(run, job)
            draft.chmod(0o755)  # a temporary folder is private, and runs are shared
            os.rename(draft, self.root / spec.run_id)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                raise RunExistsError(f"run {spec.run_id} exists already") from None
            raise RunError(f"run {spec.run_id} cannot be made in {self.root}: {error.strerror}") from error
        return Run(self.root / spec.run_id)

    def _draft(self) -> Path:
        try:
            return Path(tempfile.mkdtemp(prefix=".new.", dir=self.root))
        except OSError as error:
            if is_full_disk(error):
                raise
            raise RunError(f"no run can be made in {self.root}: {error.strerror}") from error

    def delete(self, run: Run) -> Path:
        """Move a run to the trash folder inside the root; returns where it lies now (see `restore`)."""
        if run.is_locked():
            raise RunError(f"run {run.id} is being trained; stop it first")
        trash = self.root / TRASH / f"{run.id}.{time.time_ns()}"
        trash.parent.mkdir(exist_ok=True)
        shutil.move(run.path, trash)
        return trash

    def trash(self) -> Sequence[Trashed]:
        """The runs that were deleted and can be restored, the latest first."""
        found = []
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.root / TRASH) as entries:
            for entry in entries:
                name, _, deleted = entry.name.rpartition(".")
                if name and deleted.isdigit() and entry.is_dir():
                    found.append(Trashed(Path(entry.path), name, int(deleted)))
        return sorted(found, key=lambda each: each.deleted_ns, reverse=True)

    def trashed(self, name: str) -> Trashed:
        """The deleted run that `name` means, as `get` reads it; where it was deleted several times, the latest."""
        there = self.trash()
        deleted = list(dict.fromkeys(each.id for each in there))
        matches = matching(name, deleted)
        if len(matches) > 1:
            raise RunError(f"{len(matches)} deleted runs match {name!r}: {_first(matches)}")
        if not matches:
            raise RunError(f"no run {name!r} in the trash of {self.root}; there is {_first(deleted) or 'nothing'}")
        return next(each for each in there if each.id == matches[0])

    def restore(self, trashed: Trashed) -> Run:
        """Put a deleted run back; raises RunError where a run of its name was made since, or it is gone."""
        run = Run(self.root / trashed.id)
        try:
            # a folder that is not empty cannot be replaced: nothing is lost
            os.rename(trashed.path, run.path)
        except FileNotFoundError:
            raise RunError(f"run {trashed.id} is no longer in the trash") from None
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                raise RunError(f"run {trashed.id} exists again; delete that one first") from None
            raise RunError(f"run {trashed.id} cannot be restored: {error.strerror}") from error
        return run


def matching(name: str, ids: Iterable[str]) -> list[str]:
    """The ids that `name` may mean: the one that it is, else those that start with it or end with it as their hash.

    Raises RunError for a name of blanks, with which every id would start.
    """
    if not name.strip():
        raise RunError(f"{name!r} names no run; give a run's name, its beginning or its hash")
    every = list(ids)
    return [each for each in every if each == name] or [
        each for each in every if each.startswith(name) or each.endswith(f"__{name}")
    ]


def _first(ids: Sequence[str]) -> str:
    return f"{', '.join(ids[:4])}{' …' if len(ids) > 4 else ''}"
