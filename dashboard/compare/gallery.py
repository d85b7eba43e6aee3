"""Images with what every run says of them, in pages; one of them in full."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.compare import matrices, tables
from dashboard.formats import plain, sentence
from dashboard.linked import LINKED, linked_notice
from dashboard.paging import page_of, pager
from fer_core.evaluation import Answers, Picked

PER_PAGE = 12
MARKS = {True: ":green[✓]", False: ":red[✗]"}


def gallery(answers: Answers, picked: Picked, dataset: str, names: Mapping[str, str], key: str, file: str) -> None:
    """The picked images in their order, a page at a time; `key` begins the names of the link's values."""
    if not len(picked):
        st.caption("No image is like that.")
        return
    page = page_of(len(picked), PER_PAGE, f"{key}_page", hash((answers.runs, picked.rows.tobytes())))
    rows = picked.rows[page]
    pictures, problem = cache.pictures_or_reason(dataset, [str(each) for each in answers.ids[rows]])
    if problem:
        st.info(plain(sentence(problem)).replace("\\`", "`"), icon=":material/hide_image:")
    chosen = _in_full(answers, rows, pictures, names, f"{key}_image")
    if any(picture is not None for picture in pictures):
        _cards(answers, rows, pictures, names, key, chosen)
    else:
        table = tables.image_table(answers, rows, picked.margin[page], names)
        st.dataframe(table, hide_index=True, column_config=_rounded(table), alt="Images and answers")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        pager(page, len(picked), PER_PAGE, f"{key}_page")
        ui.download(tables.image_table(answers, picked.rows, picked.margin, names), file)


def _in_full(
    answers: Answers, rows: np.ndarray, pictures: Sequence[np.ndarray | None], names: Mapping[str, str], key: str
) -> int:
    """One image with all probabilities of all runs; returns its row."""
    options = [str(answers.ids[row]) for row in rows]
    known = list(dict.fromkeys(options))
    with st.container(border=True):
        left, right = st.columns([1, 4], gap="medium", vertical_alignment="center")
        with left:
            image = _choose_image(key, known)
            place = options.index(image)
            picture = pictures[place]
            if picture is not None:
                st.image(picture, width=150, alt=f"{image}, labelled {answers.emotions[answers.labels[rows[place]]]}")
        with right:
            row = int(rows[place])
            ui.figure_title(
                f"{plain(image)}, labelled {answers.emotions[answers.labels[row]]}",
                f"{'Each' if len(names) > 1 else 'The'} run's probability of each emotion; its answer is bold.",
            )
            chart = matrices.probability_heatmap(tables.probability_rows(answers, row, names))
            st.altair_chart(chart, key=f"{key}_probabilities", alt="Probabilities of every emotion")
    return row


def _choose_image(key: str, known: Sequence[str]) -> str:
    if key not in st.session_state:
        linked_notice(key, known)
    elif st.session_state[key] not in known:
        st.session_state[key] = known[0]  # another page has other images
    return st.selectbox("Image", known, key=key, bind=LINKED) or known[0]


def _cards(
    answers: Answers, rows: np.ndarray, pictures: Sequence[np.ndarray | None], names: Mapping[str, str], key: str,
    chosen: int,
) -> None:  # fmt: skip
    with st.grid(6, min_column_width=150, row_height="content"):
        for row, picture in zip(rows.tolist(), pictures, strict=True):
            with st.container(border=True, gap="xsmall", height="stretch"):
                label, image = answers.emotions[answers.labels[row]], str(answers.ids[row])
                if picture is not None:
                    st.image(picture, width="stretch", alt=f"An image labelled {label}")
                lines = [f"**{label}**", *(_line(*each) for each in tables.verdicts(answers, row, names))]
                st.markdown("  \n".join(lines))
                st.button(
                    "Shown above" if row == chosen else "All probabilities",
                    key=f"{key}_show_{row}",
                    type="tertiary",
                    disabled=row == chosen,
                    on_click=_show,
                    args=(f"{key}_image", image),
                    help=plain(image),
                )


def _show(field: str, image: str) -> None:
    st.session_state[field] = image


def _line(letter: str, answer: str, share: str, is_right: bool) -> str:
    name = f"{letter} " if letter else ""
    return f"{MARKS[is_right]} {name}{answer} {share}"


def _rounded(table: pd.DataFrame) -> dict[str, Any]:
    return {
        name: st.column_config.NumberColumn(name, format="%.1f")
        for name in map(str, table)
        if name.endswith(("(%)", "(points)"))
    }
