"""What runs say of the same test images, and the pictures of these."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import streamlit as st

from dashboard.cache.datasets import dataset_stamp, prepared
from dashboard.summaries import RunSummary, Stamp, stamp_of
from fer_core.errors import FerError
from fer_core.evaluation import (
    Answers,
    ClassChange,
    ClassMetric,
    Comparison,
    answers_of,
    class_changes,
    compare_all,
    fit_temperature,
    shared_answers,
)
from fer_core.runs import Run


class Drawing(Protocol):
    """A chart, as Altair makes it."""

    def to_dict(self, validate: bool) -> dict[str, Any]:
        """Its Vega-Lite specification."""


class Source(NamedTuple):
    """A run's predictions as they were at `stamp`, and the emotions that their columns are."""

    folder: str
    stamp: Stamp
    emotions: tuple[str, ...]

    @classmethod
    def of(cls, run: RunSummary) -> "Source":
        """Those of a run now; raises FerError where it does not say what it was trained on."""
        if run.spec is None:
            raise FerError(f"run {run.id} does not say what it was trained on")
        return cls(str(run.path), stamp_of(run.path, ("predictions.npz",)), run.spec.emotions)

    @property
    def id(self) -> str:
        """The run's id."""
        return Path(self.folder).name


def answers(run: RunSummary) -> Answers:
    """All test predictions of one run; raises FerError where they cannot be read."""
    return _answers(Source.of(run))


@st.cache_resource(max_entries=16, show_spinner=False)
def _answers(source: Source) -> Answers:
    return answers_of(source.id, _predictions(source), source.emotions)


def shared(runs: Sequence[RunSummary]) -> Answers:
    """The test images that all runs have, in the order of the first; FerError where they have none in common."""
    return _shared(tuple(Source.of(run) for run in runs))


@st.cache_resource(max_entries=16, show_spinner=False)
def _shared(sources: tuple[Source, ...]) -> Answers:
    for source in sources:
        if set(source.emotions) != set(sources[0].emotions):
            raise FerError(f"runs {source.id} and {sources[0].id} tell different emotions apart")
    first = sources[0].emotions
    found = {source.id: _in_order(_predictions(source), source.emotions, first) for source in sources}
    return shared_answers(found, first)


def _in_order(
    arrays: dict[str, np.ndarray], emotions: tuple[str, ...], wanted: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """The test predictions with their classes in another order."""
    if emotions == wanted:
        return arrays
    columns = [emotions.index(each) for each in wanted]
    labels = np.argsort(columns)[arrays["test_labels"]]  # the inverse of a permutation: class -> its new place
    return {**arrays, "test_labels": labels, "test_probabilities": arrays["test_probabilities"][:, columns]}


@st.cache_resource(max_entries=24, show_spinner=False)
def _predictions(source: Source) -> dict[str, np.ndarray]:
    return Run(Path(source.folder)).predictions()


def comparisons(runs: Sequence[RunSummary]) -> list[Comparison]:
    """McNemar's test of every pair of runs on the images of `shared`, corrected for all pairs."""
    return _comparisons(tuple(Source.of(run) for run in runs))


@st.cache_data(max_entries=32, show_spinner=False)
def _comparisons(sources: tuple[Source, ...]) -> list[Comparison]:
    return compare_all(_shared(sources))


def changes(runs: Sequence[RunSummary], baseline: str, metric: ClassMetric) -> list[ClassChange]:
    """What each run gains and loses against the run called `baseline`, which is among them, in each emotion."""
    return _changes(tuple(Source.of(run) for run in runs), baseline, metric)


@st.cache_data(max_entries=32, show_spinner=False)
def _changes(sources: tuple[Source, ...], baseline: str, metric: ClassMetric) -> list[ClassChange]:
    return class_changes(_shared(sources), baseline, metric)


def temperature(run: RunSummary) -> float:
    """What a run's logits are divided by, fitted anew on its validation predictions."""
    return _temperature(Source.of(run))


@st.cache_data(max_entries=64, show_spinner=False)
def _temperature(source: Source) -> float:
    arrays = _predictions(source)
    return fit_temperature(arrays["valid_labels"], arrays["valid_probabilities"])


def chart(runs: Sequence[RunSummary], what: tuple[str, ...], make: Callable[[], Drawing]) -> dict[str, Any]:
    """The spec of a chart of the predictions of `runs`, made once for each `what`: that takes a tenth of a second."""
    return _chart(tuple(Source.of(run) for run in runs), what, make)


@st.cache_data(max_entries=128, show_spinner=False)
def _chart(sources: tuple[Source, ...], what: tuple[str, ...], _make: Callable[[], Drawing]) -> dict[str, Any]:
    spec = _make().to_dict(validate=False)
    spec.pop("config", None)  # Altair's own look, in whose place Streamlit's theme comes
    return spec


def comparison_report(runs: Sequence[RunSummary]) -> bytes:
    """The page that `runs compare --html` writes of these runs, made when it is asked for; see `report_obstacle`."""
    from fer_core.report import comparison_report as written  # it imports torch, for which only who saves one waits

    return written([Run(run.path) for run in runs]).encode()


def report_obstacle(runs: Sequence[RunSummary]) -> str:
    """Why there can be no `comparison_report` of runs that have images in common, as a sentence; or ""."""
    sources = tuple(Source.of(run) for run in runs)
    together = len(_shared(sources))
    if any(len(_predictions(source)["test_ids"]) > together for source in sources):  # other images, or the same again
        return "An HTML report compares runs that were tested once each on the very same images."
    if len({source.emotions for source in sources}) > 1:
        return "An HTML report compares runs whose emotions are in the same order."
    return ""


def pictures_or_reason(dataset: str, ids: Sequence[str]) -> tuple[list[np.ndarray | None], str]:
    """The images as `pictures` gives them, and why some or all of them are absent, empty where none is."""
    try:
        found = pictures(dataset, ids)
    except FerError as error:
        return [None] * len(ids), str(error)
    absent = sum(picture is None for picture in found)
    return found, f"{absent} of these images are not in {dataset} as it is prepared here" if absent else ""


def pictures(dataset: str, ids: Sequence[str]) -> list[np.ndarray | None]:
    """Images of a dataset by their id, uint8 (S, S[, 3]); None where it has none of that id.

    Raises FerError, which says how to get it, where the dataset is not on this machine or holds no pictures.
    """
    faces = prepared(dataset, dataset_stamp(dataset))
    if faces.is_table:
        raise FerError(f"{dataset} holds descriptors of faces and no pictures")
    rows = faces.row_by_id
    return [np.array(faces.images[rows[each]]) if each in rows else None for each in ids]
