"""Figures of several charts that more than one page shows."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import cache, columns, tables
from dashboard import components as ui
from dashboard.formats import spread
from dashboard.papers import removal, removal_charts
from dashboard.summaries import RunSummary

HISTOGRAM_NOTE = (
    "Training samples by their error. The dotted line is the mean: who lies above is a candidate. "
    "Who lies above the threshold leaves."
)


def removals(runs: Mapping[str, RunSummary], key: str) -> None:
    """Error histograms of the first of the named runs, and the variance of all over the epochs."""
    histories = {name: cache.removals(run) for name, run in runs.items()}
    first = next(iter(histories.values()))
    names = removal.fold_names(first)
    if not names:
        st.caption("No errors are recorded.")
        return
    name = names[0]
    if len(names) > 1:
        name = st.segmented_control("Fold", names, default=names[0], required=True, key=f"{key}_fold") or names[0]
    folds = {label: removal.fold_of(history, name) for label, history in histories.items()}
    histograms(next(iter(folds.values())))
    recipes = [run.spec.recipe for run in runs.values() if run.spec]
    stop = next((recipe.bdr_stop_variance for recipe in recipes if recipe.bdr_start), None)
    ui.figure(
        "Variance of the errors over the epochs",
        removal_charts.variance_curves(removal.variances(folds), stop),
        note="Of the training samples that are left; the axis is logarithmic."
        + (f" Removal ends the training below the dotted line, {stop:g}." if stop is not None else ""),
    )


def histograms(fold: Mapping[str, Any]) -> None:
    """How the errors of one fold's training samples lie at several epochs."""
    shown = removal.panels(fold)
    ui.figure_title(removal.outcome(fold), HISTOGRAM_NOTE)
    most = removal_charts.most_of(shown)
    with st.grid(3, min_column_width=260):
        for panel in shown:
            with st.container(gap="xsmall"):
                st.caption(panel.title)
                st.altair_chart(removal_charts.error_histogram(panel, most), alt=panel.title)


def folds(run: RunSummary) -> None:
    """The folds of a run, in a table."""
    table = tables.folds(cache.evaluation(run))
    if table.empty:
        return
    ui.figure_title(
        f"{len(table)} folds recognise {spread(run.mean_accuracy, run.deviation)} of their test images",
        "Mean and deviation over the folds; each fold's network is tested on images that it has not seen.",
    )
    st.dataframe(table, hide_index=True, column_config=columns.folds(), alt="Metrics of each fold")
    ui.download(table, "folds")
