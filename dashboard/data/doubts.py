"""Labels that may be wrong: those that runs contradict on images that they have not learnt from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.advice import PYTHON
from dashboard.cache import About, Doubts
from dashboard.data import charts, tables
from dashboard.data.figures import figure
from dashboard.data.form import choose_runs, fitting, left_out, narrower
from dashboard.formats import count, percent, plain, plural, sentence
from dashboard.linked import choice, segments
from dashboard.paging import page_of, pager
from dashboard.summaries import RunSummary
from fer_core.evaluation import LabelErrors
from fer_core.labels import EMOTIONS

ANY = "Any"
MARGIN, CONFIDENCE = "Margin", "Label's probability"
PER_PAGE = 12
ENOUGH = 0.5  # of the labels: runs that agree with fewer are no judges
METHOD = (
    "Confident learning (Northcutt et al. 2021): a label is doubted where another emotion's probability reaches the "
    "mean that it gets on the images labelled so. A candidate is no verdict: networks also err where a face is hard "
    "to read, so look before you change a label. Probabilities are the mean of the runs', each calibrated."
)


@st.fragment
def doubts(about: About, runs: Sequence[RunSummary]) -> None:
    """Which labels are doubted, with the pictures."""
    with ui.errors_shown():
        candidates = fitting(runs, about.name)
        if not candidates:
            words = f"Finished runs of {plain(about.name)} say which labels they contradict. Train one:"
            ui.empty_state("No run to ask", words, f"{PYTHON} -m fer_core train --dataset {about.name}")
            return
        chosen = choose_runs(candidates)
        _unknown(candidates[0], narrower(runs, about.name))
        if not chosen:
            st.info("Choose a run to see which labels it doubts.")
            return
        found = cache.doubts(chosen)
        emotions = chosen[0].spec.emotions if chosen[0].spec else ()
        if not len(found.seen):
            st.info("These runs have learnt from an exact copy of every image that they were tested on.")
            return
        numbers(about, found, emotions, len(chosen))
        _method(found)
        candidates_in_pages(about, found, emotions, tuple(run.id for run in chosen))
        _overall(about, found, emotions)


def _unknown(asked: RunSummary, others: Sequence[RunSummary]) -> None:
    """Which emotions the runs that are asked do not know, and which runs cannot be asked with them."""
    unknown = left_out(asked)
    if unknown:
        names = " and ".join(unknown)
        st.info(
            f"These runs were trained without {names}: images labelled so are not judged, and no label is doubted in "
            f"favour of {names}.",
            icon=":material/filter_alt:",
        )
    if others:
        missing = sorted({emotion for run in others for emotion in left_out(run)}, key=EMOTIONS.index)
        which = f"trained without {' or '.join(missing)}" if missing else "with the emotions in another order"
        words = "cannot be asked with these: a mean is taken over runs that tell the same emotions apart."
        st.caption(f"{plural(len(others), 'run')} {which} {words}")


def _method(found: Doubts) -> None:
    """How labels are doubted, and how far these runs can be trusted."""
    agreed = float((found.seen.probabilities.argmax(axis=1) == found.seen.labels).mean())
    st.caption(f"{METHOD} This mean agrees with {percent(agreed)} of the labels.")
    if agreed < ENOUGH:
        words = f"The runs agree with only {percent(agreed)} of the labels: most of these doubts are their own errors."
        st.warning(words, icon=":material/warning:")


def numbers(about: About, found: Doubts, emotions: Sequence[str], runs: int) -> None:
    """How many labels are doubted, out of how many."""
    seen, errors = found.seen, found.errors
    share = len(errors) / max(1, len(seen))
    left_out = f" {count(seen.left_out)} with a copy in training are left out." if seen.left_out else ""
    per_class = np.bincount(seen.labels[errors.rows], minlength=len(emotions))
    shares = per_class / np.maximum(np.bincount(seen.labels, minlength=len(emotions)), 1)
    worst = int(shares.argmax())
    ui.metric_row(
        [
            ui.Metric(
                "Images judged",
                count(len(seen)),
                f"{percent(len(seen) / about.images)} of {count(about.images)}",
                f"Validation and test images, by the runs that have not learnt from them.{left_out}",
            ),
            ui.Metric("Doubted labels", count(len(errors)), f"{percent(share)} of those judged"),
            ui.Metric("Most doubted", emotions[worst], f"{percent(float(shares[worst]))} of these labels"),
            ui.Metric(
                "Judged by",
                f"{seen.runs.mean():.1f}".removesuffix(".0"),
                f"runs an image, of {runs}" if runs > 1 else "run",
                "A run judges only its own validation and test images, which differ between protocols.",
            ),
        ],
        min_width=170,
    )


def candidates_in_pages(about: About, found: Doubts, emotions: Sequence[str], runs: tuple[str, ...]) -> None:
    """The doubted images, filtered and sorted, with the label and what is suggested."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        label = choice("Labelled", "labelled", [ANY, *emotions], ANY, width=140)
        suggested = choice("Suggested", "suggested", [ANY, *emotions], ANY, width=140)
        order = segments("Sort by", "doubt_order", [MARGIN, CONFIDENCE])
    shown = picked(found, emotions, label, suggested, order)
    which = (f" labelled {label}" if label != ANY else "") + (f" that may be {suggested}" if suggested != ANY else "")
    note = "By how much less probable the label is than what is suggested" if order == MARGIN else "By how improbable"
    ui.figure_title(f"{plural(len(shown), 'candidate')}{which}", f"{note}{'' if order == MARGIN else ' the label is'}.")
    if not len(shown):
        st.caption("No label is doubted so.")
        return
    table = rows_of(found, shown, emotions)
    page = page_of(len(shown), PER_PAGE, "doubt_page", (about.name, runs, label, suggested, order))
    part = table.iloc[page]
    pictures, problem = cache.pictures_or_reason(about.name, part["id"].tolist())
    if problem:
        st.info(plain(sentence(problem)), icon=":material/hide_image:")
    if any(picture is not None for picture in pictures):
        _cards(part, pictures, cache.labelled(about.name))
    else:
        st.dataframe(part, hide_index=True, column_config=_columns(), height="content", alt="Doubted labels")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        pager(page, len(shown), PER_PAGE, "doubt_page")
        ui.download(table, f"{about.name}_label_errors")


def picked(found: Doubts, emotions: Sequence[str], label: str, suggested: str, order: str) -> LabelErrors:
    """The doubted images of a label and a suggestion, `ANY` or an emotion, in the order that is asked for."""
    errors, labels = found.errors, found.seen.labels
    mask = np.ones(len(errors), bool)
    if label != ANY:
        mask &= labels[errors.rows] == emotions.index(label)
    if suggested != ANY:
        mask &= errors.suggested == emotions.index(suggested)
    kept = errors.where(mask)
    given = found.seen.probabilities[kept.rows, labels[kept.rows]]
    return kept if order == MARGIN else kept.ordered(given)


def rows_of(found: Doubts, errors: LabelErrors, emotions: Sequence[str]) -> pd.DataFrame:
    """`data.tables.doubt_table` of doubted images."""
    seen, rows = found.seen, errors.rows
    return tables.doubt_table(
        seen.ids[rows], seen.labels[rows], errors.suggested, seen.probabilities[rows], seen.runs[rows], emotions
    )


def _cards(part: pd.DataFrame, pictures: Sequence[np.ndarray | None], labelled: pd.DataFrame) -> None:
    splits = labelled["split"].reindex(part["id"]).fillna("").tolist()
    with st.grid(6, min_column_width=135, row_height="content"):
        for row, picture, split in zip(part.to_dict("records"), pictures, splits, strict=True):
            with st.container(border=True, gap="xsmall", height="stretch"):
                if picture is not None:
                    alt = f"An image labelled {row['label']} that may be {row['suggested']}"
                    st.image(picture, width="stretch", alt=alt)
                lines = (
                    f"labelled **{row['label']}** {percent(row['of label (%)'] / 100, 0)}",
                    f"may be **{row['suggested']}** {percent(row['of suggested (%)'] / 100, 0)}",
                )
                place = f"{tables.SPLITS[split].lower()} · " if split else ""
                st.markdown("  \n".join(lines))
                st.caption(f"{place}{plural(row['runs'], 'run')}", help=plain(str(row["id"])))


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    shares = {name: number(name, format="%.1f") for name in ("of label (%)", "of suggested (%)")}
    return {**shares, "margin": number("margin", format="%.3f")}


def _overall(about: About, found: Doubts, emotions: Sequence[str]) -> None:
    """Which labels are doubted, and for what."""
    if not len(found.errors):
        return
    cells = tables.doubt_cells(
        found.seen.labels[found.errors.rows], found.errors.suggested, found.seen.labels, emotions
    )
    worst = cells.sort_values("share").iloc[-1]
    title = (
        f"Most often, what is labelled {worst['label']} may be {worst['suggested']}: {worst['exact']} of these images"
    )
    note = "Images whose label is doubted; the colour is their share of the images of the label."
    figure(title, cells, charts.doubt_heatmap, note, f"{about.name}_doubted_labels")
