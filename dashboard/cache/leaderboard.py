"""The leaderboard: rows, map and points of the runs that are asked for, computed once for each change of a run."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import streamlit as st

from dashboard import tables
from dashboard.accuracy_map import accuracy_cells
from dashboard.cache.results import runs, runs_version
from dashboard.leaderboard import rows
from dashboard.leaderboard.metrics import EFFORTS, METRICS, QUALITIES, measured
from dashboard.leaderboard.query import Query, choices, ordered_boards
from dashboard.summaries import Board, RunSummary
from dashboard.tables import on_board
from fer_core.evaluation.baseline import Against, AnswerShelf, against
from fer_core.paths import runs_dir
from fer_core.runs import RunIndex, RunStore

MOST_TESTED = 200  # runs that are held against a baseline together: each one's predictions are read, once


class Sorting(NamedTuple):
    """How rows are made and ordered: by which metric, from which end, and whether seeds are taken together."""

    metric: str = "accuracy"
    is_best_first: bool = True
    by_variant: bool = False


class Choices(NamedTuple):
    """What can be chosen on a board: values of each filter, and the metrics that its runs have."""

    filters: dict[str, list[str]]
    metrics: list[str]
    efforts: list[str]
    archived: int


def ranked_boards() -> list[Board]:
    """Every board with a finished run, FER2013's official split first."""
    return _ranked_boards(str(runs_dir()), _version())


@st.cache_data(max_entries=4, show_spinner=False)
def _ranked_boards(root: str, version: int) -> list[Board]:
    return ordered_boards(runs())


def overview(board: Board) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`tables.leaderboard` and `accuracy_cells` of the runs of a board."""
    return _overview(str(runs_dir()), _version(), board)


@st.cache_data(max_entries=16, show_spinner=False)
def _overview(root: str, version: int, board: Board) -> tuple[pd.DataFrame, pd.DataFrame]:
    ranked = on_board(runs(), board)
    return tables.leaderboard(ranked), accuracy_cells(ranked)


def without_result() -> pd.DataFrame:
    """`tables.unranked` of all runs."""
    return _without_result(str(runs_dir()), _version())


@st.cache_data(max_entries=4, show_spinner=False)
def _without_result(root: str, version: int) -> pd.DataFrame:
    return tables.unranked(runs())


def board_choices(board: Board) -> Choices:
    """What the runs of a board differ in."""
    return _board_choices(str(runs_dir()), _version(), board)


@st.cache_data(max_entries=16, show_spinner=False)
def _board_choices(root: str, version: int, board: Board) -> Choices:
    found = on_board(runs(), board, with_archived=True)
    archived = sum(run.notes.archived for run in found)
    return Choices(choices(found), measured(found, QUALITIES), measured(found, EFFORTS), archived)


def selected(query: Query) -> list[RunSummary]:
    """The runs that a query asks for, best accuracy first."""
    return _selected(str(runs_dir()), _version(), query)


@st.cache_resource(max_entries=32, show_spinner=False)
def _selected(root: str, version: int, query: Query) -> list[RunSummary]:
    return query.select(runs())


def ranking(query: Query, sorting: Sorting, keys: Sequence[str], baseline: RunSummary | None) -> pd.DataFrame:
    """`rows.table` of the runs that a query asks for; against a baseline with differences and marks."""
    told = (baseline.id, baseline.stamp) if baseline else None
    return _ranking(str(runs_dir()), _version(), query, sorting, tuple(keys), told, baseline)


@st.cache_data(max_entries=32, show_spinner="Holding the runs against the baseline …")
def _ranking(
    root: str,
    version: int,
    query: Query,
    sorting: Sorting,
    keys: tuple[str, ...],
    told: tuple[object, ...] | None,
    _baseline: RunSummary | None,
) -> pd.DataFrame:
    metric, found = METRICS[sorting.metric], selected(query)
    groups = rows.in_order(
        rows.variants(found) if sorting.by_variant else rows.singles(found), metric, is_best_first=sorting.is_best_first
    )
    marks = None
    if _baseline is not None and not sorting.by_variant:
        marks = _marks(_baseline, [group.runs[0] for group in groups])
    return rows.table(groups, keys, sorting.metric, _baseline, marks)


def _marks(baseline: RunSummary, shown: Sequence[RunSummary]) -> dict[str, Against]:
    tested = [run for run in shown if run.id != baseline.id][:MOST_TESTED]
    answers = _answers(str(runs_dir())).read([baseline, *tested])
    if baseline.id not in answers:
        return {}
    return against(answers.pop(baseline.id), answers)


@st.cache_resource(max_entries=2, show_spinner=False)
def _answers(root: str) -> AnswerShelf:
    return AnswerShelf(RunIndex(RunStore(runs_dir())).file)


@st.cache_data(max_entries=32, show_spinner=False)
def _cells(root: str, version: int, query: Query, metric: str) -> pd.DataFrame:
    return rows.cells(selected(query), METRICS[metric])


def metric_cells(query: Query, metric: str) -> pd.DataFrame:
    """`rows.cells` of the runs that a query asks for."""
    return _cells(str(runs_dir()), _version(), query, metric)


@st.cache_data(max_entries=32, show_spinner=False)
def _points(root: str, version: int, query: Query, quality: str, effort: str) -> pd.DataFrame:
    return rows.points(rows.variants(selected(query)), METRICS[quality], METRICS[effort])


def effort_points(query: Query, quality: str, effort: str) -> pd.DataFrame:
    """`rows.points` of the variants that a query asks for."""
    return _points(str(runs_dir()), _version(), query, quality, effort)


def _version() -> int:
    runs()  # a change is seen before anything is taken from the cache
    return runs_version()
