"""The form of the launch page: what to train, on what, and every hyperparameter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import cache
from dashboard.advice import PYTHON
from dashboard.formats import plain, sentence
from dashboard.launch.fields import ARGUMENT, FIELDS, GROUPS, START, Field, argument, in_labels, named_in
from dashboard.launch.selection import (
    AUTO,
    OFFICIAL,
    Catalogue,
    Selection,
    first_protocol,
    pipelines,
    shown_values,
)
from dashboard.linked import LINKED, linked_notice
from dashboard.summaries import RunSummary, find
from fer_core.labels import EMOTIONS

FIRST_ARCHITECTURE, FIRST_RECIPE = "mini_xception", "modern"
DRAWN = "synthetic"


@dataclass(frozen=True)
class Settings:
    """The fields of the network and its training, by what is filled in, and the place below each for a refusal.

    There are no places while the fields are folded.
    """

    filled_in: Mapping[Field, Any]
    places: Mapping[Field, DeltaGenerator]
    fields: Sequence[Field]

    def refuse(self, why: str) -> None:
        """Say why nothing can be launched: below the fields that it speaks of where one sees them, and here."""
        text = sentence(in_labels(why, self.fields))
        meant = next((self.places[field] for field in named_in(why, self.fields) if field in self.places), None)
        (meant or st).error(text, icon=":material/error:")
        if meant:
            st.caption(text)


def choose(catalogue: Catalogue, runs: Sequence[RunSummary]) -> tuple[Selection, Settings]:
    """The fields, and what is chosen in them; the address holds all that differs from the defaults."""
    notices = st.container()
    architectures, preprocessing = _networks(catalogue, runs, notices)
    with st.grid(6, min_column_width=150):
        datasets = cache.datasets()
        _check_link("dataset", datasets, notices)
        dataset = st.selectbox("Dataset", datasets, key="dataset", bind=LINKED) or datasets[0]
        protocol = _protocol(dataset, runs, notices)
        recipe = _recipe(catalogue, architectures, notices)
        seeds = st.text_input(
            "Seeds", "0", key="seeds", bind=LINKED, help="Whole numbers joined by commas: a run for each."
        )
        devices = [AUTO, *cache.machines()]
        _check_link("device", devices, notices)
        device = st.selectbox(
            "Device",
            devices,
            key="device",
            bind=LINKED,
            help="auto: an accelerator where there is one, else the CPU.",
        )
        _check_link("without", EMOTIONS, notices)
        left_out = st.multiselect("Emotions left out", EMOTIONS, key="without", bind=LINKED, placeholder="None")
    _note(dataset, datasets)
    settings = _settings(catalogue, architectures, recipe, runs, notices)
    filled_in = {field.name: value for field, value in settings.filled_in.items()}
    arguments = {name.removeprefix(ARGUMENT): value for name, value in filled_in.items() if name.startswith(ARGUMENT)}
    usual = catalogue.shared_arguments(architectures, recipe)
    selection = Selection(
        architectures=tuple(architectures),
        pipelines=tuple(preprocessing),
        dataset=dataset,
        protocol=protocol,
        recipe=recipe,
        seeds=seeds or "",
        left_out=tuple(left_out),
        hyperparameters={name: value for name, value in filled_in.items() if name in FIELDS},
        arguments={name: value for name, value in arguments.items() if usual[name] != [value]},
        init_from=filled_in.get(START.name, ""),
        device=device or AUTO,
    )
    return selection, settings


def _check_link(key: str, options: Sequence[str], notices: DeltaGenerator) -> None:
    """Say what a link asks for and cannot have; once a field is drawn, it may offer something else than the link."""
    if key not in st.session_state:
        linked_notice(key, options, lambda value: not value or value in options, notices)


def _note(dataset: str, datasets: Sequence[str]) -> None:
    if dataset == DRAWN:
        more = f" Real ones: `{PYTHON} -m fer_core data prepare SOURCE`, see the README." if len(datasets) == 1 else ""
        st.caption(f"These faces are drawn: good for trying, not a result.{more}")


def _networks(catalogue: Catalogue, runs: Sequence[RunSummary], notices: DeltaGenerator) -> tuple[list[str], list[str]]:
    names, chains = catalogue.architectures, pipelines(catalogue, runs)
    _check_link("architectures", names, notices)
    with st.grid(2, min_column_width=320):
        architectures = st.multiselect(
            "Architectures",
            names,
            [FIRST_ARCHITECTURE] if FIRST_ARCHITECTURE in names else names[:1],
            key="architectures",
            bind=LINKED,
            placeholder="Choose one or several",
            help="Each is trained with each preprocessing.",
        )
        preprocessing = st.multiselect(
            "Preprocessing",
            chains,
            chains[:1],
            key="preprocessing",
            bind=LINKED,
            accept_new_options=True,
            placeholder="Choose, or type a pipeline",
            help="Type any pipeline: steps joined by +, with arguments if need be, such as `gcn(lam=5)+hist_eq`.",
        )
    return architectures, preprocessing


def _protocol(dataset: str, runs: Sequence[RunSummary], notices: DeltaGenerator) -> str:
    served = cache.protocols(dataset)
    _check_link("protocol", served, notices)
    chosen = st.selectbox(
        "Protocol",
        served,
        first_protocol(served, dataset, runs),
        key="protocol",
        bind=LINKED,
        help="How the dataset is split; those that it can serve.",
    )
    return chosen or OFFICIAL


def _recipe(catalogue: Catalogue, architectures: Sequence[str], notices: DeltaGenerator) -> str:
    names = catalogue.common_recipes(architectures)
    _check_link("recipe", names, notices)
    chosen = st.selectbox(
        "Recipe",
        names,
        names.index(FIRST_RECIPE),
        key="recipe",
        bind=LINKED,
        help="paper: the values that the network's paper prints. modern: AdamW with one cycle of the learning rate.",
    )
    return chosen or FIRST_RECIPE


def _settings(
    catalogue: Catalogue, architectures: Sequence[str], recipe: str, runs: Sequence[RunSummary], notices: DeltaGenerator
) -> Settings:
    """The fields of the network's settings and of the hyperparameters, and what is filled in."""
    arguments = catalogue.shared_arguments(architectures, recipe)
    network = (START, *(argument(name, values) for name, values in arguments.items()))
    fields = {"Network": network, **GROUPS}
    shown = {name: shown_values(catalogue.values(architectures, recipe, name)) for name in FIELDS}
    shown |= {f"{ARGUMENT}{name}": shown_values(values) for name, values in arguments.items()}
    shown |= {START.name: "its own first weights", "teacher": "none"}
    able = [run for run in runs if run.can_predict]
    names = {
        START.name: [run.id for run in able if run.spec and run.spec.architecture in architectures],
        "teacher": [run.id for run in able],
    }
    for field in FIELDS.values():
        if field.choices:
            _check_link(field.name, field.choices, notices)
    expander = st.expander("Hyperparameters", key="hyperparameters", on_change="rerun")
    places: dict[Field, DeltaGenerator] = {}
    with expander:
        st.caption(f"Empty fields keep what the {recipe} recipe says, which they show in grey.")
        entered = {}
        for title, group in fields.items():
            with st.container(gap="xsmall"):
                st.markdown(f"**{title}**")
                runs_named, others = ([each for each in group if each.is_run is named] for named in (True, False))
                for columns, least, row in ((2, 320, runs_named), (5, 150, others)):
                    with st.grid(columns, min_column_width=least):
                        for field in row:
                            entered[field] = _field(field, shown[field.name], names.get(field.name, ()))
                places |= dict.fromkeys(group, st.container())
    changed = {field: value for field, value in entered.items() if value not in (None, "")}
    if changed:
        _changes(changed)
    filled_in = {field: _whole_name(value, runs) if field.is_run else value for field, value in changed.items()}
    return Settings(filled_in, places if expander.open else {}, list(entered))


def _whole_name(name: str, runs: Sequence[RunSummary]) -> str:
    """The name of the run that a link gives the hash of; what names no run stays, and the checks will say so."""
    found = find(runs, name)
    return found.id if found else name


def _changes(changed: Mapping[Field, Any]) -> None:
    """What is filled in, and how to undo it, also while the fields are folded."""
    with st.container(horizontal=True, vertical_alignment="center"):
        words = ", ".join(f"{field.words} {plain(_text(value))}" for field, value in changed.items())
        st.caption(f"Other than the recipe: {words}", width="content")
        st.button("Undo", on_click=_empty, args=(list(changed),), type="tertiary", icon=":material/undo:")


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _field(field: Field, shown: str, runs: Sequence[str]) -> Any:
    common: dict[str, Any] = {"key": field.name, "bind": LINKED, "help": field.help, "placeholder": shown}
    if field.is_run:  # a link may name one that is not offered, by its hash too: the training's own checks judge it
        named = st.session_state.get(field.name) or st.query_params.get(field.name)
        offered = list(dict.fromkeys([*runs, *([named] if named else [])]))
        return st.selectbox(field.label, offered, None, **common)
    if field.choices:
        return st.selectbox(field.label, field.choices, None, **common)
    if field.is_text:
        return st.text_input(field.label, **common).strip()
    if field.is_whole:
        return st.number_input(field.label, value=None, step=max(1, int(field.step)), **common)
    return st.number_input(field.label, value=None, step=float(field.step), format="%g", **common)


def _empty(fields: Sequence[Field]) -> None:
    for field in fields:
        st.session_state[field.name] = field.empty
