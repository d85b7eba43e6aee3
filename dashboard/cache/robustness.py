"""What was measured of a run after training, and its model card."""

from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.summaries import RunSummary, Stamp, stamp_of
from fer_core.runs import ROBUSTNESS_FILE, TTA_FILE, Run, read_robustness, read_tta


def robustness(run: RunSummary) -> dict[str, Any] | None:
    """robustness.json of a run, None where it is not measured; raises RunError where it cannot be read."""
    return _robustness(str(run.path), stamp_of(run.path, (ROBUSTNESS_FILE,)))


@st.cache_data(max_entries=64, show_spinner=False)
def _robustness(folder: str, stamp: Stamp) -> dict[str, Any] | None:
    return read_robustness(Run(Path(folder)))


def averaging(run: RunSummary) -> dict[str, Any] | None:
    """tta.json of a run, None where it is not measured; raises RunError where it cannot be read."""
    return _averaging(str(run.path), stamp_of(run.path, (TTA_FILE,)))


@st.cache_data(max_entries=64, show_spinner=False)
def _averaging(folder: str, stamp: Stamp) -> dict[str, Any] | None:
    return read_tta(Run(Path(folder)))


def model_card(run: RunSummary) -> bytes:
    """A finished run's model card, written when it is asked for; raises RunError where the run cannot be read."""
    from fer_core.report import model_card as written  # it imports torch, for which only who saves a card waits

    return written(Run(run.path)).encode()
