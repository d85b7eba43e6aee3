"""The pipelines of the Preprocessing page: which are compared, which is built, and what its buttons do."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import cache
from dashboard.formats import plain, sentence
from dashboard.linked import LINKED, choice, linked_notice
from dashboard.preprocess.chain import MOST_STEPS, rungs, swapped, with_argument, with_step, without_step
from dashboard.preprocess.frames import RAW
from dashboard.summaries import RunSummary
from fer_core.chain import Argument, format_number
from fer_core.errors import FerError

if TYPE_CHECKING:
    # importing these would import torch
    from fer_core.preprocessing import Pipeline, Step

FIRST_PIPELINES = ["gcn", "hist_eq", "gcn+hist_eq", "salt_pepper"]  # paper 1, figure 12
MOST_PIPELINES = 8
SET_HERE = "fields_set_here"
MOST_SEED = 2**31 - 1
SIZES = {"48 × 48 gray": (48, 1), "96 × 96 gray": (96, 1), "160 × 160 colour": (160, 3)}  # side, channels


def choose_size(notices: DeltaGenerator) -> tuple[int, int]:
    """Side in pixels and channels of the faces that are shown."""
    return SIZES[choice("Size", "size", list(SIZES), place=notices, help="Most networks here take 48 × 48 gray.")]


def choose_pipelines(runs: Sequence[RunSummary], notices: DeltaGenerator) -> "dict[str, Pipeline]":
    """The pipelines to compare by their canonical text; what cannot be read is taken out of the field, and said.

    Must stand before the page's other fields: a link that holds such a text draws the page anew, and each field's
    notice is given once.
    """
    _keep_readable(notices)
    used = {run.spec.preprocessing for run in runs if run.spec}
    names = [step.name for step in cache.steps()]
    chosen = st.multiselect(
        "Pipelines side by side",
        list(dict.fromkeys([*FIRST_PIPELINES, *names, *sorted(used - {RAW})])),
        _unless_set("pipelines", FIRST_PIPELINES),
        key="pipelines",
        bind=LINKED,
        accept_new_options=True,
        max_selections=MOST_PIPELINES,
        placeholder="Choose, or type a pipeline",
        help="Type any pipeline: steps joined by +, with arguments if need be, such as `gcn(lam=50)+hist_eq`.",
    )
    if _readable(chosen)[0] != chosen:
        st.rerun()  # the field takes what a link holds, whatever is set before: only now can it be set
    return {str(pipeline): pipeline for pipeline in map(_read, chosen)}


def _keep_readable(notices: DeltaGenerator) -> None:
    """Take out of the field what is no pipeline; must stand before the field."""
    texts = st.session_state.get("pipelines", [])
    kept, refused = _readable(texts)
    for reason in refused:
        notices.warning(f"Left out: {plain(sentence(reason))}", icon=":material/link_off:")
    if kept != texts:
        _set(pipelines=kept)


def _readable(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The texts that are pipelines, each once, and why the others are none."""
    kept, refused = [], []
    for text in map(_joined, texts):
        try:
            _read(text)
            kept.append(text)
        except FerError as error:
            refused.append(str(error))
    return list(dict.fromkeys(kept)), refused


def _joined(text: str) -> str:
    """Steps joined by +, which a link that is written by hand holds as spaces: `gcn hist_eq` as `gcn+hist_eq`."""
    return re.sub(r"(?<=[\w)])\s+(?=[a-z])", "+", text.strip())


def _unless_set(key: str, default: Any) -> Any:
    """`default`, or None where the page has just set field `key` itself: Streamlit wants one or the other."""
    return None if key in st.session_state.get(SET_HERE, ()) else default


def _set(**fields: Any) -> None:
    st.session_state.update(fields)
    st.session_state[SET_HERE] = {*st.session_state.get(SET_HERE, ()), *fields}


def _read(text: str) -> "Pipeline":
    pipeline = cache.pipeline(text)
    if len(pipeline.steps) > MOST_STEPS:
        raise FerError(f"a pipeline of {len(pipeline.steps)} steps is not shown; at most {MOST_STEPS} are")
    return pipeline


def choose_seed(pipelines: "Sequence[Pipeline]", notices: DeltaGenerator) -> int:
    """The seed of the noise, where a step draws any."""
    drawing = sorted({step.name for pipeline in pipelines for step in pipeline.steps if step.training_only})
    if not drawing:
        return 0
    linked_notice("noise_seed", (), lambda value: value.isdecimal() and int(value) <= MOST_SEED, notices)
    help = f"{', '.join(drawing)} draws its noise from it; a prediction leaves it out."
    return int(st.number_input("Noise seed", 0, MOST_SEED, 0, key="noise_seed", bind=LINKED, help=help))


def choose_built(names: Sequence[str], notices: DeltaGenerator) -> str:
    """Which of the pipelines is built, with the fields that lengthen it; `raw` where there is none."""
    built = RAW
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if names:
            built = _built(names, notices)
        full = bool(names) and built.count("+") + 1 >= MOST_STEPS
        st.selectbox(
            "Add a step",
            [step.name for step in cache.steps()],
            None,
            key="add_step",
            on_change=_add_step,
            placeholder="Add a step",
            label_visibility="collapsed",
            disabled=full,
            width=170,
        )
        st.button(
            "New pipeline",
            icon=":material/add:",
            on_click=_begin_new,
            disabled=RAW in names or len(names) >= MOST_PIPELINES,
            help="Begins with no step.",
        )
    return built


def _built(names: Sequence[str], notices: DeltaGenerator) -> str:
    first = _longest(names)
    linked_notice("build", names, place=notices)
    if st.session_state.get("build") not in (None, *names):
        _set(build=first)
    chosen = st.segmented_control(
        "Build",
        names,
        default=_unless_set("build", first),
        required=True,
        key="build",
        bind=LINKED,
        label_visibility="collapsed",
    )
    st.session_state.pop(SET_HERE, None)
    return chosen or first


def _longest(texts: Sequence[str]) -> str:
    """The pipeline of most steps, which is built where none is chosen."""
    return max(texts, key=lambda text: text.count("+"))


def step_controls(position: int, step: "Step", count: int) -> None:
    """Sliders of a step's arguments, and the buttons that move and remove it."""
    if step.arguments():
        with st.grid(2, min_column_width=100):
            for argument in step.arguments():
                _slider(position, step, argument)
    with st.container(horizontal=True, gap="small"):
        for label, icon, change, is_off in (
            ("Earlier", "arrow_back", lambda p: swapped(p, position - 1), position == 0),
            ("Later", "arrow_forward", lambda p: swapped(p, position), position == count - 1),
            ("Remove", "close", lambda p: without_step(p, position), False),
        ):
            st.button(
                label,
                key=f"{label.lower()}_{position}",
                icon=f":material/{icon}:",
                type="tertiary",
                disabled=is_off,
                on_click=_change_built,
                args=(change,),
            )


def _slider(position: int, step: "Step", argument: Argument) -> None:
    value = getattr(step, argument.name)
    key = f"{step.name}_{position}_{argument.name}"
    st.session_state[key] = value  # the pipeline's text is the truth, and the slider shows it
    st.select_slider(
        argument.name,
        rungs(argument, value),
        key=key,
        format_func=format_number,
        help=f"{argument.help[:1].upper()}{argument.help[1:]}. Default: {format_number(argument.default)}.",
        on_change=_set_argument,
        args=(position, argument.name, key),
    )


def _set_argument(position: int, name: str, key: str) -> None:
    value = st.session_state[key]
    _change_built(lambda pipeline: with_argument(pipeline, position, name, value))


def _add_step() -> None:
    name = st.session_state["add_step"]
    st.session_state["add_step"] = None
    if name is None:
        return
    if not _texts():
        _set(pipelines=[RAW], build=RAW)
    _change_built(lambda pipeline: with_step(pipeline, name))


def _begin_new() -> None:
    _set(pipelines=[*_texts(), RAW], build=RAW)


def _change_built(change: "Callable[[Pipeline], Pipeline]") -> None:
    """Put a changed pipeline in the place of the one that is built; two that become the same are one."""
    texts = _texts()
    built = st.session_state.get("build")
    built = built if built in texts else _longest(texts)
    changed = str(change(cache.pipeline(built)))
    _set(pipelines=list(dict.fromkeys(changed if text == built else text for text in texts)), build=changed)


def _texts() -> list[str]:
    """The canonical texts of the chosen pipelines."""
    return list(dict.fromkeys(str(cache.pipeline(text)) for text in st.session_state["pipelines"]))
