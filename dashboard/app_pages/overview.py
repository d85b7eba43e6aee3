"""Test accuracy of every architecture × preprocessing pair, and all runs ranked."""

from collections import Counter

import streamlit as st

from dashboard import cache, charts, columns, tables
from dashboard.advice import FIRST_TRAINING
from dashboard.components import (
    Metric,
    download,
    empty_state,
    figure_title,
    live_progress,
    metric_row,
    open_run,
    page_header,
)
from dashboard.formats import count, interval, percent, plural
from dashboard.summaries import board_label, boards

TITLE = "Overview"
GROUP = "Results"
ORDER = 1
URL = "overview"

page_header(TITLE, "How well does each network, with each preprocessing, recognise expressions it has never seen?")
runs = cache.runs()
if not runs:
    empty_state(
        "No runs yet",
        "Every trained network appears here: its accuracy in a map of architecture × preprocessing, and in a ranking. "
        "The first one takes a minute, on faces drawn by the library:",
        FIRST_TRAINING,
    )
    st.stop()

choices = {board_label(board): board for board in boards(runs)}
if len(choices) > 1:
    label = st.segmented_control(
        "Dataset and protocol",
        list(choices),
        default=next(iter(choices)),
        required=True,
        key="board",
        bind="query-params",
        help="Only runs tested on the same faces are ranked together.",
    )
else:
    label = next(iter(choices), "")
ranked = tables.on_board(runs, choices[label]) if label in choices else []

states = [run.state for run in runs]
best = ranked[0] if ranked else None
without = Counter(state for state in states if state not in ("finished", "running"))
metric_row(
    [
        Metric(
            "Best test accuracy",
            percent(best.accuracy) if best else "–",
            interval(best.interval) if best else "no finished run",
            "Share of the test images recognised by the best run, with its 95 % interval.",
        ),
        Metric("Finished runs", count(len(ranked)), label),
        Metric("Running", count(states.count("running"))),
        Metric(
            "Without a result",
            count(without.total()),
            " · ".join(f"{number} {state}" for state, number in without.items()),
            "Runs that wait, stopped, failed or cannot be read; they are listed below.",
        ),
    ],
    min_width=170,
)
live_progress(runs)

if best is not None and best.spec is not None:
    figure_title(
        f"{best.spec.architecture} with {best.spec.preprocessing} recognises most: "
        f"{percent(best.accuracy)} of {count(int(best.figure('n') or 0))} test faces",
        "Test accuracy of the best run of each pair. Click a cell to open its run."
        + (" These faces are drawn: good for trying, not a result." if best.is_synthetic else ""),
    )
    cells = tables.accuracy_cells(ranked)
    clicked = st.altair_chart(
        charts.accuracy_heatmap(cells),
        key=f"heatmap_{label}",
        on_select="rerun",
        selection_mode="cell",
        alt="Test accuracy of every architecture and preprocessing",
    )
    for pair in clicked["selection"].get("cell", []):
        chosen = cells[
            (cells["architecture"] == pair["architecture"]) & (cells["preprocessing"] == pair["preprocessing"])
        ]
        if chosen["id"].notna().any():
            open_run(str(chosen["id"].iloc[0]))

    leaderboard = tables.leaderboard(ranked)
    figure_title(f"{plural(len(ranked), 'run')}, best first", "Click a row to open its run.")
    event = st.dataframe(
        leaderboard,
        key=f"leaderboard_{label}",
        hide_index=True,
        column_config=columns.leaderboard(),
        on_select="rerun",
        selection_mode="single-cell",
        alt="Finished runs, best first",
    )
    for row, _ in event["selection"]["cells"]:
        open_run(str(leaderboard["id"].iloc[row]))
    download(leaderboard, "leaderboard")

else:
    st.caption("The map and the ranking begin with the first finished run.")

rest = tables.unranked(runs)
if len(rest):
    with st.expander(f"{plural(len(rest), 'run')} without a result"):
        event = st.dataframe(
            rest,
            key="unranked",
            hide_index=True,
            column_config=columns.unranked(),
            on_select="rerun",
            selection_mode="single-cell",
            alt="Runs without a result, and why",
        )
        for row, _ in event["selection"]["cells"]:
            open_run(str(rest["id"].iloc[row]))
