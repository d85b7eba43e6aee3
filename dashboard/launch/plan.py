"""What a launch would do: which runs exist already, and how long the others take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from dashboard.formats import NONE, duration, percent, plural
from dashboard.labels import run_address
from dashboard.summaries import RunSummary, position
from fer_core.config import RunSpec
from fer_core.jobs.estimate import OTHER_MODEL, Estimate, Machine, PastRun, Workload, estimate, obstacle
from fer_core.runs import Run, read_job

PREVIEW_COLUMNS = ("architecture", "preprocessing", "seed", "state", "epochs", "time", "basis", "run")
Fate = Literal["queued", "resumed", "exists", "refused"]


@dataclass(frozen=True)
class Planned:
    """A run of the selection: whether it is there already, and how long all of its epochs would take.

    `waits`: whether a worker is to take it up. A queued run that somebody made and never came to train does not.
    `unknown`: why there is no estimate.
    """

    spec: RunSpec
    run: RunSummary | None = None
    estimate: Estimate | None = None
    waits: bool = False
    unknown: str = ""

    @property
    def fate(self) -> Fate:
        """What a launch does with it, as `JobQueue.launch` decides."""
        if self.run is None:
            return "queued"
        if self.run.state == "damaged":
            return "refused"
        return "exists" if self.waits or self.run.state in ("finished", "running") else "resumed"

    @property
    def is_trained(self) -> bool:
        """Whether a launch leads to a training."""
        return self.fate in ("queued", "resumed")

    @property
    def seconds(self) -> float | None:
        """What is left to train, where past runs tell."""
        if self.estimate is None or self.run is None or not self.run.status.epochs:
            return self.estimate.seconds if self.estimate else None
        return self.estimate.seconds * (1 - self.run.status.epoch / self.run.status.epochs)

    @property
    def state(self) -> str:
        """The state in words, and what a launch changes."""
        if self.run is None:
            return "new"
        state, epoch = self.run.state, self.run.status.epoch
        if state == "finished":
            return f"finished, {percent(self.run.accuracy)}"
        if state == "running":
            return f"running, {position(self.run, ahead=1)}"
        if state == "damaged":
            return "damaged: delete it first"
        if self.waits:
            return "waits in the queue"
        return f"{state}, goes on after epoch {epoch}" if epoch else f"{state}, begins anew"


def plan(specs: Sequence[RunSpec], runs: Sequence[RunSummary], workload: Workload, machine: Machine) -> list[Planned]:
    """What a launch of `specs` would mean beside the `runs` that there are."""
    found = {run.id: run for run in runs}
    past = [PastRun(run.spec, run.environment) for run in runs if run.state == "finished" and run.spec]
    planned = []
    for spec in specs:
        run, told = found.get(spec.run_id), estimate(spec, workload, machine, past)
        why = "" if told else obstacle(spec, workload, machine, past)
        planned.append(Planned(spec, run, told, waits=run is not None and _waits(run), unknown=why))
    return planned


def _waits(run: RunSummary) -> bool:
    return run.state == "queued" and read_job(Run(run.path)) is not None


def hindrance(planned: Sequence[Planned]) -> str:
    """Why the runs cannot be launched, as a sentence, or the empty string."""
    damaged = [each.spec.run_id for each in planned if each.fate == "refused"]
    if damaged:
        return f"Run {damaged[0]} is damaged: delete it, then launch again."
    if not any(each.is_trained for each in planned):
        return f"All {len(planned)} runs exist already: there is nothing to launch."
    return ""


def grid_size(planned: Sequence[Planned]) -> str:
    """What the runs are pairs of: `3 × 2, 1 seed` for three networks and two pipelines."""
    specs = [each.spec for each in planned]
    sides = [len({getattr(spec, name) for spec in specs}) for name in ("architecture", "preprocessing", "seed")]
    return f"{sides[0]} × {sides[1]}, {plural(sides[2], 'seed')}"


def total_time(planned: Sequence[Planned]) -> tuple[str, str, bool]:
    """How long the runs to train take one after the other, on what that rests, and whether it is only a part."""
    trained = [each for each in planned if each.is_trained]
    known = [each.seconds for each in trained if each.seconds is not None]
    unknown = len(trained) - len(known)
    if not known:
        reasons = {each.unknown for each in trained}
        why = reasons.pop() if len(reasons) == 1 else "no past run tells"
        return NONE, why if trained else "nothing to train", False
    networks = {each.spec.architecture: each.estimate.runs for each in trained if each.estimate}
    is_other = any(OTHER_MODEL in each.estimate.differences for each in trained if each.estimate)
    basis = plural(sum(networks.values()), "past run") + (", other device" if is_other else "")
    basis += f", {unknown} unknown" if unknown else ""
    return about(sum(known)), basis, unknown > 0


def about(seconds: float | None) -> str:
    """A duration no finer than an estimate is: `49 min`, `2 h 20 min`."""
    if seconds is None:
        return NONE
    step = next(step for limit, step in ((60, 5), (600, 30), (7200, 60), (math.inf, 600)) if seconds < limit)
    return duration(max(step, round(seconds / step) * step))


def preview_table(planned: Sequence[Planned], workload: Workload) -> pd.DataFrame:
    """One row a run: what it is, its state, epochs, estimated time and the link to its page where it exists."""
    folds = len(workload.images)
    rows = [
        (
            each.spec.architecture,
            each.spec.preprocessing,
            each.spec.seed,
            each.state,
            f"{folds} × {each.spec.recipe.epochs:,}" if folds > 1 else f"{each.spec.recipe.epochs:,}",
            about(each.seconds) if each.is_trained else NONE,
            _basis(each) if each.is_trained else "",
            run_address(each.run.id) if each.run else "",
        )
        for each in planned
    ]
    return pd.DataFrame(rows, columns=list(PREVIEW_COLUMNS))


def _basis(planned: Planned) -> str:
    if planned.estimate is None:
        return planned.unknown
    differences = ", ".join(planned.estimate.differences)
    return plural(planned.estimate.runs, "past run") + (f" ({differences})" if differences else "")


def outcome(fates: Sequence[str]) -> str:
    """What a launch did, as a sentence: `3 runs queued, 1 resumed.`"""
    words = {"queued": "queued", "resumed": "resumed", "exists": "there already"}
    parts = [f"{fates.count(fate)} {word}" for fate, word in words.items() if fate in fates]
    return f"Launched: {', '.join(parts)}."
