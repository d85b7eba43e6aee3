"""The runs, and what stands in their folders."""

from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import tables
from dashboard.summaries import RunShelf, RunSummary, Stamp, stamp_of
from fer_core.paths import runs_dir
from fer_core.runs import Run, RunStore


@st.cache_resource(max_entries=4, show_spinner=False)
def _shelf(root: str) -> RunShelf:
    return RunShelf()


def runs() -> list[RunSummary]:
    """All runs, best first; costs one look at each folder's time where nothing changed (see RunShelf.recent)."""
    root = runs_dir()
    shelf, store = _shelf(str(root)), RunStore(root)
    if not shelf.is_unread(store):
        return shelf.recent(store)
    with st.spinner("Reading the folders of all runs, this once …"):
        return shelf.recent(store)


def runs_version() -> int:
    """A number that grows whenever one of `runs()` changes."""
    return _shelf(str(runs_dir())).version


def look_again() -> None:
    """Have the next `runs()` look at the folders, whenever the last one did: after something was changed here."""
    _shelf(str(runs_dir())).look_again()


def evaluation(run: RunSummary) -> dict[str, Any]:
    """evaluation.json of a run; raises RunError where it cannot be read."""
    return _evaluation(str(run.path), stamp_of(run.path, ("evaluation.json",)))


@st.cache_data(max_entries=64, show_spinner=False)
def _evaluation(folder: str, stamp: Stamp) -> dict[str, Any]:
    return Run(Path(folder)).evaluation()


def environment(run: RunSummary) -> dict[str, Any]:
    """environment.json of a run; raises RunError where it cannot be read."""
    return _environment(str(run.path), stamp_of(run.path, ("environment.json",)))


@st.cache_data(max_entries=64, show_spinner=False)
def _environment(folder: str, stamp: Stamp) -> dict[str, Any]:
    return Run(Path(folder)).environment()


def metrics(run: RunSummary) -> list[dict[str, Any]]:
    """One dict for each epoch that a run has finished."""
    return _metrics(str(run.path), stamp_of(run.path, ("metrics.jsonl",)))


@st.cache_data(max_entries=64, show_spinner=False)
def _metrics(folder: str, stamp: Stamp) -> list[dict[str, Any]]:
    return Run(Path(folder)).metrics()


def live_metrics(run: RunSummary) -> tuple[bytes, dict[str, Any]]:
    """Rows of `tables.curves` as Arrow, as a chart takes them, and the last epoch; empty before the first."""
    return _live_metrics(str(run.path), stamp_of(run.path, ("metrics.jsonl",)))


@st.cache_data(max_entries=64, show_spinner=False)
def _live_metrics(folder: str, stamp: Stamp) -> tuple[bytes, dict[str, Any]]:
    import pyarrow as pa  # type: ignore[import-untyped]  # as Streamlit sends tables to the browser

    epochs = _metrics(folder, stamp)
    table = pa.Table.from_pandas(tables.curves(epochs), preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes(), epochs[-1] if epochs else {}


def has_removals(run: RunSummary) -> bool:
    """Whether a run tells how the errors of its training samples were distributed."""
    return bool(stamp_of(run.path, ("bdr.json",)))


def removals(run: RunSummary) -> dict[str, Any]:
    """bdr.json of a run; raises RunError where it cannot be read."""
    return _removals(str(run.path), stamp_of(run.path, ("bdr.json",)))


@st.cache_data(max_entries=16, show_spinner=False)
def _removals(folder: str, stamp: Stamp) -> dict[str, Any]:
    return Run(Path(folder)).removal_history()


def log(run: RunSummary) -> str:
    """log.txt of a run, read anew each time: it grows while the run is trained."""
    return Run(run.path).log()
