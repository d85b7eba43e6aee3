"""Test accuracy of every architecture × preprocessing pair, and all runs ranked."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import cache, charts, columns, tables
from dashboard import components as ui
from dashboard.accuracy_map import best_pair, chosen, run_of_pair
from dashboard.advice import FIRST_TRAINING
from dashboard.formats import NONE, count, interval, percent, plural
from dashboard.labels import board_label
from dashboard.leaderboard.form import choose_board
from dashboard.linked import drop_unknown
from dashboard.summaries import RunSummary

TITLE = "Overview"
GROUP = "Results"
ORDER = 1
URL = "overview"

ALL_DATASETS = "all datasets"  # whichever one is chosen above


def totals(runs: Sequence[RunSummary], ranked: Sequence[RunSummary], best: RunSummary | None) -> None:
    states = Counter(run.state for run in runs)
    others = {state: number for state, number in states.items() if state not in ("finished", "running")}
    without = " · ".join(f"{number} {state}" for state, number in others.items())
    ui.metric_row(
        [
            ui.Metric(
                "Best by validation",
                percent(best.accuracy) if best else NONE,
                interval(best.interval) if best else "no ranked run",
                "Share of the test images recognised by the run that is best on the validation split, with its 95 % "
                "interval.",
            ),
            ui.Metric("Finished runs", count(len(ranked)), board_label(best.board) if best else ""),
            ui.Metric("Running", count(states["running"]), ALL_DATASETS),
            ui.Metric(
                "Without a result",
                count(sum(others.values())),
                f"{ALL_DATASETS}: {without}" if without else ALL_DATASETS,
                "Runs that wait, were stopped, failed or cannot be read; they are listed below.",
            ),
        ],
        min_width=170,
    )


def accuracy_map(best: RunSummary, cells: pd.DataFrame) -> None:
    drawn = " These faces are drawn: good for trying, not a result." if best.is_synthetic else ""
    shown = "Test accuracy of each pair's run that is best on the validation split. Click a cell to open it."
    ui.figure_title(best_pair(best), shown + drawn)
    event = st.vega_lite_chart(
        cache.chart_spec(("overview", best.board, cache.runs_version()), lambda: charts.accuracy_heatmap(cells)),
        key=f"map_{board_label(best.board)}",
        on_select="rerun",
        selection_mode="cell",
        alt="Test accuracy of every architecture and preprocessing",
    )
    for pair in event["selection"].get("cell", []):
        run_id = run_of_pair(cells, pair["architecture"], pair["preprocessing"])
        if run_id:
            ui.open_run(run_id)


ui.page_header(TITLE, "How well does each network, with each preprocessing, recognise expressions it has never seen?")
drop_unknown(("board",))
runs = cache.runs()
if not runs:
    ui.empty_state(
        "No runs yet",
        "Every trained network appears here: its accuracy in a map of architecture × preprocessing, and in a ranking. "
        "The first one takes a minute, on faces drawn by the library:",
        FIRST_TRAINING,
    )
    st.stop()

board = choose_board()
ranked = tables.on_board(runs, board) if board else []
best = chosen(ranked) if ranked else None
totals(runs, ranked, best)
ui.live_progress(runs)
if board and best:
    leaderboard, cells = cache.overview(board)
    accuracy_map(best, cells)
    ui.figure_title(f"{plural(len(ranked), 'run')} by test accuracy", "Click a row to open its run.")
    ui.run_table(leaderboard, columns.leaderboard(), f"leaderboard_{board_label(board)}", "Finished runs, best first")
    ui.download(leaderboard, "leaderboard")
elif board and (archived := tables.on_board(runs, board, with_archived=True)):
    ended = plural(len(archived), "finished run")
    st.caption(f"{ended} here, archived and so not ranked; the Leaderboard shows archived runs where it is asked to.")
else:
    st.caption("The map and the ranking begin with the first finished run.")
rest = cache.without_result()
if len(rest):
    with st.expander(f"{plural(len(rest), 'run')} without a result"):
        ui.run_table(rest, columns.unranked(), "unranked", "Runs without a result, and why")
