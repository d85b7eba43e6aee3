"""What a run was made from: the run it starts from, its teacher, an ensemble's members, and all that they cost."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from fer_core.config import RunSpec
from fer_core.runs.run import Run, RunError
from fer_core.runs.store import RunStore
from fer_core.runs.summary import RunSummary, summarize

Lookup = Callable[[str], RunSummary | None]  # a run by its whole name; None where it is gone
GONE = sys.maxsize  # the place of a run that has none


@dataclass(frozen=True)
class Lineage:
    """The runs that one was made from, each once and after those that it was made from itself; it stands last.

    `missing` are names of runs that are gone, so that what was spent on them is not known.
    """

    runs: tuple[RunSummary, ...]
    missing: tuple[str, ...] = ()

    @cached_property
    def places(self) -> dict[str, int]:
        """The number of each run, from 1."""
        return {run.id: place for place, run in enumerate(self.runs, start=1)}

    @property
    def seconds(self) -> float | None:
        """Wall time of all these trainings; None where a run is gone or does not say its own."""
        known = [seconds for run in self.runs if (seconds := run.fact("wall_s")) is not None]
        return sum(known) if len(known) == len(self.runs) and not self.missing else None

    def origin(self, run: RunSummary) -> str:
        """What one of the runs was made from, by number: `starts from 2, taught by 1`; or `random weights`."""
        found: dict[str, list[int]] = {}
        for verb, name in sources(run):
            found.setdefault(verb, []).append(self.places.get(name, GONE))
        if not found:
            return _first_weights(run.spec)
        return ", ".join(f"{verb} {_listed(sorted(places))}" for verb, places in found.items())


def sources(run: RunSummary) -> list[tuple[str, str]]:
    """What a run owes to which other: (`starts from`, `taught by` or `averages`, whole name)."""
    if run.spec is None:
        return []
    direct = [("starts from", run.spec.init_from), ("taught by", run.spec.recipe.teacher)]
    averaged = [("averages", str(each["run"])) for each in run.members if isinstance(each, dict) and "run" in each]
    return [(verb, name) for verb, name in [*direct, *averaged] if name]


def lineage(run: RunSummary, find: Lookup) -> Lineage:
    """Everything that `run` was made from."""
    ordered: dict[str, RunSummary] = {}
    missing: dict[str, None] = {}
    waiting = [(run, _next(run))]
    entered = {run.id}
    while waiting:
        current, names = waiting[-1]
        name = next(names, None)
        if name is None:
            ordered[current.id] = current
            waiting.pop()
        elif name not in entered:  # a spec that was written by hand may name its own descendant
            entered.add(name)
            source = find(name)
            if source is None:
                missing[name] = None
            else:
                waiting.append((source, _next(source)))
    return Lineage(tuple(ordered.values()), tuple(missing))


def with_totals(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """The same runs, each knowing what was spent on it and on all that it was made from (`lineage_s`)."""
    by_id = {run.id: run for run in runs}
    return [replace(run, lineage_s=lineage(run, by_id.get).seconds) if run.is_made_from_others else run for run in runs]


def stored_lineage(run: Run, store: RunStore) -> Lineage:
    """Everything that a run of `store` was made from, read from its folder."""

    def find(name: str) -> RunSummary | None:
        try:
            found = store.get(name)
        except RunError:
            return None
        return summarize(found, ()) if found.id == name else None

    return lineage(summarize(run, ()), find)


def _first_weights(spec: RunSpec | None) -> str:
    if spec is None:
        return "what is not known"
    weights = spec.architecture_arguments.get("weights", "none")
    return "random weights" if weights == "none" else f"weights of {weights}"


def _listed(places: Sequence[int]) -> str:
    *most, last = ("a run that is gone" if place == GONE else str(place) for place in places)
    return f"{', '.join(most)} and {last}" if most else last


def _next(run: RunSummary) -> Iterator[str]:
    return iter([name for _, name in sources(run)])
