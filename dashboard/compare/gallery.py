"""Images with what every run says of them, in pages; one of them in full."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.compare import matrices, tables
from dashboard.formats import count, plain, sentence
from dashboard.linked import LINKED, linked_notice
from fer_core.errors import FerError
from fer_core.evaluation import Answers, Picked

PER_PAGE = 12
MARKS = {True: ":green[✓]", False: ":red[✗]"}


def gallery(answers: Answers, picked: Picked, dataset: str, names: Mapping[str, str], key: str, file: str) -> None:
    """The picked images in their order, a page at a time; `key` begins the names of the link's values."""
    if not len(picked):
        st.caption("No image is like that.")
        return
    pages = -(-len(picked) // PER_PAGE)
    page = _page(pages, f"{key}_page", (answers.runs, picked.rows.tobytes()))
    rows = picked.rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    pictures, problem = _pictures(dataset, [str(each) for each in answers.ids[rows]])
    if problem:
        st.info(plain(sentence(problem)).replace("\\`", "`"), icon=":material/hide_image:")
    chosen = _in_full(answers, rows, pictures, names, f"{key}_image")
    if any(picture is not None for picture in pictures):
        _cards(answers, rows, pictures, names, key, chosen)
    else:
        table = tables.image_table(answers, rows, picked.margin[(page - 1) * PER_PAGE : page * PER_PAGE], names)
        st.dataframe(table, hide_index=True, column_config=_rounded(table), alt="Images and answers")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if pages > 1:
            st.pagination(pages, key=f"{key}_page", bind=LINKED)
        st.caption(
            f"{count((page - 1) * PER_PAGE + 1)} to {count((page - 1) * PER_PAGE + len(rows))} of {count(len(picked))}",
            width="content",
        )
        ui.download(tables.image_table(answers, picked.rows, picked.margin, names), file)


def _page(pages: int, key: str, what: object) -> int:
    """The page that is shown: the link's, and the first one again where other images are picked."""
    if key not in st.session_state:
        linked_notice(key, (), lambda value: value.isdecimal() and 1 <= int(value) <= pages)
    seen = f"{key}_of"
    if seen in st.session_state and st.session_state[seen] != hash(what):
        st.session_state[key] = 1
    st.session_state[seen] = hash(what)
    linked = st.query_params.get(key, "1")
    page = int(st.session_state.get(key, linked if linked.isdecimal() else 1))
    if 1 <= page <= pages:
        return page
    st.session_state[key] = 1
    return 1


def _pictures(dataset: str, ids: Sequence[str]) -> tuple[list[np.ndarray | None], str]:
    """The images, and why there are none."""
    try:
        pictures = cache.pictures(dataset, ids)
    except FerError as error:
        return [None] * len(ids), str(error)
    absent = sum(picture is None for picture in pictures)
    return pictures, f"{absent} of these images are not in {dataset} as it is prepared here" if absent else ""


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
