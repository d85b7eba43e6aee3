"""What was measured of a run after training, and its model card."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.summaries import RunSummary, Stamp, stamp_of
from fer_core.predictions import of_fold
from fer_core.runs import ROBUSTNESS_FILE, TTA_FILE, Run, read_robustness, read_tta


def robustness(run: RunSummary) -> dict[str, Any] | None:
    """robustness.json of a run, None where it is not measured; raises RunError where it cannot be read."""
    return _robustness(str(run.path), stamp_of(run.path, (ROBUSTNESS_FILE,)))


@st.cache_data(max_entries=64, show_spinner=False)
def _robustness(folder: str, stamp: Stamp) -> dict[str, Any] | None:
    return read_robustness(Run(Path(folder)))


def measured_on(run: RunSummary, report: Mapping[str, Any]) -> str:
    """The same for two reports of robustness alone if they were measured on the very same test images.

    Raises RunError where the run's predictions, which name its test images, cannot be read.
    """
    stamp = stamp_of(run.path, ("predictions.npz",))
    return f"{report['images']} of {_test_images(str(run.path), stamp, report.get('fold', ''))}"


@st.cache_data(max_entries=64, show_spinner=False)
def _test_images(folder: str, stamp: Stamp, fold: str) -> str:
    """What tells the test images of a run's fold from others: a digest of their ids."""
    ids = of_fold(Run(Path(folder)).predictions(), fold)["test_ids"]
    return hashlib.sha256("\n".join(sorted(ids.tolist())).encode()).hexdigest()


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
