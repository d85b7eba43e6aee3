"""The views of the Compare page that need no images: standings, curves, settings, emotions, calibration, tests."""

from collections.abc import Mapping, Sized
from functools import partial
from typing import get_args

import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.compare import calibration as scaling
from dashboard.compare import charts, columns, curves, matrices, settings, tables
from dashboard.compare.selection import Selection
from dashboard.formats import NONE, percent, with_signs
from dashboard.labels import hash_of
from dashboard.linked import LINKED, choice, linked_notice, segments
from dashboard.summaries import RunSummary
from dashboard.tables import to_csv
from fer_core.errors import FerError
from fer_core.evaluation import Answers, ClassMetric, Comparison

OVER = {"Epochs": "epoch", "Seconds": "seconds"}
CLASS_METRICS: dict[str, ClassMetric] = {each.capitalize(): each for each in get_args(ClassMetric)}
AGREEMENTS = {"Cohen's kappa": "kappa", "Same answer": "share"}
MOST_SMOOTHING = 0.98


def finding(selection: Selection) -> None:
    """Who recognises most of the same images, and whether that is more than chance."""
    table, pairs = _standings(selection)
    ui.figure_title(
        tables.finding(table, pairs, selection.baseline.id, selection.names),
        f"{tables.shared_note(cache.shared(selection.paired))} Differences are tested pairwise (McNemar, Holm).",
    )


def report(selection: Selection) -> None:
    """A button that saves the comparison as the command line's HTML page, or why there is none."""
    runs = selection.paired
    obstacle = cache.report_obstacle(runs)
    if obstacle:
        st.caption(obstacle)
        return
    name = "_".join(["comparison", *(hash_of(run.id) for run in runs)])
    ui.save_button("HTML report", name, "html", partial(cache.comparison_report, runs))


def _standings(selection: Selection) -> tuple[pd.DataFrame, list[Comparison]]:
    answers, pairs = cache.shared(selection.paired), cache.comparisons(selection.paired)
    return tables.standings(answers, pairs, selection.baseline.id, selection.names, selection.paired), pairs


@st.fragment
def standings(selection: Selection) -> None:
    """The figures of each run on the same images."""
    with ui.errors_shown():
        table, _ = _standings(selection)
        chart = charts.accuracy_chart(table, list(selection.names.values()))
        ui.figure(
            f"Test accuracy against {selection.names[selection.baseline.id]}", chart, note="Bars are 95 % intervals.",
            key="standings",
        )  # fmt: skip
        st.dataframe(
            with_signs(table, "lead"), hide_index=True, column_config=columns.standings(), placeholder=NONE,
            alt="Figures of each run",
        )  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            ui.download(table, "compared")
            ui.download_chart(chart, "compared")


@st.fragment
def learning(selection: Selection) -> None:
    """The curves of all runs over each other."""
    with ui.errors_shown():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            metric = choice("Metric", "metric", list(curves.METRICS), width=190)
            over = segments("Over", "over", list(OVER))
            linked_notice("smooth", (), _is_smoothing)
            weight = st.slider("Smoothing", 0.0, MOST_SMOOTHING, 0.0, 0.02, key="smooth", bind=LINKED, width=180)
            log_x = st.toggle("Log x", key="log_x", bind=LINKED)
            log_y = st.toggle("Log y", key="log_y", bind=LINKED)
        found = {
            selection.names[run.id]: curves.run_curve(cache.metrics(run), metric, weight) for run in selection.runs
        }
        _say_missing(selection, found, f"no {metric.lower()} written down")
        if OVER[over] == "seconds":
            timed = {name: frame["seconds"].dropna() for name, frame in found.items() if len(frame)}
            _say_missing(selection, timed, "no times of their epochs written down")
        lines, table = curves.joined(found), curves.summary(found, metric)
        if lines.empty:
            return
        names = list(selection.names.values())
        chart = charts.curves_chart(lines, names, metric, OVER[over], log_x=log_x, log_y=log_y, is_smooth=weight > 0)
        folds = [selection.letter(run.id) for run in selection.runs if run.folds > 1]
        is_ranked = len({run.board for run in selection.runs}) == 1
        notes = [
            *([f"Of {', '.join(folds)} the mean over the folds."] if folds else []),
            *([] if is_ranked else ["Not all see the same images: shapes compare, heights do not."]),
        ]
        title = curves.finding(table, metric, is_ranked=is_ranked)
        ui.figure(title, chart, note=" ".join(notes), key="curves")
        st.dataframe(
            table, hide_index=True, placeholder=NONE, alt="Best and last values of the curves",
            column_config=columns.curve_summary(metric, curves.METRICS[metric].is_share),
        )  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            ui.download(lines, "curves")
            ui.download_chart(chart, "curves")


def _is_smoothing(text: str) -> bool:
    try:
        return 0 <= float(text) <= MOST_SMOOTHING
    except ValueError:
        return False


def _say_missing(selection: Selection, values: Mapping[str, Sized], what: str) -> None:
    """Name the runs that no line is drawn of, and why."""
    without = {name for name, found in values.items() if not len(found)}
    absent = [run for run in selection.runs if selection.names[run.id] in without]
    members = [selection.letter(run.id) for run in absent if run.is_ensemble]
    others = [selection.letter(run.id) for run in absent if not run.is_ensemble]
    if members:
        ending = "is an ensemble and has no curve" if len(members) == 1 else "are ensembles and have no curves"
        st.caption(f"{', '.join(members)} {ending}.")
    if others:
        st.caption(f"{', '.join(others)} {'has' if len(others) == 1 else 'have'} {what}.")


@st.fragment
def differences(selection: Selection) -> None:
    """The settings that differ, and the machines and times."""
    with ui.errors_shown():
        everything = st.toggle("Also what is the same", key="all_settings", bind=LINKED)
        specs = settings.specs(selection.runs, selection.names, all_rows=everything)
        _settings("What was asked for", specs, "settings", "The runs were asked for the same.", selection)
        facts = [_environment(run) for run in selection.runs]
        machines = settings.environments(selection.runs, facts, selection.names, all_rows=everything)
        _settings("Where and how long", machines, "environments", "The runs were trained alike.", selection)


def _settings(title: str, table: pd.DataFrame, name: str, alike: str, selection: Selection) -> None:
    ui.figure_title(title)
    if table.empty:
        st.caption(alike)
        return
    config = columns.settings(table, list(selection.names.values()))
    st.dataframe(table, hide_index=True, column_config=config, width="content", height="content", alt=title)
    ui.download(table, name)


def _environment(run: RunSummary) -> dict[str, object]:
    try:
        return cache.environment(run)
    except FerError:
        return {}  # it has not ended, or the file is gone: its column says –


@st.fragment
def emotions(selection: Selection) -> None:
    """What each run gains and loses against the baseline in each emotion."""
    with ui.errors_shown():
        runs, names, base = selection.paired, selection.names, selection.baseline.id
        chosen = segments("Metric", "class_metric", list(CLASS_METRICS))
        metric = CLASS_METRICS[chosen]
        answers = cache.shared(runs)
        rows = tables.change_rows(cache.changes(runs, base, metric), names)
        tested = (
            "Bold is more than chance (McNemar's exact test on the emotion's images, Holm over all cells)."
            if metric == "recall"
            else "Only recall is a share of fixed images, which can be tested in pairs."
        )
        ui.figure_title(
            tables.change_finding(rows, names[base], _in_text(metric)),
            f"Points of {_in_text(metric)} more (blue) or less (orange). {tested}",
        )
        chart = matrices.change_heatmap(rows)
        st.altair_chart(chart, key="changes", alt="Change of each run in each emotion")
        table = tables.class_table(answers, names, metric)
        st.dataframe(
            table,
            hide_index=True,
            column_config=columns.classes([names[run.id] for run in runs]),
            alt=f"{chosen} of each emotion",
        )
        with st.container(horizontal=True, gap="small"):
            _save("CSV of the changes", rows.drop(columns=rows.filter(like="_text").columns), f"changes_{metric}")
            _save(f"CSV of each {_in_text(metric)}", table, f"emotions_{metric}")
            ui.download_chart(chart, f"changes_{metric}")


def _in_text(metric: ClassMetric) -> str:
    return "F1" if metric == "f1" else metric


def _save(label: str, table: pd.DataFrame, name: str) -> None:
    """One of several tables of a view: the button says which."""
    ui.save_button(label, name, "csv", partial(to_csv, table))


@st.fragment
def calibration(selection: Selection) -> None:
    """Whether the runs are right as often as they are sure."""
    with ui.errors_shown():
        runs, names = selection.paired, selection.names
        is_scaled = st.toggle(
            "With temperature", key="calibrated", bind=LINKED,
            help="Each run's probabilities softened or sharpened by the temperature that fits its validation images.",
        )  # fmt: skip
        answers = cache.shared(runs)
        temperatures = {run.id: cache.temperature(run) for run in runs}
        table = scaling.calibration_table(answers, names, temperatures)
        rows = scaling.reliability_rows(answers, names, temperatures if is_scaled else {})
        chart = charts.reliability_chart(rows, list(names.values()))
        ui.figure(
            scaling.calibration_finding(table, "calibrated_ece" if is_scaled else "ece"),
            chart,
            note="Below the dotted line a run is surer than it should be. Larger points stand for more images.",
            key="reliability",
        )
        st.dataframe(table, hide_index=True, column_config=columns.calibration(), alt="Calibration of each run")
        with st.container(horizontal=True, gap="small"):
            _save("CSV of the table", table, "calibration")
            _save("CSV of the chart", rows, "reliability")
            ui.download_chart(chart, "reliability")


@st.fragment
def tests(selection: Selection) -> None:
    """Which differences are more than chance, and how far the runs say the same."""
    with ui.errors_shown():
        runs, names = selection.paired, selection.names
        answers, pairs = cache.shared(runs), cache.comparisons(runs)
        real = sum(pair.is_real for pair in pairs)
        left, right = st.columns(2, gap="large")
        with left:
            chart = matrices.pair_heatmap(tables.pair_rows(pairs, names))
            ui.figure(
                f"{real} of {len(pairs)} differences are more than chance",
                chart,
                note="Points of accuracy, row less column; bold is more than chance (McNemar's exact test, Holm).",
                key="pairs",
            )
            ui.download_chart(chart, "tests")
        with right:
            _agreement(answers, names)
        table = tables.pair_table(pairs, names)
        ui.figure_title(
            "Every pair, the surest difference first", f"{tables.shared_note(answers)} Exact two-sided tests."
        )
        st.dataframe(
            with_signs(table, "difference"), hide_index=True, column_config=columns.pairs(),
            alt="Tests of every pair of runs",
        )  # fmt: skip
        ui.download(table, "tests")


def _agreement(answers: Answers, names: Mapping[str, str]) -> None:
    rows = tables.agreement_rows(answers, names)
    others = rows[rows["run"] != rows["other"]]
    place = st.container()
    measure = AGREEMENTS[segments("Agreement", "agreement", list(AGREEMENTS), label_visibility="collapsed")]
    chart = matrices.agreement_heatmap(rows, measure)
    with place:
        alike = others.sort_values("share", kind="stable").iloc[-1]
        ui.figure(
            f"Most alike are {tables.letter(alike['run'])} and {alike['column']}: the same answer on "
            f"{percent(alike['share'])} of the images",
            chart,
            note="Kappa is agreement beyond what the frequencies of their answers give: 0 is chance, 1 the same.",
            key="agreement_chart",
        )
    with st.container(horizontal=True, gap="small"):
        ui.download(rows[["run", "other", "share", "kappa"]], "agreement")
        ui.download_chart(chart, "agreement")
