"""What preprocessing does to a prediction: the part of the Preprocessing page that asks networks."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit import column_config as column

from dashboard import cache
from dashboard import components as ui
from dashboard.face_source import SPLITS, Face
from dashboard.formats import plain
from dashboard.linked import segments
from dashboard.picker import able_runs, obstacles, run_picker
from dashboard.preprocess import charts, tables
from dashboard.preprocess.frames import RAW
from dashboard.preprocess.tables import Reading
from dashboard.summaries import RunSummary

if TYPE_CHECKING:
    # importing this would import torch
    from fer_core.preprocessing import Pipeline

ONE, OWN = "One network", "The network of each technique"
EXPLAINED = {
    ONE: "The network stays the same, and each technique takes the place of its own preprocessing.",
    OWN: "Each point is the network that was trained with that technique.",
}


def prediction(face: Face, pipelines: "dict[str, Pipeline]", everything: Sequence[RunSummary]) -> None:
    """The probabilities of the face's emotions over the techniques, as in paper 1's figures 9 and 10."""
    runs = [run for run in able_runs(everything, "this face", to="ask") if not run.is_ensemble]
    if not runs:
        return
    asked = segments("Asked", "network", [ONE, OWN], label_visibility="collapsed")
    techniques = [RAW, *(name for name in pipelines if name != RAW)]
    if asked == OWN:  # first the networks that can be compared most
        runs = sorted(runs, key=lambda each: -len(tables.counterparts(each, runs, techniques)))
    ensembles = {
        run.id: "is an ensemble, whose members preprocess for themselves" for run in everything if run.is_ensemble
    }
    run = run_picker(runs, refused=ensembles | obstacles(everything))
    readings, note = _of_each(face, run, runs, techniques) if asked == OWN else _of_one(face, run, pipelines)
    if not readings:
        st.info(note)
        return
    finding = tables.finding(readings, face.emotion)
    ui.figure_title(finding, " ".join(part for part in (EXPLAINED[asked], note, _seen(face, run)) if part))
    _lines(readings, finding)
    table = tables.probabilities(readings)
    st.dataframe(table, hide_index=True, column_config=_columns(readings), alt="Probabilities")
    ui.download(table, "probabilities")


def _lines(readings: Sequence[Reading], title: str) -> None:
    rows = tables.long_probabilities(readings)
    spec = json.loads(charts.probability_lines(tuple(readings[0].probabilities), len(readings)))
    st.vega_lite_chart(spec=spec | {"datasets": {charts.ROWS: rows}}, alt=title)


def _of_one(face: Face, run: RunSummary, pipelines: "dict[str, Pipeline]") -> tuple[list[Reading], str]:
    skipped = [name for name, pipeline in pipelines.items() if any(step.training_only for step in pipeline.steps)]
    techniques = [RAW, *(name for name in pipelines if name != RAW and name not in skipped)]
    readings = [Reading(name, run.id, cache.probabilities(run, face.image, name)) for name in techniques]
    note = f"Without {', '.join(skipped)}: noise falls on training images only." if skipped else ""
    own = run.spec.preprocessing if run.spec else RAW
    return readings, f"It was trained with {own}. {note}".strip()


def _of_each(
    face: Face, run: RunSummary, runs: Sequence[RunSummary], techniques: Sequence[str]
) -> tuple[list[Reading], str]:
    found = tables.counterparts(run, runs, techniques)
    readings = [
        Reading(name, found[name].id, cache.probabilities(found[name], face.image))
        for name in techniques
        if name in found
    ]
    missing = [name for name in techniques if name not in found]
    absent = f"No run like this one was trained with {', '.join(missing)}." if missing else ""
    others = [f"{name} ({', '.join(keys)})" for name, keys in tables.trained_otherwise(run, found).items()]
    changed = f"Trained with other settings than this one: {', '.join(others)}." if others else ""
    return readings, plain(f"{changed} {absent}".strip())


def _seen(face: Face, run: RunSummary) -> str:
    """A word of warning where the network may know the face."""
    is_known = run.spec is not None and face.dataset == run.spec.dataset and face.split == "train"
    return f"It may have learnt from this face, which is in the {SPLITS['train'].lower()} split." if is_known else ""


def _columns(readings: Sequence[Reading]) -> dict[str, Any]:
    """Columns of `tables.probabilities`."""
    emotions = readings[0].probabilities
    return {
        "technique": column.TextColumn("Technique", pinned=True),
        "emotion": column.TextColumn("Emotion"),
        **{each: column.NumberColumn(f"{each.capitalize()} (%)", format="%.1f") for each in emotions},
        "network": column.TextColumn("Network"),
    }
