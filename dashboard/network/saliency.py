"""Which pixels speak for an emotion, by several methods, beside the same methods on random weights."""

import numpy as np
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.cache import Reading
from dashboard.formats import percent, sentence
from dashboard.linked import LINKED, segments
from dashboard.network import images
from dashboard.network.form import choose_cam_layer
from dashboard.network.sheet import downloads
from dashboard.network.subject import Subject
from dashboard.pictures import png
from dashboard.theme import ramps, scheme
from fer_core.errors import FerError


@st.fragment
def saliency(subject: Subject, face: np.ndarray, seen: Reading) -> None:
    """What speaks for an emotion, by several methods, and the same of random weights."""
    methods = {label: (name, summary) for name, label, summary in cache.saliency_methods()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        emotion = segments("What speaks for", "target", list(seen.probabilities), seen.emotion)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layer = _cam_layer(subject)
        beside = st.toggle(
            "Beside random weights",
            key="sanity",
            bind=LINKED,
            help="A picture that hardly changes when the weights are random shows the face's edges, and not what "
            "the network learnt.",
        )
    share = percent(seen.probabilities[emotion])
    ui.figure_title(f"What speaks for {emotion} ({share}) in this face", _legend())
    with st.grid(len(methods), min_column_width=230, gap="medium"):
        for label, (name, summary) in methods.items():
            with st.container(gap="small"):
                st.markdown(f"**{label}**")
                st.caption(summary)
                try:
                    _method(subject, face, seen, emotion, name, layer, beside=beside)
                except FerError as error:
                    st.info(sentence(str(error)))


def _legend() -> str:
    return "Left the heat alone, right over the face. Blue speaks for the emotion, orange against it."


def _cam_layer(subject: Subject) -> str:
    try:
        return choose_cam_layer(subject, "Grad-CAM's layer", "cam_layer")
    except FerError:
        return ""


def _method(
    subject: Subject, face: np.ndarray, seen: Reading, emotion: str, name: str, layer: str, *, beside: bool
) -> None:  # fmt: skip
    found = cache.heat(subject, face, emotion, name, layer, random=False)
    _heat_pictures(found.heat, seen, f"{name} for {emotion}")
    st.caption(found.note or "Sharp details: what the gradients agree on from layer to layer.")
    arrays = {"heat": found.heat}
    if beside:
        random = cache.heat(subject, face, emotion, name, layer, random=True)
        st.markdown("With random weights")
        _heat_pictures(random.heat, seen, f"{name} for {emotion} with random weights")
        alike = cache.likeness(found, random)
        rank = "no" if np.isnan(alike.rank_correlation) else f"{alike.rank_correlation:.2f}"
        st.caption(f"Rank correlation with the picture above: {rank}; SSIM {alike.ssim:.2f}.")
        arrays["heat_random_weights"] = random.heat
    picture = np.concatenate(_pair(found.heat, seen), axis=1)
    downloads(picture, f"{subject.name}_{name}_{emotion}", arrays)


def _heat_pictures(heat: np.ndarray, seen: Reading, alt: str) -> None:
    pictures = images.sheet(_pair(heat, seen), ["", ""], 160, 2, scheme())
    st.image(png(pictures), width="stretch", alt=alt)


def _pair(heat: np.ndarray, seen: Reading) -> list[np.ndarray]:
    return [*images.map_pictures(heat[None], *ramps(), 1.0), images.overlay(seen.face, heat, *ramps())]
