"""What the Queue page draws: the worker, a card for each training, what waits, and what ended."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import streamlit as st

from dashboard import cache, charts
from dashboard import components as ui
from dashboard import run_buttons as buttons
from dashboard.advice import reason
from dashboard.formats import NONE, SPACE, count, duration, megabytes, percent, plain, plural, sentence
from dashboard.labels import network_name
from dashboard.load import Load
from dashboard.permissions import Permission
from dashboard.queue_state import (
    Item,
    Queue,
    ago,
    how,
    images_per_s,
    lately,
    log_tail,
    progress,
    silence,
    stage,
    work_of,
)
from dashboard.summaries import RunSummary

T = TypeVar("T")
LOOK_S = 3
LOG_HEIGHT = 190
ROWS = 8  # of a list that are drawn at first
CURVES: tuple[tuple[charts.Measure, str], ...] = (("loss", "Loss"), ("accuracy", "Accuracy"))


def worker(queue: Queue, may: Permission) -> None:
    """Whether anything is trained at all, and by whom."""
    if queue.worker and queue.worker.message:
        st.warning(f"The worker {plain(queue.worker.message)}.", icon=":material/warning:")
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        if queue.worker:
            st.badge("A worker is at work", icon=":material/bolt:", color="green")
            st.caption(work_of(queue.worker), width="content")
            return
        if queue.is_starting:
            st.badge("A worker is starting", icon=":material/hourglass_top:", color="blue")
            st.caption("It will begin with the first run that waits.", width="content")
            return
        st.badge("No worker is at work", icon=":material/bedtime:", color="orange" if queue.waiting else "gray")
        then = f"{plural(len(queue.waiting), 'run')} will wait until one is started." if queue.waiting else ""
        st.caption(then or "The next launch starts one by itself.", width="content")
        buttons.worker_button(may, is_urgent=bool(queue.waiting))


def totals(queue: Queue) -> None:
    """The queue in four numbers."""
    finished = lately(queue.finished)
    failed = [run for run in queue.stopped if run.state in ("failed", "lost")]
    devices = sorted({item.run.status.device for item in queue.running} - {""})
    tiles = [
        ui.Metric("Running", count(len(queue.running)), f"on {', '.join(devices)}" if devices else ""),
        ui.Metric(
            "Waiting",
            count(len(queue.waiting)),
            f"next {network_name(queue.waiting[0].run)}" if queue.waiting else "",
            "A worker takes them up in the order below, each as soon as its device has room.",
        ),
        ui.Metric(
            "Finished in 24 h",
            count(len(finished)),
            f"latest {ago(finished[0].status.updated)}" if finished else "",
        ),
        ui.Metric(
            "Failed or lost",
            count(len(failed)),
            "to look at" if failed else "",
            "Failed runs say why; lost ones ended without a word. Both go on from their last epoch.",
        ),
    ]
    ui.metric_row(tiles)


def nothing(queue: Queue) -> None:
    """What would be here, and the way to it."""
    if queue.running or queue.waiting:
        return
    with st.container(border=True):
        st.markdown("**Nothing is trained, and nothing waits**")
        st.markdown(
            "Trainings appear here with their curves while they go on, those of a terminal too. "
            "Choose what to train, or resume below what has stopped."
            if queue.stopped
            else "Trainings appear here with their curves while they go on, those of a terminal too."
        )
        st.page_link(ui.LAUNCH_PAGE, label="Choose what to train", icon=":material/rocket_launch:", width="content")


def cards(queue: Queue, may: Permission) -> None:
    """A card for each run that is trained now."""
    if not queue.running:
        return
    with st.container(gap=None):
        st.subheader("Running", anchor=False)
        st.caption("Solid lines are validation, dashed ones training.")
    with st.grid(2 if len(queue.running) < 3 else 3, min_column_width=330):
        for item in queue.running:
            with st.container(border=True, height="stretch", gap="small"), ui.errors_shown():
                card(item, may)


def card(item: Item, may: Permission) -> None:
    """One training: how far, how fast, its curves, what it takes of the machine, and its log."""
    run, load = item.run, cache.load(item.run)
    rows, last = cache.live_metrics(run)
    with st.container(gap=None):
        with st.container(horizontal=True, horizontal_alignment="distribute", gap="small"):
            buttons.run_link(run, "card")
            buttons.cancel_button(run, may, is_asked=item.stop is not None)
        st.caption(how(run))
    st.progress(progress(run), text=stage(run))
    curves(run, rows, last)
    rate = images_per_s(run, last)
    facts = ("" if rate is None else f"**{count(round(rate))}** images/s", *taken(load, run.status.device))
    with st.container(gap=None):
        st.caption(" · ".join(fact for fact in facts if fact))
        st.caption(sentence(" · ".join(part for part in (item.asked_by, worked(load), item.stopped_by) if part)))
    if quiet := silence(run):
        st.caption(f":orange[:material/hourglass_bottom: {quiet}]")
    log = st.expander("Log", key=f"log_{run.id}", icon=":material/notes:", type="compact", on_change="rerun")
    if log.open:
        log.code(log_tail(cache.log(run)) or "The log is empty.", language=None, height=LOG_HEIGHT)


def curves(run: RunSummary, rows: bytes, last: Mapping[str, Any]) -> None:
    """Loss and accuracy side by side, or when they begin; `rows` and `last` of `cache.live_metrics`."""
    if not last:
        with st.container(height=charts.LIVE_HEIGHT + 24, border=False, vertical_alignment="center"):
            st.caption("The curves begin with the end of the first epoch.", text_alignment="center")
        return
    each = run.spec.recipe.epochs if run.spec else run.status.epochs
    with st.grid(2, min_column_width=130, gap="xsmall"):
        for measure, name in CURVES:
            with st.container(gap=None):
                st.caption(f"{name} **{_latest(last, measure)}**")
                spec = json.loads(_curves_spec(measure, each)) | {"datasets": {charts.LIVE_DATA: rows}}
                st.vega_lite_chart(spec=spec, key=f"{measure}_{run.id}", alt=f"{name} over the epochs")


def _latest(last: Mapping[str, Any], measure: charts.Measure) -> str:
    value = last.get(f"valid_{measure}")
    if not isinstance(value, int | float) or math.isnan(value):
        return NONE  # a protocol without validation images
    return percent(value) if measure == "accuracy" else f"{value:.3f}"


@lru_cache(maxsize=128)
def _curves_spec(measure: charts.Measure, epochs: int) -> str:
    """The same text for the same chart: a browser then draws new rows into the chart that it has."""
    spec: dict[str, Any] = charts.live_curves(measure, epochs).to_dict()
    del spec["config"]  # altair's own size, in place of the page's
    return json.dumps(spec)


def taken(load: Load | None, device: str) -> tuple[str, ...]:
    """What a training takes of its machine, a part each; of another machine, its name."""
    if load is None or load.cores is None:
        return (f"{device} on {plain(load.host)}" if load else device,)
    return (device, f"**{load.cores:.1f}** of {plural(load.cores_total, 'core')}", megabytes(load.memory), *_gpu(load))


def _gpu(load: Load) -> tuple[str, ...]:
    if load.gpu is None:
        return ()
    total = load.gpu.memory_total
    memory = f"{(load.gpu.memory or 0) / 1e9:.1f} of {total / 1e9:.0f}{SPACE}GB" if total else ""
    return (f"GPU **{percent(load.gpu.busy, 0)}**", memory)


def worked(load: Load | None) -> str:
    """How long the trainer has worked."""
    return "" if load is None or load.elapsed_s is None else f"running for {duration(load.elapsed_s)}"


def waiting(queue: Queue, may: Permission) -> None:
    """The runs that wait, in the order in which they are taken up."""
    if not queue.waiting:
        return
    st.subheader("Waiting", anchor=False)
    shown = _some(queue.waiting, "waiting")
    with st.container(border=True, gap="xsmall"):
        for place, item in enumerate(shown, start=1):
            with _row(f"waits_{item.run.id}"):
                # as wide as the longest line; on a phone the buttons stand below it
                with st.container(horizontal=True, vertical_alignment="center", wrap=False, width=720, gap="small"):
                    st.markdown(f":gray[{place}]", width=18)
                    with st.container(gap=None):
                        buttons.run_link(item.run, "waits")
                        st.caption(f"{how(item.run)} · {_waits(item)}")
                with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                    buttons.move_buttons(item.run, place, len(queue.waiting), may)
                    buttons.cancel_button(item.run, may)


def _waits(item: Item) -> str:
    wanted = "" if item.job is None or item.job.device == "auto" else f"wants {plain(item.job.device)}"
    attempt = item.job.attempts if item.job else 0
    tried = f"started {plural(attempt, 'time')} without another epoch" if attempt > 1 else ""
    lost = "its process ended without a word, a worker takes it up again" if item.run.state == "lost" else ""
    return " · ".join(part for part in (item.asked_by, wanted, lost, tried) if part)


def stopped(queue: Queue, may: Permission) -> None:
    """The runs that ended without a result, why, and the button that goes on with them."""
    if not queue.stopped:
        return
    with st.container():
        st.subheader("Stopped, failed or lost", anchor=False)
        with st.container(border=True, gap="xsmall"):
            for run in _some(queue.stopped, "stopped"):
                with _row(f"stopped_{run.id}"):
                    with st.container(gap=None):
                        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                            buttons.run_link(run, "stopped")
                            st.badge(run.state, color=ui.STATE_COLORS[run.state])
                            st.caption(ago(run.status.updated), width="content")
                        st.caption(how(run))
                        st.caption(plain(sentence(reason(run))))
                    buttons.again_button(run, may)


def finished(queue: Queue) -> None:
    """What was finished last."""
    if not queue.finished:
        return
    with st.container():
        st.subheader("Finished lately", anchor=False)
        with st.container(border=True, gap="xsmall"):
            for run in queue.finished[:ROWS]:
                with _row(f"finished_{run.id}"):
                    with st.container(gap=None):
                        buttons.run_link(run, "finished")
                        st.caption(how(run))
                    with st.container(gap=None, width="content", horizontal_alignment="right"):
                        st.markdown(f"**{percent(run.mean_accuracy)}**", text_alignment="right")
                        st.caption(ago(run.status.updated), text_alignment="right")


def _row(key: str) -> Any:
    return st.container(
        key=f"row_{key.replace('+', '_')}",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        gap="small",
    )


def _some(items: Sequence[T], name: str) -> Sequence[T]:
    if len(items) <= ROWS:
        return items
    everything = st.toggle(f"Show all {len(items)}", key=f"all_{name}")
    return items if everything else items[:ROWS]


@st.fragment(run_every=LOOK_S)
def place(run: RunSummary) -> None:
    """Where a run stands among those that wait; the page is drawn anew where it does no longer."""
    with ui.errors_shown():
        queue = cache.queue()
        item = queue.item(run)
        if item is None or item.run.state != run.state:
            st.rerun()
        where = f"Place {queue.place(run)} of {len(queue.waiting)} in the queue"
        st.info(f"{where} · {_waits(item)}.{_idle(queue)}", icon=":material/hourglass_top:")


def _idle(queue: Queue) -> str:
    """Why nobody takes up what waits, or nothing."""
    if queue.worker:
        return ""
    if queue.is_starting:
        return " A worker is starting."
    return " No worker is at work; the Queue page has a button that starts one."
