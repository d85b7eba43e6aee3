"""One run: how it learnt, what it confuses, and what it was made of."""

from functools import partial

import streamlit as st

from dashboard import cache, charts, columns, origins, queue_view, run_buttons, tables, views
from dashboard import components as ui
from dashboard.advice import FIRST_TRAINING
from dashboard.compare import confusion
from dashboard.formats import NONE, count, interval, percent
from dashboard.permissions import permission
from dashboard.picker import run_picker
from dashboard.robustness import view as robustness_view
from dashboard.summaries import RunSummary
from fer_core.runs import lineage

TITLE = "Run"
GROUP = "Model"
ORDER = 1
URL = "run"


def results(run: RunSummary) -> None:
    clean = ui.Metric(
        "On clean images",
        percent(run.figure("clean_accuracy")),
        f"n = {count(run.whole('clean_images') or run.whole('clean_n'))}",  # folds may be repeated
        "Accuracy on the test images that have no exact copy in training.",
    )
    mirrored = ui.Metric(
        "With mirror image",
        percent(run.figure("flip_accuracy")),
        "mean of both",
        "Accuracy when each face is also read mirrored and both predictions are averaged.",
    )
    calibration = ui.Metric(
        "ECE",
        percent(run.figure("ece")),
        f"{percent(run.figure('calibrated.ece'))} calibrated",
        "Expected calibration error: how far confidence and accuracy are apart, over 15 bins. Calibrated is after "
        "temperature scaling, fitted on validation.",
    )
    tiles = [
        ui.Metric("Test accuracy", percent(run.accuracy), interval(run.interval), "With its 95 % interval."),
        clean,
        *([mirrored] if run.figure("flip_accuracy") is not None else []),  # descriptors have no mirror image
        ui.Metric("Macro-F1", percent(run.figure("macro_f1")), "mean over emotions"),
        calibration,
        ui.Metric("Test images", count(run.images), recognised(run)),
    ]
    ui.metric_row(tiles)
    ui.save_button("Model card", f"model_card_{run.id}", "md", partial(cache.model_card, run))


def recognised(run: RunSummary) -> str:
    hits, n = run.whole("correct"), run.whole("n")
    return f"{count(hits)} recognised" if n == run.images else f"{count(n)} predictions"


def members(run: RunSummary) -> None:
    table = origins.members(run.members)
    ui.figure_title("What it averages", "Weights chosen on the validation split; each network preprocesses for itself.")
    st.dataframe(table, hide_index=True, column_config=columns.members(), alt="Members of the ensemble")
    ui.download(table, "members")


def made_from(run: RunSummary) -> None:
    found = lineage(run, {each.id: each for each in runs}.get)
    if len(found.runs) + len(found.missing) == 1:
        return
    table = origins.lineage(found)
    ui.figure_title(
        f"Made in {origins.lineage_title(found)}", "Where it starts, its teachers and all that these were made from."
    )
    st.dataframe(
        table, hide_index=True, column_config=columns.lineage(), placeholder=NONE, alt="What the run was made from"
    )
    ui.download(table, "made_from")


def curves(run: RunSummary) -> None:
    epochs = tables.curves(cache.metrics(run))
    if epochs.empty:
        st.caption("The curves begin with the end of the first epoch.")
        return
    best = tables.best_epochs(epochs, run.whole("best_epoch"))
    with st.grid(3, min_column_width=280):
        for title, chart in (
            (tables.curve_title(best, "loss"), charts.learning_curves(epochs, "loss", best)),
            (tables.curve_title(best, "accuracy"), charts.learning_curves(epochs, "accuracy", best)),
            ("Learning rate over the epochs", charts.learning_rate_curve(epochs)),
        ):
            with st.container():
                ui.figure(title, chart)


@st.fragment
def removals(run: RunSummary) -> None:
    st.subheader("Removal of training samples", anchor=False)
    with ui.errors_shown():
        views.removals({"this run": run}, "removals")


@st.fragment
def confusions(run: RunSummary) -> None:
    with ui.errors_shown():
        table, counted = tables.per_class(cache.evaluation(run)), tables.what_counts(run)
        left, right = st.columns([3, 2], gap="large")
        with right:
            bars = charts.emotion_bars(tables.f1_bars(table), "F1", row_height=44)
            note = "F1 of each emotion: precision and recall in one."
            ui.figure(tables.weakest_class(table, counted), bars, note=note)
        with ui.errors_shown():  # without its predictions, a run still has the figures of its report
            with left:
                confusion.of_run(run)
            confusion.images_of_run(run)
        ui.figure_title("Every emotion in numbers")
        st.dataframe(table, hide_index=True, column_config=columns.per_class(counted), alt="Metrics of each emotion")
        ui.download(table, "emotions")


@st.fragment
def robustness(run: RunSummary) -> None:
    robustness_view.of_run(run)


@st.fragment
def details(run: RunSummary) -> None:
    specification, environment, log = st.tabs(["Specification", "Environment", "Log"], on_change="rerun", key="details")
    if specification.open:
        with specification, ui.errors_shown():
            made_of, trained_with = tables.specification(run)
            left, right = st.columns(2, gap="medium")
            with left:
                ui.facts(made_of, "run")
            with right:
                if trained_with:
                    ui.facts(trained_with, "")
    if environment.open:
        with environment, ui.errors_shown():
            ui.facts(tables.machine(run, cache.environment(run)), "machine")
    if log.open:
        with log:
            st.code(cache.log(run) or "The log is empty.", language=None, wrap_lines=True, height=360)


ui.page_header(TITLE, "How one network learnt, which expressions it confuses, and what it was made of.")
runs = cache.runs()
if not runs:
    ui.empty_state("No runs yet", "How a network learnt and where it errs is seen here. Train one:", FIRST_TRAINING)
    st.stop()
run = run_picker(runs)
ui.run_line(run)
item = cache.queue().item(run)
run_buttons.of_run(run, item, permission())
if run.state == "finished":
    results(run)
elif item is not None and run.state != "running":
    queue_view.place(run)
else:
    ui.unfinished_state(run)
    ui.live_progress([run])
if run.is_ensemble:
    members(run)
else:
    curves(run)
made_from(run)
if run.state == "finished":
    confusions(run)
    if run.folds > 1:
        with ui.errors_shown():
            views.folds(run)
    robustness(run)
if cache.has_removals(run):
    removals(run)
details(run)
