"""Views over many images or many networks: mean Grad-CAM, the embedding of the test images, runs side by side."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.cache import Tested
from dashboard.face_source import DATASET, SPLITS
from dashboard.formats import count, percent, plural, sentence
from dashboard.labels import labels
from dashboard.linked import LINKED, choice, linked_notice, segments
from dashboard.network import charts, tables
from dashboard.network import images as network_images
from dashboard.network.form import choose_cam_layer
from dashboard.network.sheet import downloads, numbers, show, strips
from dashboard.network.subject import Subject
from dashboard.pictures import levels
from dashboard.summaries import RunSummary
from dashboard.theme import ramps, scheme
from fer_core.errors import FerError

if TYPE_CHECKING:
    # importing this would import torch
    from fer_core.interpretation import FeatureMaps, MeanCams

NO_TEST = "An untrained network has no test images; choose a run."
NO_OWN_TEST = (
    "What this member alone says of the test images is in its own run, which is not here with weights; "
    "choose another member."
)
PER_CELL = {"8 a cell": 8, "16 a cell": 16, "32 a cell": 32}
FEW = 8  # images below which a mean says little
ARRANGEMENTS = {"PCA": "pca", "t-SNE": "tsne"}
IMAGES = {"500": 500, "1,000": 1000, "2,000": 2000, "All": 10**9}
COLOURS = {"Label": "label", "Prediction": "prediction"}
MOST_RUNS = 4  # side by side, and in memory
TOP = 4  # maps of each run


@st.fragment
def averages(subject: Subject, run: RunSummary | None) -> None:
    """Where the network looks on average: for each emotion, and for each confusion."""
    if run is None:
        _no_test(subject)
        return
    with ui.errors_shown():
        try:
            cache.cam_layers(subject)
        except FerError as error:  # a network without maps is no mistake
            st.info(sentence(str(error)))
            return
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            layer = choose_cam_layer(subject, "Layer", "mean_layer")
            most = PER_CELL[segments("Test images", "mean_most", list(PER_CELL))]
        with st.spinner("Looking at test images", show_time=True):
            found = cache.mean_cams(run, layer, most)
        emotions = cache.tested(run).emotions
        _of_classes(run, found, emotions)
        _of_confusions(run, found, emotions)


def _no_test(subject: Subject) -> None:
    st.info(NO_OWN_TEST if subject.is_trained else NO_TEST)


def _of_classes(run: RunSummary, found: "MeanCams", emotions: Sequence[str]) -> None:
    ui.figure_title(
        "Mean Grad-CAM of each true emotion, for what was predicted",
        f"Over the mean face, at layer {found.layer}; {int(found.counts.sum()):,} test images, at most as many of each "
        "confusion as are chosen above. The bluer, the more it looks there.",
    )
    cells = [found.of_class(label) for label in range(len(emotions))]
    pictures = [_over(face, heat) for heat, face, _ in cells]
    texts = [f"{name} · n = {total}" for name, (_, _, total) in zip(emotions, cells, strict=True)]
    paper = network_images.sheet(pictures, texts, 128, 7, scheme())
    strips(pictures, texts, 120, "Mean Grad-CAM of each emotion")
    downloads(paper, f"{run.id}_mean_grad_cam", {"heat": np.stack([heat for heat, _, _ in cells])})


def _of_confusions(run: RunSummary, found: "MeanCams", emotions: Sequence[str]) -> None:
    ui.figure_title(
        "Mean Grad-CAM of each cell of the confusion matrix",
        "Rows are true, columns predicted emotions; below each, true > predicted and its images. "
        f"Fewer than {FEW} say little.",
    )
    size = range(len(emotions))
    pictures = [_over(found.face[row, column], found.heat[row, column]) for row in size for column in size]
    texts = [f"{emotions[row]} > {emotions[column]} {found.counts[row, column]}" for row in size for column in size]
    paper = network_images.sheet(pictures, texts, 116, len(emotions), scheme())
    show(paper, "Mean Grad-CAM of each confusion")
    downloads(paper, f"{run.id}_mean_grad_cam_confusions", {"heat": found.heat, "counts": found.counts})


def _over(face: np.ndarray, heat: np.ndarray) -> np.ndarray:
    return network_images.overlay(levels(face), network_images.stretched(heat), *ramps())


@st.fragment
def embedding(subject: Subject, run: RunSummary | None) -> None:
    """The test images as the last layer gets them, in a plane; a click shows an image."""
    if run is None:
        _no_test(subject)
        return
    with ui.errors_shown():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            how = segments("Arranged by", "arranged", list(ARRANGEMENTS))
            colour = segments("Coloured by", "coloured", list(COLOURS))
            most = choice("Test images", "embedded", list(IMAGES), "500", width=110)
        with st.spinner("Reading and arranging test images", show_time=True):
            found, images = cache.projected(run, ARRANGEMENTS[how], IMAGES[most]), cache.tested(run)
        true, predicted = images.true[found.places], images.predicted[found.places]
        agree = tables.neighbours_agree(found.points, true)
        table = tables.embedding_points(found.points, true, predicted, found.places, images.emotions)
        ui.figure_title(
            f"{percent(agree, 0)} of a face's ten nearest neighbours here have its label",
            f"{count(len(table))} test images by what the last layer gets ({found.layer}). {found.note} "
            "Click a point to see its face.",
        )
        left, right = st.columns([3, 1], gap="large")
        with left:
            chart = charts.embedding_scatter(table, COLOURS[colour], images.emotions)
            event = st.altair_chart(
                chart, key=f"embedding_{run.id}_{how}", on_select="rerun", selection_mode="face",
                alt="Test images in a plane",
            )  # fmt: skip
        with right:
            picked = event["selection"].get("face") or []
            _clicked(images, int(picked[0]["place"]) if picked else None)
        name = f"embedding_{run.id}_{how}"
        with st.container(horizontal=True, gap="small"):
            ui.download(table.drop(columns="place"), name)
            ui.download_chart(chart, name)
            arrays = {"points": found.points, "true": true, "predicted": predicted, "rows": images.rows[found.places]}
            numbers(name, arrays)


def _clicked(images: Tested, place: int | None) -> None:
    if place is None:
        st.caption("No face is chosen yet.")
        return
    true, predicted = images.emotions[images.true[place]], images.emotions[images.predicted[place]]
    st.image(cache.test_image(images, place), width=192, alt=f"A test image labelled {true}")
    st.markdown(f"**{true}**" + ("" if true == predicted else f", read as **{predicted}**"))
    if st.button("Look into this face", icon=":material/search:", on_click=_look_into(images, place)):
        st.rerun()


def _look_into(images: Tested, place: int) -> Callable[[], None]:
    """Choose an image in the fields of the face at the top of the page."""

    def take() -> None:
        split, emotion, number = cache.sample_place(images.dataset, int(images.rows[place]))
        st.session_state.update(
            source=DATASET, face_dataset=images.dataset, face_split=SPLITS[split], face_emotion=emotion,
            face_number=number,
        )  # fmt: skip

    return take


@st.fragment
def side_by_side(runs: Sequence[RunSummary], shown: RunSummary | None, face: np.ndarray) -> None:
    """The same face through several runs: what each says, sees at one depth, and looks at.

    Ensembles are not among them: each of their members has a depth of its own.
    """
    able = {run.id: run for run in runs if run.can_predict and not run.is_ensemble}
    if not able:
        st.info("No run of a single network here has its weights; train one, and it can be compared here.")
        return
    names = labels(list(able.values()))
    by_name = {names[run_id]: run for run_id, run in able.items()}
    linked_notice("beside", list(by_name))
    first = [names[run_id] for run_id in _first_runs(able, shown)]
    chosen = st.multiselect("Runs", list(by_name), default=first, max_selections=MOST_RUNS, key="beside", bind=LINKED,
                            help="Ensembles are not among them: choose their members.")  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        depth = st.slider("Depth (%)", 0, 100, 25, 5, key="depth", bind=LINKED, width=320,
                          help="0 is a network's first layer with maps, 100 its last.")  # fmt: skip
        shared = st.toggle("Shared scale", value=True, key="shared", bind=LINKED)
    seen = _seen_by([by_name[name] for name in chosen], face, depth / 100)
    limit = max((network_images.limit_of(maps.maps) for _, maps in seen), default=0.0) if shared else None
    for run, maps in seen:
        _row(run, names[run.id], face, maps, limit)


def _first_runs(able: dict[str, RunSummary], shown: RunSummary | None) -> list[str]:
    """The run that is shown, and the best one of each of the next architectures."""
    first = [shown.id] if shown and shown.id in able else []
    kinds = {able[name].spec.architecture for name in first if able[name].spec}  # type: ignore[union-attr]
    for run in able.values():
        kind = run.spec.architecture if run.spec else ""
        if kind not in kinds and len(first) < MOST_RUNS - 1:
            first.append(run.id)
            kinds.add(kind)
    return first


def _seen_by(runs: Sequence[RunSummary], face: np.ndarray, depth: float) -> list[tuple[RunSummary, "FeatureMaps"]]:
    seen = []
    for run in runs:
        try:
            subject = Subject.of_run(run)
            seen.append((run, cache.feature_maps(subject, face, cache.face_at_depth(subject, depth))))
        except FerError as error:
            st.error(sentence(str(error)))
    return seen


def _row(run: RunSummary, name: str, face: np.ndarray, maps: "FeatureMaps", limit: float | None) -> None:
    subject = Subject.of_run(run)
    reading = cache.reading(subject, face)
    pictures, texts = [reading.face], ["as it gets it"]
    if maps.is_spatial:
        places = maps.chosen(TOP)
        pictures += network_images.map_pictures(maps.maps[places], *ramps(), limit)
        strengths = tables.strength_texts([float(maps.strength[place]) for place in places])
        texts += [f"#{place} · {strength}" for place, strength in zip(places, strengths, strict=True)]
    note = f"{maps.layer} gives {plural(len(maps.maps), 'map')} of {'×'.join(map(str, maps.maps.shape[1:]))}"
    try:
        heat = cache.heat(subject, face, reading.emotion, "grad_cam", "", random=False)
        pictures.append(network_images.overlay(reading.face, heat.heat, *ramps()))
        texts.append(f"Grad-CAM {reading.emotion}")
    except FerError as error:
        note += f"; {error}"
    with st.container(gap="xsmall"):
        verdict = f"{reading.emotion} {percent(reading.probabilities[reading.emotion])}"
        ui.figure_title(f"{verdict} · {name}", note + ".")
        paper = network_images.sheet(pictures, texts, 128, len(pictures), scheme())
        strips(pictures, texts, 120, f"{name}: {note}")
        downloads(paper, f"{run.id}_{maps.layer}_beside", {"maps": maps.maps})
