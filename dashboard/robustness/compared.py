"""The Compare page's part on robustness: the runs on worse pictures, and with several views of each face."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from streamlit import column_config as column

from dashboard import cache
from dashboard import components as ui
from dashboard.advice import PYTHON
from dashboard.compare.selection import Selection
from dashboard.formats import NONE, plain, sentence, with_signs
from dashboard.linked import segments
from dashboard.robustness import compared_charts as charts
from dashboard.robustness import compared_tables as tables
from dashboard.robustness.compared_charts import Height
from dashboard.robustness.view import SOURCE
from dashboard.summaries import RunSummary
from fer_core.errors import FerError

SHOWN: dict[str, Height] = {"Accuracy": "accuracy", "Share of untouched": "kept"}
Read = Callable[[RunSummary], Mapping[str, Any] | None]


@st.fragment
def robustness(selection: Selection) -> None:
    """How the runs on the baseline's board do on worse pictures, or the commands that measure it."""
    with ui.errors_shown():
        found, absent = _stored(selection, cache.robustness)
        if found:
            measured = [run for run in selection.paired if selection.names[run.id] in found]
            images = {cache.measured_on(run, found[selection.names[run.id]]) for run in measured}
            _worse(found, list(selection.names.values()), tables.note(found, is_same=len(images) == 1))
        _missing(selection, absent, "--corruptions", "on worse pictures", is_alone=not found)
        averaged, without = _stored(selection, cache.averaging)
        if averaged:
            _views(averaged)
            _missing(selection, without, "--tta ten_crop", "with several views", is_alone=False)


def _stored(selection: Selection, read: Read) -> tuple[dict[str, Mapping[str, Any]], list[RunSummary]]:
    """What is stored of each run, by its name, and the runs of which nothing is; what cannot be read is said."""
    found, absent = {}, []
    for run in selection.paired:
        try:
            report = read(run)
        except FerError as error:
            st.error(plain(sentence(str(error))), icon=":material/error:")
            continue
        if report is None:
            absent.append(run)
        else:
            found[selection.names[run.id]] = report
    return found, absent


def _worse(found: Mapping[str, Mapping[str, Any]], names: Sequence[str], images: str) -> None:
    table = tables.ranking(found)
    chart = charts.losses(table, names)
    note = f"Ring: untouched; dot: mean on worse pictures. {images} {SOURCE}"
    ui.figure(tables.finding(table), chart, note=note, key="losses")
    ui.download_chart(chart, "corruptions_mean")
    _severities(tables.lines(found), names)
    ui.figure_title(
        "Mean accuracy under each corruption, in percent",
        "Over its five severities. The loss is counted from the run's own accuracy on the same images untouched.",
    )
    st.dataframe(
        with_signs(table, "lost", "relative"), hide_index=True, column_config=_columns(table), placeholder=NONE,
        alt="Robustness of each run",
    )  # fmt: skip
    ui.download(table, "corruptions")


def _severities(lines: pd.DataFrame, names: Sequence[str]) -> None:
    """A small chart for each corruption, on one scale."""
    ui.figure_title("Accuracy over severity, one panel a corruption", "Severity 0 is untouched; colours as above.")
    shown = SHOWN[segments("Height", "severity_height", list(SHOWN), label_visibility="collapsed")]
    ends = charts.axis_ends(lines, shown)
    with st.grid(charts.PANELS_ACROSS, min_column_width=165, gap="medium"):
        for corruption, part in lines.groupby("corruption", sort=False):
            with st.container(gap="xsmall"):
                st.markdown(f"**{tables.title(str(corruption))}**")
                spec = cache.chart_spec(
                    ("severities", shown, ends, tuple(names), part.to_csv()),
                    partial(charts.panel, part, names, shown, ends),
                )
                alt = f"{charts.HEIGHTS[shown]} over severity: {corruption}"
                st.vega_lite_chart(spec, key=f"severities_{corruption}", alt=alt)
    with st.container(horizontal=True, gap="small"):
        ui.download(lines, "corruptions_severities")
        ui.download_chart(partial(charts.sheet, lines, names, shown), f"corruptions_{shown}")


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    number = column.NumberColumn
    means = {name: number(tables.title(name), format="%.1f") for name in tables.corruptions(table)}
    return {
        "run": column.TextColumn("Run", pinned=True),
        "clean": number("Untouched (%)", format="%.1f"),
        "corrupted": number("Mean, worse (%)", format="%.1f", help="Over all corruptions and severities."),
        "lost": number("Change (points)"),
        "relative": number("Change (% of untouched)"),
        **means,
        "images": number("Images", format="%,d", help="Test images that were measured."),
        "of": None,
    }


def _views(found: Mapping[str, Mapping[str, Any]]) -> None:
    table = tables.views(found)
    if table.empty:
        return
    ui.figure_title(tables.views_finding(table), "Probabilities of the views are averaged with equal weights.")
    number = column.NumberColumn
    config = {
        "run": column.TextColumn("Run", pinned=True),
        "views": column.TextColumn("What is read of a face", width="medium"),
        "number": number("Views", format="%d"),
        "alone": number("Face alone (%)", format="%.1f"),
        "accuracy": number("Accuracy (%)", format="%.1f"),
        "gain": number("Gain (points)"),
        "images": number("Images", format="%,d"),
        "of": None,
    }
    st.dataframe(with_signs(table, "gain"), hide_index=True, column_config=config, alt="Several views of each face")
    ui.download(table, "views")


def _missing(selection: Selection, absent: Sequence[RunSummary], option: str, what: str, *, is_alone: bool) -> None:
    """Which runs are not measured, with the commands to copy; and which cannot be, and why."""
    able = [run for run in absent if not run.obstacle]
    unable = [run for run in absent if run.obstacle]
    if able:
        commands = tables.commands(PYTHON, [run.id for run in able], option)
        if is_alone:
            ui.empty_state(
                "None of these runs is measured yet",
                "How much accuracy is left with noise, blur, occlusion and more? Each command measures one run, in "
                "minutes; the dataset must be prepared here:",
                commands,
            )
        else:
            letters = ", ".join(selection.letter(run.id) for run in able)
            st.caption(f"Not measured {what}: {letters}. The dataset must be prepared here:")
            st.code(commands, language="bash", wrap_lines=True)
    for run in unable:
        st.caption(plain(f"{selection.letter(run.id)} cannot be measured {what}: it {run.obstacle}."))
