"""The Run page's part on robustness: worse pictures, and several views of each face."""

from typing import Any

import streamlit as st
from streamlit import column_config as column

from dashboard import cache
from dashboard import components as ui
from dashboard.advice import PYTHON
from dashboard.formats import NONE, percent, with_signs
from dashboard.robustness import charts, tables
from dashboard.summaries import RunSummary

SOURCE = "Corruptions after [Hendrycks & Dietterich 2019](https://arxiv.org/abs/1903.12261), scaled to small faces."


def of_run(run: RunSummary) -> None:
    """What was measured of a run on worse pictures and with several views, or the command that measures it."""
    st.subheader("Robustness", anchor=False)
    with ui.errors_shown():
        report = cache.robustness(run)
        if report is not None:
            _corruptions(run, report)
        else:
            _unmeasured(
                run, "Not measured yet",
                "How much of the accuracy is left with noise, blur, more light, less contrast, tilt, occlusion and "
                "JPEG, in five severities each? Measuring takes minutes, and the dataset must be prepared here:",
                "--corruptions",
            )  # fmt: skip
    with ui.errors_shown():
        averaged = cache.averaging(run)
        if averaged is not None:
            _views(run, averaged)
        elif not run.obstacle:
            _unmeasured(
                run, "Several views of each face", "Does it help to average over ten crops of each face?",
                "--tta ten_crop",
            )  # fmt: skip


def _unmeasured(run: RunSummary, title: str, sentence: str, option: str) -> None:
    if run.obstacle:
        st.caption(f"Not measured, and cannot be: this run {run.obstacle}.")
    else:
        ui.empty_state(title, sentence, f"{PYTHON} -m fer_core evaluate {run.id} {option}")


def _corruptions(run: RunSummary, report: dict[str, Any]) -> None:
    table = tables.steps(report)
    chart = charts.severity_lines(table, report["clean"]["accuracy"])
    left, right = st.columns([3, 2], gap="large")
    with left:
        ui.figure(tables.finding(report), chart, note=f"{tables.subject(report)} {SOURCE}", key="severities")
        ui.download_chart(chart, f"robustness_{run.id}")
    with right:
        ui.figure_title(
            "Accuracy in percent, the most harmful corruption first",
            f"The same images untouched: {percent(report['clean']['accuracy'])}.",
        )
        wide = tables.side_by_side(table)
        numbers = {
            name: column.NumberColumn(name.replace("severity ", "").capitalize(), format="%.1f")
            for name in wide.columns
            if name != "corruption"
        }
        config = {"corruption": column.TextColumn("Corruption", pinned=True), **numbers}
        st.dataframe(wide, hide_index=True, column_config=config, alt="Accuracy by corruption and severity")
        ui.download(table, f"robustness_{run.id}")


def _views(run: RunSummary, report: dict[str, Any]) -> None:
    table = tables.views(report)
    note = f"{tables.subject(report)} Probabilities of the views are averaged with equal weights."
    ui.figure_title(tables.gain(report), note)
    config = {
        "views": column.TextColumn("What is read of a face", width="medium", pinned=True),
        "number": column.NumberColumn("Views", format="%d"),
        "accuracy": column.NumberColumn("Accuracy (%)", format="%.1f"),
        "low": column.NumberColumn("95 % from", format="%.1f"),
        "high": column.NumberColumn("to", format="%.1f"),
        "gain": column.NumberColumn("Gain (points)"),
        "n": column.NumberColumn("Images", format="%,d"),
    }
    signed = with_signs(table, "gain")
    st.dataframe(
        signed, hide_index=True, column_config=config, placeholder=NONE, alt="Accuracy with several views of each face"
    )
    ui.download(table, f"views_{run.id}")
