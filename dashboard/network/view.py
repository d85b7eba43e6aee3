"""The views of one network and one face: layers, filters, feature maps, the walk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.cache import Reading
from dashboard.formats import NONE, count, percent, plural
from dashboard.linked import choice, segments
from dashboard.network import charts, images, tables
from dashboard.network import columns as network_columns
from dashboard.network.form import (
    SIZES,
    choose_in_graph,
    choose_layer,
    choose_pictures,
)
from dashboard.network.sheet import downloads, sheet, show
from dashboard.network.subject import Subject
from dashboard.pictures import png
from dashboard.theme import ramps, scheme

if TYPE_CHECKING:
    # importing these would import torch
    from fer_core.interpretation import FeatureMaps, LayerRow

PAPER_PICTURES = 8  # of each layer of a paper's picture, at most this many in a row
WALK_SIDE = 64  # pixels
WALKED = 3  # strongest maps of each layer in the walk
ORDERS = ("Strongest first", "As in the network")
SCALES = ("Each its own", "One for all")
MEAN = "mean of all"


def overview(rows: Sequence["LayerRow"]) -> None:
    """How large the network is, in four figures."""
    nodes = [row for row in rows if row.kind != "Parameter"]
    learnt = sum(bool(row.parameters) and "Norm" not in row.kind for row in rows)
    ui.metric_row(
        [
            ui.Metric("Parameters", count(sum(row.parameters for row in rows)), "running statistics included"),
            ui.Metric("Multiplications", millions(sum(row.macs for row in rows)), "with weights, for a face"),
            ui.Metric("Layers", count(len(nodes)), f"{learnt} with weights"),
        ]
    )


def millions(number: int) -> str:
    """76,535,096 as `76.5 M`; less than a million in full."""
    return f"{number / 1e6:,.1f} M" if number >= 1_000_000 else count(number)


def graph(subject: Subject, rows: Sequence["LayerRow"]) -> str:
    """The network as a graph; the layer that is chosen in it, or in the field below."""
    labels = tables.layer_labels(rows)
    first = next((row.name for row in rows if row.is_spatial and row.parameters), next(iter(labels)))
    chosen = st.session_state.get("layer", st.query_params.get("layer", first))
    chart = charts.graph(tables.graph_nodes(rows), tables.graph_arcs(rows), chosen if chosen in labels else first)
    ui.figure_title("From the face (left) to the emotions (right)", "Click a layer to see into it.")
    key = f"graph_{subject.name}"
    st.altair_chart(
        chart, key=key, on_select=choose_in_graph(key), selection_mode="node", alt="The layers of the network"
    )
    layer = choose_layer(list(labels), first)
    st.caption(labels[layer])
    return layer


def layers(subject: Subject, rows: Sequence["LayerRow"]) -> None:
    """Every layer: its output, parameters with their arithmetic, multiplications, receptive field."""
    table = tables.layer_table(rows)
    total = int(table["parameters"].sum())
    ui.figure_title(
        f"{count(total)} parameters in {len(table)} layers",
        "Counted on the live network. The receptive field is the side, in pixels of the face, of what one value sees.",
    )
    st.dataframe(
        table, hide_index=True, column_config=network_columns.layers(), height=620, placeholder=NONE,
        alt=f"Layers of {subject.architecture}",
    )  # fmt: skip
    ui.download(table, f"layers_{subject.name}")


@st.fragment
def filters(subject: Subject, rows: Sequence["LayerRow"], layer: str) -> None:
    """The kernels of a convolution; of a network of one layer, the weight of each pixel."""
    names = [row.name for row in rows if row.kind.startswith("Conv") and row.kind != "Concatenate"]
    if not names:
        with ui.errors_shown():
            _pixel_weights(subject, rows)
        return
    first = layer if layer in names else names[0]
    if layer not in names:
        st.caption(f"The chosen layer {layer} is no convolution and has no kernels; these are those of {first}.")
    with ui.errors_shown():
        _kernels(subject, first)


def _kernels(subject: Subject, layer: str) -> None:
    found = cache.filters(subject, layer)
    kernels, inputs, height, width = found.weights.shape
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        channels = [MEAN, *map(str, range(inputs))] if inputs > 1 else ["0"]
        channel = choice("Input channel", "channel", channels, channels[0], width=150)
    shown, size = choose_pictures("filters", kernels)
    pictures = found.images(None if channel == MEAN else int(channel))
    places = np.argsort(-found.strength, kind="stable")[:shown]
    what = "mean over the input channels" if channel == MEAN else f"input channel {channel}"
    ui.figure_title(
        f"{count(kernels)} kernels of layer {layer}: {height}×{width}, each reads {plural(inputs, 'channel')}",
        f"{what.capitalize()}, longest first; below zero and above in two colours, one scale for all.",
    )
    chosen = pictures[places]
    signed = chosen if chosen.min() < 0 else np.concatenate([chosen, -chosen[:1]])  # weights have both signs
    coloured = images.map_pictures(signed, *ramps(), images.limit_of(chosen))[: len(chosen)]
    sheet(coloured, [f"#{place}" for place in places], size, f"Kernels of {layer}", f"{subject.name}_{layer}_kernels",
           {"weights": found.weights})  # fmt: skip


def _pixel_weights(subject: Subject, rows: Sequence["LayerRow"]) -> None:
    weights = cache.pixel_weights(subject).mean(axis=1)
    ui.figure_title("What each emotion's unit multiplies each pixel with", "One scale for all.")
    pictures = images.map_pictures(weights, *ramps(), images.limit_of(weights))
    names = list(cache.network(subject).emotions)
    sheet(pictures, names, "Large", "Weights of each pixel", f"{subject.name}_weights", {"weights": weights})


@st.fragment
def feature_maps(subject: Subject, face: np.ndarray, layer: str) -> None:
    """What the chosen layer gives for the face, and the layers that its paper prints."""
    with ui.errors_shown():
        found = cache.feature_maps(subject, face, layer)
        _maps(subject, found)
        _paper(subject, face)


def _maps(subject: Subject, found: "FeatureMaps") -> None:
    if not found.is_spatial:
        _vector(subject, found)
        return
    shown, size = choose_pictures("maps", len(found.maps))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        order = segments("Order", "maps_order", ORDERS)
        scale = segments("Scale", "maps_scale", SCALES)
    places = found.chosen(shown, "strongest" if order == ORDERS[0] else "network")
    chosen = found.maps[places]
    limit = images.limit_of(found.maps) if scale == SCALES[1] else None
    _, height, width = found.maps.shape
    ui.figure_title(
        f"Layer {found.layer}, {found.kind}: {count(len(found.maps))} maps of {height}×{width}",
        f"{percent(found.silent, 0)} of the values are zero or below"
        + (f"; {found.dead} maps are the same everywhere" if found.dead else "") + ".",
    )  # fmt: skip
    pictures = images.map_pictures(chosen, *ramps(), limit)
    strengths = tables.strength_texts([float(found.strength[place]) for place in places])
    labels = [f"#{place} · {strength}" for place, strength in zip(places, strengths, strict=True)]
    sheet(pictures, labels, size, f"Maps of {found.layer}", f"{subject.name}_{found.layer}_maps",
           {"maps": found.maps, "shown": places})  # fmt: skip
    st.caption("Below each map its number and its strength, the mean of its absolute values.")


def _vector(subject: Subject, found: "FeatureMaps") -> None:
    values = found.maps[:, 0, 0]
    ui.figure_title(
        f"Layer {found.layer}, {found.kind}: {count(len(values))} values",
        f"Row by row. {percent(found.silent, 0)} of the values are zero or below.",
    )
    picture = images.map_pictures(images.vector_picture(values)[None], *ramps())[0]
    st.image(np.asarray(images.enlarged(picture, 640)), alt=f"Values of {found.layer}")
    downloads(picture, f"{subject.name}_{found.layer}_values", {"values": values})


def _paper(subject: Subject, face: np.ndarray) -> None:
    """One click away: the layers whose maps or filters this network's paper prints."""
    views = {f"Paper {view.paper}: {view.title.lower()}": view for view in cache.paper_views(subject.architecture)}
    if not views:
        return
    name = st.pills("As the paper shows it", list(views), key="paper_view")
    if not name:
        return
    view = views[name]
    for layer in view.layers:
        st.caption(f"**{layer}**")
        if view.view == "maps":
            found = cache.feature_maps(subject, face, layer)
            arrays = found.maps[found.chosen(view.count)]
        else:
            arrays = cache.filters(subject, layer).images()[: view.count]
        pictures = images.map_pictures(arrays, *ramps())
        side, columns = SIZES["Large"] if view.count <= PAPER_PICTURES else SIZES["Small"]
        paper = images.sheet(pictures, [""] * len(pictures), side, columns, scheme())
        show(paper, f"{name}, {layer}")
        downloads(paper, f"{subject.name}_paper_{view.paper}_{layer}", {view.view: arrays})


@st.fragment
def walk(subject: Subject, face: np.ndarray, seen: Reading) -> None:
    """A strip from the face to the emotions: the strongest maps of every step that all paths pass."""
    with ui.errors_shown():
        steps, total = cache.walk(subject, face, WALKED)
        left_out = f" {len(steps)} of {total} are shown." if len(steps) < total else ""
        ui.figure_title(
            f"From the face to the emotions in {total} steps that every path passes",
            f"Each column holds a step's {WALKED} strongest maps, the strongest above, on their own scales.{left_out}",
        )
        strips = [_strip([seen.face], "face")]
        strips += [_strip(_step_pictures(each), each.layer) for each in steps]
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="top"):
            for number, (strip, label) in enumerate(strips):
                with st.container(width=WALK_SIDE + 6, gap=None):
                    st.image(png(strip), width=WALK_SIDE, alt=f"Step {number}, {label}")
                    st.caption(label.replace(".", ".\u200b"))  # a long name may break after a dot
        arrays = {each.layer: each.maps for each in steps}
        downloads(_joined([strip for strip, _ in strips]), f"{subject.name}_walk", arrays)


def _step_pictures(found: "FeatureMaps") -> list[np.ndarray]:
    if found.is_spatial:
        return images.map_pictures(found.maps, *ramps())
    return images.map_pictures(images.vector_picture(found.maps[:, 0, 0])[None], *ramps())


def _strip(pictures: Sequence[np.ndarray], label: str) -> tuple[np.ndarray, str]:
    return images.sheet(pictures, [""] * len(pictures), WALK_SIDE, 1, scheme()), label


def _joined(strips: Sequence[np.ndarray]) -> np.ndarray:
    """Strips of several heights side by side, RGBA."""
    height = max(strip.shape[0] for strip in strips)
    padded = [np.pad(strip, ((0, height - strip.shape[0]), (0, 8), (0, 0))) for strip in strips]
    return np.concatenate(padded, axis=1)
