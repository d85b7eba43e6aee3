"""The choices of the Network page: a run or an untrained architecture, a layer, and how pictures look."""

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard import cache
from dashboard.linked import choice, segments
from dashboard.network.members import choose_member, member_title, of_member
from dashboard.network.subject import Subject
from dashboard.picker import obstacles, run_picker
from dashboard.summaries import RunSummary

TRAINED, UNTRAINED = "A run", "Untrained"
FACES = {"48 px gray": (1, 48), "96 px gray": (1, 96), "160 px colour": (3, 160), "224 px colour": (3, 224)}
FIRST_ARCHITECTURE = "mini_xception"
SIZES = {"Small": (56, 16), "Medium": (84, 12), "Large": (128, 8)}  # side of a picture, pictures in a row
COUNTS = (4, 8, 16, 32, 64, 128)


def choose_subject(runs: Sequence[RunSummary]) -> tuple[Subject, RunSummary | None]:
    """The network to look into, and its run if it has one; of an ensemble, a member and that one's run.

    Raises FerError for an ensemble that does not say what its members are.
    """
    able = [run for run in runs if run.can_predict]
    sources = [TRAINED, UNTRAINED]
    notices = st.container()
    with st.container(horizontal=True):
        with st.container(width="content"):
            first = TRAINED if able else UNTRAINED
            chosen = segments("Network of", "look_into", sources, first, notices)
        with st.container():
            if chosen == TRAINED and able:
                run = run_picker(able, refused=obstacles(runs))
            else:
                run, untrained = None, _untrained()
    if run is None:
        if chosen == TRAINED:
            st.caption("No run here has its weights; an untrained network is shown.")
        return untrained, None
    if not run.is_ensemble:
        return Subject.of_run(run), run
    place = choose_member(run, notices)
    subject, own = of_member(runs, run, place)
    member_title(run, place, own)
    return subject, own


def _untrained() -> Subject:
    names = cache.architectures()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        architecture = choice("Architecture", "architecture", names, FIRST_ARCHITECTURE)
        size = choice("Faces", "faces", list(FACES), "160 px colour" if architecture == "six_conv_cnn" else "")
    return Subject.untrained(architecture, *FACES[size])


def choose_layer(names: Sequence[str], first: str) -> str:
    """A layer of the network: chosen here, in the graph (see `choose_in_graph`) or by the link."""
    return choice("Layer", "layer", names, first, help="Click a box above, or type to search.")


def choose_cam_layer(subject: Subject, label: str, key: str) -> str:
    """The layer that Grad-CAM looks at, "" for the one by default; raises FerError where there is none."""
    names, default = cache.cam_layers(subject)
    usual = f"{default} (last with a map)"
    options = [usual, *(name for name in names if name != default)]
    chosen = choice(label, key, options, usual)
    return "" if chosen == usual else chosen


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
