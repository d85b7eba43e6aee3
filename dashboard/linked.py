"""Fields whose value the page's link holds."""

from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.formats import plain

LINKED: Any = "query-params"
NAMED = 80  # characters of the options that a notice names


def linked_notice(
    key: str,
    options: Sequence[str],
    is_possible: Callable[[str], bool] | None = None,
    place: DeltaGenerator | None = None,
) -> None:
    """Say where the link holds a value of field `key` that cannot be chosen; Streamlit leaves it out by itself.

    Must stand before the field, which else has forgotten it; it is said at `place` if that is given.
    """
    fits = is_possible or (lambda value: value in options)
    for value in st.query_params.get_all(key):
        if not fits(value):
            possible = f"choose from {_listed(value, options)}" if options else "it is out of range"
            words = f"The link's {key.replace('_', ' ')} {value[:40]!r} cannot be shown; {possible}."
            (place or st).warning(plain(words), icon=":material/link_off:")


def _listed(value: str, options: Sequence[str]) -> str:
    """The options that fit into one line, the one that is most like `value` first."""
    ordered = list(dict.fromkeys([*get_close_matches(value, options, 1), *options]))
    named = ordered[:1]
    for option in ordered[1:]:
        if len(", ".join([*named, option])) > NAMED:
            break
        named.append(option)
    left = len(ordered) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")


def drop_unknown(known: Collection[str] = ()) -> None:
    """Take out of the address what is of none of the page's fields: Back, from a run, leaves the run's name there."""
    for key in [key for key in st.query_params if key not in known]:
        del st.query_params[key]


def choice(
    label: str, key: str, options: Sequence[str], first: str = "", place: DeltaGenerator | None = None, **more: Any
) -> str:
    """One of the options; `first` where nothing is chosen yet. `place` is where a link's impossible value is said."""
    linked_notice(key, options, place=place)
    start = options.index(first) if first in options else 0
    if key in st.session_state and st.session_state[key] not in options:
        # another network has other layers, another dataset other splits; the browser keeps what is merely forgotten
        st.session_state[key] = options[start]
    return st.selectbox(label, options, start, key=key, bind=LINKED, **more) or options[start]


def segments(
    label: str, key: str, options: Sequence[str], first: str = "", place: DeltaGenerator | None = None, **more: Any
) -> str:
    """One of a few options side by side; else as `choice`."""
    linked_notice(key, options, place=place)
    start = first or options[0]
    return st.segmented_control(label, options, default=start, required=True, key=key, bind=LINKED, **more) or start
