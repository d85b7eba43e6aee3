"""Figures of the Preprocessing page."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.face_source import DRAWN, Face
from dashboard.formats import percent, plain
from dashboard.preprocess import charts
from dashboard.preprocess import frames as preprocess_frames
from dashboard.preprocess.drawing import colored, sheet, shown, span
from dashboard.preprocess.form import step_controls
from dashboard.preprocess.frames import RAW, Frame
from dashboard.theme import ramps


def chain(steps: Sequence[Any], frames: Sequence[Frame]) -> None:
    """The picture after every step of the pipeline that is built, with the step's sliders and buttons."""
    with st.grid(4, min_column_width=250):
        for position, frame in enumerate(frames):
            with st.container(border=True, gap="small", height="stretch"):
                before = frames[position - 1] if position else None
                _head(f"{position} · {frame.step.partition('(')[0]}" if position else "Face", _time(frame))
                _pictures(frame, before)
                _histogram(frame, before, f"Grey levels after {frame.step}")
                if position:
                    step_controls(position - 1, steps[position - 1], len(steps))


def _head(title: str, aside: str) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(title)}**", width="content")
        st.caption(aside, width="content")


def _time(frame: Frame) -> str:
    height, width = frame.image.shape[:2]
    return f"{frame.milliseconds:.2f} ms" if frame.step != RAW else f"{width} × {height}"


def _pictures(frame: Frame, before: Frame | None) -> None:
    """The picture after a step, and beside it the difference to the one before, or what is counted on it."""
    with st.grid(2, min_column_width=90, gap="small"):
        with st.container(gap="xsmall"):
            st.image(shown(frame.image), width="stretch", alt=f"The face after {frame.step}")
            st.caption(_note(frame))
        with st.container(gap="xsmall"):
            if before is None:
                numbers = preprocess_frames.figures(frame)
                st.caption("  \n".join(f"{name} {value:.0f}" for name, value in numbers.items()))
            else:
                difference = preprocess_frames.difference(frame, before)
                st.image(shown(colored(difference, ramps()[1])), width="stretch", alt=f"What {frame.step} changed")
                st.caption(
                    f"± {span(difference)} levels, {percent(preprocess_frames.changed_share(frame, before), 0)} changed"
                )


def _note(frame: Frame) -> str:
    if frame.training_only:
        return "training images only"
    return frame.note or ("as given" if frame.step == RAW else "after the step")


def _histogram(frame: Frame, before: Frame | None, alt: str) -> None:
    rows = preprocess_frames.histogram_table(frame, before)
    spec = json.loads(charts.histogram(with_before=before is not None))
    st.vega_lite_chart(spec=spec | {"datasets": {charts.ROWS: rows}}, alt=alt)


def side_by_side(traces: Mapping[str, Sequence[Frame]]) -> None:
    """The result of each pipeline with its grey levels, and the time of all its steps."""
    with st.grid(6, min_column_width=140):
        for name, frames in traces.items():
            with st.container(gap="xsmall"):
                st.image(shown(frames[-1].image), width="stretch", alt=f"The face after {name}")
                st.markdown(f"**{plain(name)}**")
                milliseconds = sum(frame.milliseconds for frame in frames)
                only = " · training only" if any(frame.training_only for frame in frames) else ""
                st.caption(f"{milliseconds:.2f} ms{only}" if name != RAW else "as given")
                _histogram(frames[-1], None if name == RAW else frames[0], f"Grey levels after {name}")


def downloads(traces: Mapping[str, Sequence[Frame]], name: str) -> None:
    """Buttons that save the pictures after every step of every pipeline, and the numbers."""
    pictures = {
        pipeline: [(f"{frame.step} {frame.milliseconds:.2f} ms", frame.image) for frame in frames]
        for pipeline, frames in traces.items()
    }
    with st.container(horizontal=True):
        ui.save_button("Download PNG", name, "png", lambda: sheet(pictures))
        ui.save_button("Download NPZ", name, "npz", lambda: preprocess_frames.to_npz(traces))
        ui.download(preprocess_frames.table(traces), name)


def each_emotion(face: Face, traces: Mapping[str, Sequence[Frame]], size: tuple[int, int], seed: int) -> None:
    """One face of each emotion through each pipeline, as in paper 1's figure 12.

    They are of the chosen face's dataset and split, with its number; else the first ones of the first dataset.
    """
    dataset = face.dataset or cache.image_datasets()[0]
    split = face.split if face.dataset else cache.dataset_splits(dataset)[0]
    noisy = [name for name, frames in traces.items() if any(frame.training_only for frame in frames)]
    note = f" The noise of {', '.join(noisy)} falls on training images only." if noisy else ""
    kind = "drawn faces" if dataset == DRAWN else dataset
    st.caption(plain(f"Number {face.number or 1} of each emotion in {kind}, through each pipeline.{note}"))
    samples = cache.samples_of_each_emotion(dataset, split, face.number or 1)
    faces = np.stack([cache.fitted(image, *size) for image in samples.values()])
    rows = {}
    for name in traces:
        after = cache.preprocessed(faces, name, seed)
        rows[name] = list(zip(samples, after, strict=True))
        st.markdown(f"**{plain(name)}**")
        with st.grid(len(samples), min_column_width=80):
            for emotion, image in rows[name]:
                st.image(shown(image), caption=emotion, width="stretch", alt=f"{emotion} after {name}")
    ui.save_button("Download PNG", "each_emotion", "png", lambda: sheet(rows))
