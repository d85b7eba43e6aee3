"""What pages share: headers, metric rows, figures, live progress, states and errors."""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import cache, charts, columns
from dashboard.advice import advice, reason
from dashboard.charts import Drawn
from dashboard.formats import NONE, plain, plural, sentence
from dashboard.labels import board_label, describe, network_name
from dashboard.queue_state import ending, newly_ended, progress, stage, states
from dashboard.summaries import RunSummary
from dashboard.tables import key_values, to_csv
from dashboard.theme import chart_config
from fer_core.errors import FerError

RUN_PAGE = "app_pages/run.py"
QUEUE_PAGE = "app_pages/queue.py"
LAUNCH_PAGE = "app_pages/launch.py"
REFRESH_S = 3
FOOT_S = 10  # between two looks of a page on which nothing moves
STATE_COLORS: dict[str, Literal["green", "blue", "gray", "orange", "red"]] = {
    "finished": "green",
    "running": "blue",
    "queued": "gray",
    "cancelled": "orange",
    "failed": "red",
    "lost": "red",
    "damaged": "red",
}
ENDING_ICONS = {"finished": ":material/check_circle:", "cancelled": ":material/stop_circle:"}
FileKind = Literal["csv", "html", "jpg", "json", "md", "npz", "png", "svg", "tex", "webm", "zip"]
FILE_TYPES: dict[FileKind, str] = {
    "csv": "text/csv",
    "html": "text/html",
    "jpg": "image/jpeg",
    "json": "application/json",
    "md": "text/markdown",
    "npz": "application/octet-stream",
    "png": "image/png",
    "svg": "image/svg+xml",
    "tex": "application/x-tex",
    "webm": "video/webm",
    "zip": "application/zip",
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metric:
    """One tile of a metric row: a value, a line below it, and what it means."""

    label: str
    value: str
    note: str = ""
    help: str = ""


def page_header(title: str, sentence: str) -> None:
    """A page's title, and the sentence that says what it answers."""
    st.title(title, anchor=False)
    st.caption(sentence)


def metric_row(metrics: Sequence[Metric], *, min_width: int = 150) -> None:
    """Tiles of equal width, as many side by side as fit."""
    with st.grid(len(metrics), min_column_width=min_width):
        for metric in metrics:
            st.metric(
                metric.label,
                metric.value,
                delta=metric.note or None,
                delta_color="off",
                delta_arrow="off",
                help=metric.help or None,
                border=True,
                height="stretch",
            )


def figure_title(title: str, note: str = "") -> None:
    """What a figure finds or asks, and a quieter line on how to read it."""
    with st.container(gap=None):
        st.markdown(f"**{title}**")
        if note:
            st.caption(note)


def figure(title: str, chart: alt.Chart | alt.LayerChart, *, note: str = "", key: str | None = None) -> None:
    """A chart below its title, which also names it for screen readers."""
    figure_title(title, note)
    st.altair_chart(chart, key=key, alt=title)


def facts(data: dict[str, Any], title: str) -> None:
    """A JSON object as tables of names and values; the objects in it have tables of their own."""
    if not data:
        st.caption("There is nothing that can be read.")
    with st.grid(2, min_column_width=320, gap="medium"):
        for name, table in key_values(data).items():
            with st.container(gap="xsmall"):
                heading = (name or title).replace("_", " ").capitalize()
                st.markdown(f"**{heading}**")
                st.dataframe(table, hide_index=True, column_config=columns.key_values(), height="content", alt=heading)


def download(table: pd.DataFrame, name: str) -> None:
    """A button that saves a table, with full precision."""
    save_button("Download CSV", name, "csv", to_csv(table))


def download_chart(chart: Drawn | Callable[[], Drawn], name: str, *, width: int = charts.PICTURE_WIDTH) -> None:
    """Buttons that save a chart as PNG and as SVG, in the colours that the page has for who looks at it.

    It is drawn, or built, when one of them is pressed.
    """
    config = chart_config()  # now: who presses is not known to the function that draws
    with st.container(horizontal=True, gap="small"):
        for kind in get_args(charts.PictureKind):
            save_button(kind.upper(), name, kind, partial(_picture, chart, kind, config, width))


def _picture(chart: Drawn | Callable[[], Drawn], kind: charts.PictureKind, config: dict[str, Any], width: int) -> bytes:
    return charts.picture(chart if isinstance(chart, alt.TopLevelMixin) else chart(), kind, config, width)


def save_button(label: str, name: str, kind: FileKind, content: bytes | Callable[[], bytes]) -> None:
    """A button that saves `name`.`kind`; a function makes the content when the button is pressed."""
    file = f"{name.replace('/', '_').replace('#', '_')}.{kind}"
    st.download_button(
        label,
        content,
        file,
        FILE_TYPES[kind],
        key=f"save_{file}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def empty_state(title: str, sentence: str, command: str = "") -> None:
    """What would be here, and the one action that fills it."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        st.markdown(sentence)
        if command:
            st.code(command, language="bash", wrap_lines=True)


def run_line(run: RunSummary) -> None:
    """What a run is, in one line: its state and what it was made of; and what people wrote about it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(run.state, color=STATE_COLORS[run.state])
        if run.notes.archived:
            st.badge("archived", color="gray", icon=":material/archive:")
        st.caption(describe(run), width="content")
        for tag in run.notes.tags:
            st.badge(plain(tag), color="violet", icon=":material/sell:")
    if run.notes.note:
        st.markdown("  \n".join(map(plain, run.notes.note.splitlines())))


def unfinished_state(run: RunSummary) -> None:
    """Why a run has no result yet, and what can be done."""
    if run.state == "running":
        return
    step = advice(run)
    text = f"{sentence(reason(run))} {step.sentence}"
    if run.state == "queued":
        st.info(text)
    elif run.state == "cancelled":
        st.warning(text)
    else:
        st.error(text)
    if step.command:
        st.code(step.command, language="bash", wrap_lines=True)


def open_run(run_id: str) -> None:
    """Go to the page of a run; the link says which."""
    st.session_state["run"] = run_id
    st.switch_page(RUN_PAGE, query_params={"run": run_id})


def run_table(table: pd.DataFrame, config: dict[str, Any], key: str, alt: str) -> None:
    """A table with a run's `id` in each row; a click on a row opens the run."""
    event = st.dataframe(
        table,
        key=key,
        hide_index=True,
        column_config=config,
        placeholder=NONE,
        on_select="rerun",
        selection_mode="single-cell",
        alt=alt,
    )
    for row, _ in event["selection"]["cells"]:
        open_run(str(table["id"].iloc[row]))


def live_progress(runs: Sequence[RunSummary]) -> None:
    """A bar for each of `runs` that is trained now; the page is drawn anew where an epoch or any run ends or begins."""
    running = {run.id for run in runs if run.state == "running"}
    if not running:
        return
    seen = _stages(cache.runs(), running)

    @st.fragment(run_every=REFRESH_S)
    def bars() -> None:
        with errors_shown():
            current = cache.runs()
            for run in current:
                if run.id in running:
                    parts = (f"**{network_name(run)}**", plain(board_label(run.board)), stage(run), run.status.device)
                    st.progress(progress(run), text=" · ".join(part for part in parts if part))
            if _stages(current, running) != seen:
                st.rerun()

    bars()


def _stages(runs: Sequence[RunSummary], running: Set[str]) -> set[tuple[str, str, int]]:
    """State of every run, and the epoch of those that are watched."""
    return {(run.id, run.state, run.status.epoch if run.id in running else 0) for run in runs}


def tell(text: str, icon: str = ":material/check:") -> None:
    """Raise a notice when the page is drawn next: one that is raised before a rerun would not be seen."""
    st.session_state.setdefault("notices", []).append((text, icon))


def notices(runs: Sequence[RunSummary]) -> None:
    """Show what is to be told, and each of `runs` that has ended since this browser saw it live: once, on any page."""
    for run in newly_ended(st.session_state.get("seen_states", {}), runs):
        tell(ending(run), ENDING_ICONS.get(run.state, ":material/error:"))
    st.session_state["seen_states"] = states(runs)
    for text, icon in st.session_state.pop("notices", []):
        st.toast(text, icon=icon, duration="long")


@st.fragment(run_every=FOOT_S)
def queue_line() -> None:
    """`2 running · 4 waiting` with the way to the queue, and the notices."""
    with errors_shown():
        queue = cache.queue()
        notices(queue.runs)
        if queue.summary:
            st.page_link(QUEUE_PAGE, label=queue.summary, icon=":material/model_training:")


def sidebar_foot(runs: Sequence[RunSummary]) -> None:
    """What is trained now, and what is loaded."""
    datasets = sorted({run.spec.dataset for run in runs if run.spec})
    with st.sidebar:
        queue_line()
        st.caption("  \n".join([plural(len(runs), "run"), ", ".join(datasets) or "no dataset", cache.device_name()]))


@contextmanager
def errors_shown() -> Iterator[None]:
    """An error inside becomes one sentence; where it is not the user's, with details folded and in the log."""
    try:
        yield
    except FerError as error:
        st.error(sentence(str(error)), icon=":material/error:")
    except Exception as error:
        logger.exception("a page failed")
        st.error(
            f"This page could not be drawn ({type(error).__name__}). Reload it; the log has the details.",
            icon=":material/error:",
        )
        with st.expander("Details"):
            st.code(traceback.format_exc(), language=None, wrap_lines=True)
