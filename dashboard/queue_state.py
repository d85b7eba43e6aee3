"""The queue as the pages show it: what is trained, waits, stopped or ended, out of the run folders alone."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.formats import SPACE, duration, percent, plain, plural, sentence
from dashboard.labels import board_label, network_name, setting
from dashboard.summaries import LIVE_STATES, RunSummary, position
from fer_core.jobs import Entry, WorkerInfo
from fer_core.runs import Job, StopRequest

STOPPED = ("lost", "failed", "queued", "cancelled")  # the most urgent first
ENDED = ("finished", "failed", "cancelled", "damaged")
LATELY = timedelta(hours=24)
SILENT = timedelta(minutes=5)  # a training writes its status every few seconds, an evaluation within minutes
WITHIN_EPOCH = re.compile(r"epoch \d+: (\d+)/(\d+) images")


@dataclass(frozen=True)
class Item:
    """A run that is trained or waits; `job` is None where a terminal trains it, `stop` where nobody asked to stop."""

    run: RunSummary
    job: Job | None = None
    stop: StopRequest | None = None

    @property
    def order(self) -> tuple[float, str, str]:
        """Where it stands; a run of a terminal before those of the queue."""
        return (self.job.order, self.job.asked, self.run.id) if self.job else (0.0, "", self.run.id)

    @property
    def asked_by(self) -> str:
        """Who asked for it, and when: `asked by ada 3 min ago`."""
        if self.job is None:
            return "started from a terminal"
        return f"asked by {named(self.job.by)} {ago(self.job.asked)}".strip()

    @property
    def stopped_by(self) -> str:
        """Who asked it to stop, where somebody did."""
        return f"{named(self.stop.by)} asked it to stop" if self.stop else ""


@dataclass(frozen=True)
class Queue:
    """Everything that the page shows; `waiting` in the order in which a worker takes it up, `runs` are all."""

    running: tuple[Item, ...] = ()
    waiting: tuple[Item, ...] = ()
    stopped: tuple[RunSummary, ...] = ()
    finished: tuple[RunSummary, ...] = ()
    worker: WorkerInfo | None = None
    is_starting: bool = False  # a worker, which is not at work yet
    runs: tuple[RunSummary, ...] = ()

    @property
    def is_moving(self) -> bool:
        """Whether something may change within seconds."""
        return bool(self.running or self.is_starting or (self.waiting and self.worker))

    @property
    def around_cards(self) -> tuple[object, ...]:
        """What is equal as long as only the trainings get further."""
        cards = tuple((item.run.id, item.stop) for item in self.running)
        return (cards, self.waiting, self.stopped, self.finished, self.worker, self.is_starting)

    @property
    def summary(self) -> str:
        """`2 running · 4 waiting`, or nothing."""
        parts = {"running": len(self.running), "waiting": len(self.waiting)}
        return " · ".join(f"{number} {name}" for name, number in parts.items() if number)

    def place(self, run: RunSummary) -> int | None:
        """The place of a run among those that wait, from 1; None where it does not."""
        places = [item.run.id for item in self.waiting]
        return places.index(run.id) + 1 if run.id in places else None

    def item(self, run: RunSummary) -> Item | None:
        """A run that is trained or waits, with what was asked of it."""
        return next((item for item in (*self.running, *self.waiting) if item.run.id == run.id), None)


def sorted_queue(
    runs: Sequence[RunSummary],
    entries: Sequence[Entry] = (),
    stops: Mapping[str, StopRequest] | None = None,
    worker: WorkerInfo | None = None,
    *,
    is_starting: bool = False,
) -> Queue:
    """Runs by what happens to them; `entries` are those that a worker trains or is to train, in their order."""
    jobs = {entry.run.id: entry.job for entry in entries}
    live = (run for run in runs if run.state == "running" or run.id in jobs)
    items = [Item(run, jobs.get(run.id), (stops or {}).get(run.id)) for run in live]
    # a card keeps its place while its run is trained
    ordered = sorted(items, key=lambda item: item.order)
    waits = {entry.run.id for entry in entries}
    stopped = [run for run in runs if run.state in STOPPED and run.id not in waits]
    finished = [run for run in runs if run.state == "finished"]
    return Queue(
        running=tuple(item for item in ordered if item.run.state == "running"),
        waiting=tuple(item for item in ordered if item.job and item.run.state in ("queued", "lost")),
        stopped=tuple(sorted(latest_first(stopped), key=lambda run: STOPPED.index(run.state))),
        finished=tuple(latest_first(finished)),
        worker=worker,
        is_starting=is_starting and worker is None,
        runs=tuple(runs),
    )


def latest_first(runs: Iterable[RunSummary]) -> list[RunSummary]:
    """By when their status was written last."""
    return sorted(runs, key=lambda run: run.status.updated, reverse=True)


def lately(runs: Iterable[RunSummary]) -> list[RunSummary]:
    """Those whose status was written within the last day."""
    return [run for run in runs if (age := age_of(run.status.updated)) is not None and age < LATELY]


def age_of(moment: str) -> timedelta | None:
    """How long ago an ISO time was; None where it is none."""
    try:
        return datetime.now(UTC) - datetime.fromisoformat(moment)
    except (ValueError, TypeError):
        return None  # nothing, or a time without a zone


def ago(moment: str) -> str:
    """An ISO time as `just now`, `3 min ago`; empty where it is none. Seconds would be wrong by the next look."""
    age = age_of(moment)
    if age is None:
        return ""
    seconds = age.total_seconds()
    return "just now" if seconds < 60 else f"{duration(seconds).partition(' ')[0]}{SPACE}ago"


def named(who: str) -> str:
    """A name as Markdown shows it; an address does not become a link."""
    return plain(who or "somebody").replace("@", "\N{WORD JOINER}@")


def how(run: RunSummary) -> str:
    """On what and how a run trains, beside its `network_name`."""
    if run.spec is None:
        return ""
    spec = run.spec
    recipe = () if run.is_ensemble else (f"{spec.recipe.name} recipe",)
    seed = () if run.is_ensemble else (f"seed {spec.seed}",)
    parts = (board_label(run.board), *recipe, setting(spec), *seed)
    return plain(" · ".join(part for part in parts if part))


def within_epoch(run: RunSummary) -> tuple[int, int] | None:
    """Images seen in the epoch that is computed, and how many it has; None between epochs."""
    found = WITHIN_EPOCH.match(run.status.message)
    return (int(found[1]), int(found[2])) if found else None


def progress(run: RunSummary) -> float:
    """The share of the training that is done, in [0, 1]: epochs, and images of the one that is computed."""
    seen, total = within_epoch(run) or (0, 1)
    done = run.status.epoch + seen / max(1, total)
    return min(1.0, done / run.status.epochs) if run.status.epochs else 0.0


def stage(run: RunSummary) -> str:
    """`epoch 4 of 50 · 3 min left`, and what it does instead of computing an epoch."""
    status = run.status
    message = "" if status.message.startswith("epoch") else status.message
    left = "" if status.eta_s is None else f"{duration(status.eta_s)} left"
    if status.epochs and status.epoch >= status.epochs:
        return "evaluating"
    return " · ".join(part for part in (position(run, ahead=1), message, left) if part)


def images_per_s(run: RunSummary, last: Mapping[str, Any]) -> float | None:
    """Images trained in a second: of the epoch that is computed, else of the `last` one; None where neither tells."""
    status, inside = run.status, within_epoch(run)
    if inside and status.eta_s:
        seen, total = inside
        # the time left is reckoned with this rate: see fer_core.training.progress
        return (total - seen + (status.epochs - status.epoch - 1) * total) / status.eta_s or None
    rate = last.get("images_per_s")
    return float(rate) if isinstance(rate, int | float) else None


def silence(run: RunSummary) -> str:
    """A sentence where a run that is trained has said nothing for long; else nothing."""
    age = age_of(run.status.updated)
    if age is None or age < SILENT:
        return ""
    return f"It has said nothing for {duration(age.total_seconds())}; its log may tell why."


def log_tail(log: str, lines: int = 8) -> str:
    """The last lines of a log, without the dates of their times."""
    return "\n".join(re.sub(r"^\d{4}-\d\d-\d\d ", "", line) for line in log.splitlines()[-lines:])


def states(runs: Iterable[RunSummary]) -> dict[str, str]:
    """Every run's state, to compare with later."""
    return {run.id: run.state for run in runs}


def newly_ended(before: Mapping[str, str], runs: Iterable[RunSummary]) -> list[RunSummary]:
    """The runs that have ended since their states were `before`."""
    live = (*LIVE_STATES, "lost")
    return [run for run in runs if run.state in ENDED and before.get(run.id) in live]


def ending(run: RunSummary) -> str:
    """How a run ended, as a sentence with its name."""
    name = f"**{plain(network_name(run))}**"
    why = plain(sentence(run.problem or run.status.message or "it gives no reason"))
    sentences = {
        "finished": f"{name} is finished: {percent(run.mean_accuracy)} of its test faces recognised.",
        "cancelled": f"{name} was cancelled; it can be resumed.",
        "failed": f"{name} failed. {why}",
    }
    return sentences.get(run.state, f"{name} is {run.state}. {why}")


def work_of(worker: WorkerInfo) -> str:
    """What a worker says about itself, in one line: `on host since 2 h ago · cpu, 6 at once`."""
    facts = worker.facts
    devices = ", ".join(str(each) for each in facts.get("devices", ()))
    per_device = facts.get("per_device", 1)
    each = " each" if len(facts.get("devices", ())) > 1 else ""
    room = f"{devices}, {plural(per_device, 'run')} at once{each}" if devices else ""
    since = f"started {ago(worker.started)}" if worker.started else ""
    host = f"on {plain(worker.host)}" if worker.host else ""
    return " · ".join(part for part in (host, since, room) if part)
