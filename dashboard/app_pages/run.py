"""One run: how it learnt, what it confuses, and what it was made of."""

from typing import Any

import streamlit as st

from dashboard import cache, charts, columns, tables
from dashboard.advice import FIRST_TRAINING
from dashboard.components import (
    Metric,
    download,
    empty_state,
    errors_shown,
    figure,
    figure_title,
    live_progress,
    metric_row,
    page_header,
    run_line,
    unfinished_state,
)
from dashboard.formats import count, interval, percent
from dashboard.picker import run_picker
from dashboard.summaries import RunSummary
from fer_core.config import to_json

TITLE = "Run"
GROUP = "Model"
ORDER = 1
URL = "run"

VIEWS: dict[str, charts.CellValue] = {"By row": "row", "By column": "column", "Counts": "count"}


def results(run: RunSummary) -> None:
    calibrated = run.test.get("calibrated", {})
    metric_row(
        [
            Metric("Test accuracy", percent(run.accuracy), interval(run.interval), "With its 95 % interval."),
            Metric(
                "On clean images",
                percent(run.figure("clean_accuracy")),
                f"n = {count(run.whole('clean_n'))}",
                "Accuracy on the test images that have no exact copy in training.",
            ),
            Metric(
                "With mirror image",
                percent(run.figure("flip_accuracy")),
                "mean of both",
                "Accuracy when each face is also read mirrored and both predictions are averaged.",
            ),
            Metric("Macro-F1", percent(run.figure("macro_f1")), "mean over emotions"),
            Metric(
                "Calibration error",
                percent(calibrated.get("ece")),
                f"{percent(run.figure('ece'))} uncalibrated",
                "How far confidence and accuracy are apart (ECE, 15 bins), with the temperature fitted on validation.",
            ),
            Metric("Test images", count(run.whole("n")), f"{count(run.whole('correct'))} recognised"),
        ]
    )


def curves(run: RunSummary) -> None:
    epochs = tables.curves(cache.metrics(run))
    if epochs.empty:
        st.caption("The curves begin with the end of the first epoch.")
        return
    best = run.whole("best_epoch") or tables.best_epoch(epochs)
    with st.grid(3, min_column_width=280):
        for title, chart in (
            (tables.curve_title(epochs, "loss", best), charts.learning_curves(epochs, "loss", best)),
            (tables.curve_title(epochs, "accuracy", best), charts.learning_curves(epochs, "accuracy", best)),
            ("Learning rate over the epochs", charts.learning_rate_curve(epochs)),
        ):
            with st.container():
                figure(title, chart)


def confusions(run: RunSummary) -> None:
    evaluation = cache.evaluation(run)
    cells, table = tables.confusion_cells(evaluation), tables.per_class(evaluation)
    left, right = st.columns([3, 2], gap="large")
    with left:
        figure_title(tables.worst_confusion(cells), "Confusion matrix of the test images; rows are the true emotions.")
        view = st.segmented_control(
            "Cells show", list(VIEWS), default="By row", required=True, key="cells", label_visibility="collapsed"
        )
        st.altair_chart(
            charts.confusion_heatmap(cells, VIEWS[view or "By row"]), key="confusion", alt="Confusion matrix"
        )
    with right:
        bars = charts.emotion_bars(tables.f1_bars(table), "F1", row_height=44)
        figure(tables.weakest_class(table), bars, note="F1 of each emotion: precision and recall in one.")
    figure_title("Every emotion in numbers")
    st.dataframe(table, hide_index=True, column_config=columns.per_class(), alt="Metrics of each emotion")
    download(table, "emotions")


def facts(data: dict[str, Any], title: str) -> None:
    if not data:
        st.caption("This file cannot be read; the reason is above.")
    with st.grid(2, min_column_width=320, gap="medium"):
        for name, table in tables.key_values(data).items():
            with st.container(gap="xsmall"):
                heading = name or title
                st.markdown(f"**{heading.capitalize()}**")
                st.dataframe(table, hide_index=True, column_config=columns.key_values(), height="content", alt=heading)


def details(run: RunSummary) -> None:
    specification, environment, log = st.tabs(["Specification", "Environment", "Log"], on_change="rerun", key="details")
    if specification.open:
        with specification, errors_shown():
            facts(to_json(run.spec) if run.spec else {}, "run")
    if environment.open:
        with environment, errors_shown():
            facts(cache.environment(run), "machine")
    if log.open:
        with log:
            st.code(cache.log(run) or "The log is empty.", language=None, wrap_lines=True, height=360)


page_header(TITLE, "How one network learnt, which expressions it confuses, and what it was made of.")
runs = cache.runs()
if not runs:
    empty_state(
        "No runs yet", "Here one sees how a network learnt and where it errs. Train a first one:", FIRST_TRAINING
    )
    st.stop()
run = run_picker(runs)
run_line(run)
if run.state == "finished":
    results(run)
else:
    unfinished_state(run)
    live_progress([run])
curves(run)
if run.state == "finished":
    with errors_shown():
        confusions(run)
details(run)
