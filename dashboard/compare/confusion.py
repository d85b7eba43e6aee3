"""Confusion matrices that one clicks: a cell, and its images; on the Run page one, on Compare several."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.charts import CellValue
from dashboard.compare import matrices, tables
from dashboard.compare.form import letter_field
from dashboard.compare.gallery import gallery
from dashboard.compare.selection import Selection
from dashboard.formats import count, percent
from dashboard.linked import choice, segments
from dashboard.summaries import RunSummary
from dashboard.tables import matrix_cells, worst_confusion
from fer_core.evaluation import Answers, in_cell

SHOWN: dict[str, CellValue] = {"By row": "row", "By column": "column", "Counts": "count"}
FULL_COLOUR: dict[CellValue, float] = {"row": 0.05, "column": 0.05, "count": 10}  # smaller differences look small
ANY = "Any"
MATRICES, DIFFERENCE = "Matrices", "Difference to the baseline"
SMALL = 250  # pixels, of a matrix among others
WIDTH, SMALL_WIDTH = 640, 440  # pixels of a saved one


def of_run(run: RunSummary) -> None:
    """A run's confusion matrix; see `images_of_run` for what a click shows."""
    answers = cache.answers(run)
    cells = matrix_cells(tables.matrix_of(answers, run.id), answers.emotions)
    ui.figure_title(
        worst_confusion(cells), "Confusion matrix of the test images. Rows are true emotions. Click a cell to see them."
    )
    shown = choose_shown()

    def make() -> alt.LayerChart:
        return matrices.confusion_heatmap(cells, shown)

    spec = matrices.framed(cache.chart([run], ("matrix", shown), make), chosen_cell(answers.emotions))
    clickable(spec, "confusion", "Confusion matrix")
    with st.container(horizontal=True, gap="small"):
        ui.download(cells[["true", "predicted", "count", "row", "column"]], f"confusion_{run.id}")
        ui.download_chart(make, f"confusion_{run.id}", width=WIDTH)


def images_of_run(run: RunSummary) -> None:
    """The images of the chosen cell of a run's confusion matrix, and the fields that choose it."""
    cell_images(cache.answers(run), lambda: run, {run.id: "This run"}, "cell")


def choose_shown() -> CellValue:
    """What the cells say."""
    return SHOWN[segments("Cells show", "cells", list(SHOWN), label_visibility="collapsed")]


def chosen_cell(emotions: Sequence[str]) -> dict[str, str]:
    """The `true` and `predicted` emotion that are chosen, by a click, in the fields or by the link; either may lack."""
    values = {name: st.session_state.get(name, st.query_params.get(name, ANY)) for name in ("true", "predicted")}
    return {name: value for name, value in values.items() if value in emotions}


def clickable(spec: dict[str, Any], key: str, text: str, letter: str = "") -> None:
    """A matrix whose clicked cell becomes the chosen one, of the run called `letter`; fields and link follow."""

    def take() -> None:
        for cell in st.session_state[key]["selection"].get("cell") or []:
            st.session_state.update(true=cell["true"], predicted=cell["predicted"])
            if letter:
                st.session_state["of"] = letter

    st.vega_lite_chart(spec, key=key, on_select=take, selection_mode="cell", alt=text)


def cell_images(answers: Answers, choose_run: Callable[[], RunSummary], names: Mapping[str, str], key: str) -> None:
    """Fields for a run, a true and a predicted emotion; the images of that cell of its matrix, surest first."""
    options = [ANY, *answers.emotions]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = choose_run()
        true = choice("True emotion", "true", options, width=170)
        predicted = choice("Predicted emotion", "predicted", options, width=170)
    if true == ANY and predicted == ANY:
        st.caption("Click a cell of the matrix, or choose its emotions here, to see its images.")
        return
    places = [None if each == ANY else answers.emotions.index(each) for each in (true, predicted)]
    picked = in_cell(answers, run.id, places[0], places[1])
    reader = names[run.id] if names[run.id][1:2] == " " else "it"
    is_repeated = len(set(answers.ids.tolist())) < len(answers)  # by folds that read a face several times
    what = f"{'predictions of ' if is_repeated else ''}{true if true != ANY else 'all'} faces" + (
        "" if predicted == ANY else f" that {reader} reads as {predicted}"
    )
    share = percent(len(picked) / max(1, len(answers)))
    ui.figure_title(
        f"{count(len(picked))} {what}", f"{share} of the test predictions, those the run is surest of above."
    )
    dataset = run.spec.dataset if run.spec else ""
    gallery(answers, picked, dataset, names, key, f"images_{true}_{predicted}")


@st.fragment
def side_by_side(selection: Selection) -> None:
    """The matrices of all runs that were tested as the baseline was, or how they differ from its one."""
    with ui.errors_shown():
        runs, names, base = selection.paired, selection.names, selection.baseline.id
        answers = cache.shared(runs)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            mode = segments("Show", "matrices", [MATRICES, DIFFERENCE], label_visibility="collapsed")
            shown = choose_shown()
        ui.figure_title(
            "What each run takes for what" if mode == MATRICES else f"Where each run differs from {names[base]}",
            "Rows are true, columns predicted emotions. Click a cell to see its images below. " + _unit(mode, shown),
        )
        if mode == MATRICES:
            _matrices(selection, shown)
        else:
            _differences(selection, shown)
        cell_images(answers, lambda: _matrix_run(selection), names, "cell")


def _unit(mode: str, shown: CellValue) -> str:
    if mode == MATRICES:
        return ""
    what = {"row": "points of the true class", "column": "points of the predicted class", "count": "images"}[shown]
    return f"In {what}; blue is more than the baseline, orange less: on the diagonal blue is better, elsewhere orange."


def _matrices(selection: Selection, shown: CellValue) -> None:
    answers = cache.shared(selection.paired)
    with st.grid(3, min_column_width=310, gap="medium"):
        for run in answers.runs:
            cells = matrix_cells(tables.matrix_of(answers, run), answers.emotions)
            make = partial(matrices.confusion_heatmap, cells, shown, height=SMALL)
            _panel(selection, run, selection.names[run], ("matrix", run, shown), make)


def _differences(selection: Selection, shown: CellValue) -> None:
    answers, base = cache.shared(selection.paired), selection.baseline.id
    others = {run: tables.difference_cells(answers, run, base, shown) for run in answers.runs if run != base}
    limit = max(FULL_COLOUR[shown], *(float(cells["difference"].abs().max()) for cells in others.values()))
    with st.grid(3, min_column_width=310, gap="medium"):
        for run, cells in others.items():
            make = partial(matrices.difference_heatmap, cells, limit, height=SMALL)
            title = f"{selection.names[run]}, less {selection.letter(base)}"
            _panel(selection, run, title, ("difference", run, base, shown), make)


def _panel(
    selection: Selection, run: str, title: str, what: tuple[str, ...], make: Callable[[], alt.LayerChart]
) -> None:
    spec = cache.chart(selection.paired, what, make)
    chosen = chosen_cell(cache.shared(selection.paired).emotions)
    with st.container(gap="xsmall"):
        st.markdown(f"**{title}**")
        clickable(
            matrices.framed(spec, chosen), f"{what[0]}_{run}", f"Confusion matrix of {title}", selection.letter(run)
        )
        with st.container(horizontal=True, gap="small"):
            ui.download_chart(make, f"{what[0]}_{run}", width=SMALL_WIDTH)


def _matrix_run(selection: Selection) -> RunSummary:
    """Whose matrix the chosen cell is of."""
    by_letter = {selection.letter(run.id): run for run in selection.paired}
    return by_letter[letter_field("Matrix of", "of", list(by_letter), next(iter(by_letter)))]
