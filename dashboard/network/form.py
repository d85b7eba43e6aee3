"""The choices of the Network page: a run or an untrained architecture, a layer, and how pictures look."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from dashboard import cache
from dashboard.face_source import LINKED, linked_notice
from dashboard.network.subject import Subject
from dashboard.picker import run_picker
from dashboard.summaries import RunSummary

TRAINED, UNTRAINED = "A run", "Untrained"
FACES = {"48 px gray": (1, 48), "96 px gray": (1, 96), "160 px colour": (3, 160), "224 px colour": (3, 224)}
FIRST_ARCHITECTURE = "mini_xception"
SIZES = {"Small": (56, 16), "Medium": (84, 12), "Large": (128, 8)}  # side of a picture, pictures in a row
LAST = "last with a map"
COUNTS = (4, 8, 16, 32, 64, 128)


def choose_subject(runs: Sequence[RunSummary]) -> tuple[Subject, RunSummary | None]:
    """The network to look into, and its run if it has one."""
    able = [run for run in runs if run.can_predict]
    sources = [TRAINED, UNTRAINED]
    linked_notice("look_into", sources)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="content"):
            first = TRAINED if able else UNTRAINED
            chosen = st.segmented_control(
                "Network of", sources, default=first, required=True, key="look_into", bind=LINKED
            )
        with st.container():
            if chosen == TRAINED and able:
                run = run_picker(able, refused={run.id: run.obstacle for run in runs if run.obstacle})
                return Subject.of_run(run), run
            untrained = _untrained()
    if chosen == TRAINED:
        st.caption("No run here has its weights; an untrained network is shown.")
    return untrained, None


def _untrained() -> Subject:
    names = cache.architectures()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        architecture = choice("Architecture", "architecture", names, FIRST_ARCHITECTURE)
        size = choice("Faces", "faces", list(FACES), "160 px colour" if architecture == "six_conv_cnn" else "")
    return Subject.untrained(architecture, *FACES[size])


def choice(label: str, key: str, options: Sequence[str], first: str = "", **more: Any) -> str:
    """One of the options, which the link holds; `first` where nothing is chosen yet."""
    linked_notice(key, options)
    if st.session_state.get(key, first) not in options:
        st.session_state.pop(key, None)  # another network has other layers
    place = options.index(first) if first in options else 0
    return st.selectbox(label, options, place, key=key, bind=LINKED, **more) or options[place]


def segments(label: str, key: str, options: Sequence[str], first: str = "", **more: Any) -> str:
    """One of a few options side by side, which the link holds."""
    linked_notice(key, options)
    start = first or options[0]
    return st.segmented_control(label, options, default=start, required=True, key=key, bind=LINKED, **more) or start


def choose_layer(names: Sequence[str], first: str) -> str:
    """A layer of the network: chosen here, in the graph (see `choose_in_graph`) or by the link."""
    return choice("Layer", "layer", names, first, help="Click a box above, or type to search.")


def choose_in_graph(key: str) -> Callable[[], None]:
    """What happens on a click in the graph whose chart is called `key`: its layer becomes the chosen one."""

    def take() -> None:
        picked = st.session_state[key]["selection"].get("node") or []
        for node in picked:
            st.session_state["layer"] = node["name"]

    return take


def choose_pictures(prefix: str, count: int) -> tuple[int, str]:
    """How many of `count` pictures to show, and how large."""
    counts = [str(each) for each in COUNTS if each < count] + [f"all {count:,}"]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        first = "16" if "16" in counts else counts[-1]
        shown = choice("Show", f"{prefix}_count", counts, first, width=110)
        size = segments("Size", f"{prefix}_size", list(SIZES), "Medium")
    return (count if shown.startswith("all") else int(shown)), size


def scheme() -> str:
    """The theme of who looks: `light` or `dark`."""
    return st.context.theme.type or "light"


def ramps() -> tuple[list[str], list[str]]:
    """The theme's colours of magnitudes, and of differences around zero."""
    sequential: list[str] = st.get_option(f"theme.{scheme()}.chartSequentialColors")
    diverging: list[str] = st.get_option(f"theme.{scheme()}.chartDivergingColors")
    return sequential, diverging
