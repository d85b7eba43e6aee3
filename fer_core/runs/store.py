"""RunStore: the folder of all runs."""

import errno
import os
import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from fer_core.config import RunSpec, to_json
from fer_core.paths import runs_dir
from fer_core.runs.requests import Job, write_job
from fer_core.runs.run import Run, RunError, RunExistsError, Status


class RunStore:
    """The folder of all runs."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or runs_dir()

    def list(self) -> list[Run]:
        """Every run folder, by name; damaged ones too (see `Run.problem`)."""
        if not self.root.is_dir():
            return []
        folders = (entry for entry in sorted(self.root.iterdir()) if entry.is_dir())
        return [Run(entry) for entry in folders if not entry.name.startswith(".")]

    def get(self, name: str) -> Run:
        """The run called `name`, or the only one that starts with it or whose hash it is."""
        runs = self.list()
        exact = [run for run in runs if run.id == name]
        matches = exact or [run for run in runs if run.id.startswith(name) or run.id.endswith(f"__{name}")]
        if len(matches) == 1:
            return matches[0]
        if matches:
            shown = ", ".join(run.id for run in matches[:4])
            raise RunError(f"{len(matches)} runs match {name!r}: {shown}{' …' if len(matches) > 4 else ''}")
        known = ", ".join(run.id for run in runs[:4]) or "none yet"
        raise RunError(f"no run {name!r} in {self.root}; there are {known}{' …' if len(runs) > 4 else ''}")

    def find(self, spec: RunSpec) -> Run | None:
        """The run of exactly this spec, if it exists."""
        path = self.root / spec.run_id
        return Run(path) if path.is_dir() else None

    def create(self, spec: RunSpec, *, job: Job | None = None) -> Run:
        """Make the run's folder, whole at once; raises RunExistsError if another launch was first.

        With a `job` it waits for a worker. A folder that is not empty cannot be replaced by renaming
        another to its name: of several launches of one spec one alone succeeds, and none leaves a half-made run.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".new.", dir=self.root))
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

    def delete(self, run: Run) -> Path:
        """Move a run to the trash folder inside the root; returns where it lies now."""
        if run.is_locked():
            raise RunError(f"run {run.id} is being trained; stop it first")
        trash = self.root / ".trash" / f"{run.id}.{time.time_ns()}"
        trash.parent.mkdir(exist_ok=True)
        shutil.move(run.path, trash)
        return trash
