"""The hand-crafted features of a face, as paper 3 takes them."""

import numpy as np
import streamlit as st

from dashboard import cache
from dashboard import components as ui
from dashboard.cache import Reading
from dashboard.network import charts, images
from dashboard.network.sheet import downloads, show
from dashboard.network.subject import Subject
from dashboard.pictures import gray
from dashboard.theme import ramps, scheme


@st.fragment
def descriptors(subject: Subject, seen: Reading) -> None:
    """Paper 3's hand-crafted features of the face: LPQ's codes with their histogram, PHOG's pyramid."""
    face = gray(seen.face)
    with ui.errors_shown():
        lpq, phog, own = cache.descriptors(subject, face)
        st.caption(
            "This network learnt from these descriptors alone, never from pixels."
            if own
            else f"{subject.architecture} learns from pixels; paper 3 gives its classifier these descriptors."
        )
        left, right = st.columns([1, 2], gap="large")
        with left:
            ui.figure_title("LPQ: the code of every pixel", "Local Fourier phase in 8 bits; blur hardly moves it.")
            picture = images.map_pictures(lpq.codes[None].astype(np.float32), *ramps(), 255.0)[0]
            st.image(np.asarray(images.enlarged(picture, 320)), width="stretch", alt="LPQ codes of the face")
            downloads(picture, f"{subject.name}_lpq", {"codes": lpq.codes, "histogram": lpq.histogram})
        with right:
            used = int((lpq.histogram > 0).sum())
            ui.figure("How often each code occurs: LPQ's 256 values", charts.code_histogram(lpq.histogram),
                      note=f"{used} of 256 codes occur in this face.")  # fmt: skip
        ui.figure_title(
            "PHOG: which edges lie where, in ever smaller cells",
            f"Strokes along the edges, longer for more of them; {sum(level.size for level in phog.levels)} values.",
        )
        ink = ramps()[0][-3] if scheme() == "light" else "#23297A"
        pictures = images.pyramid(phog.levels, 240, ink, face)
        edges = np.where(phog.edges[:, :, None], np.uint8(30), np.uint8(245)).repeat(3, axis=2)
        labels = ["edges that count", *(f"level {level}" for level in range(len(pictures)))]
        drawn = images.sheet([edges, *pictures], labels, 240, 5, scheme())
        show(drawn, "Edges and PHOG's levels")
        arrays = {f"level_{level}": values for level, values in enumerate(phog.levels)}
        downloads(drawn, f"{subject.name}_phog", {"edges": phog.edges, **arrays})
