"""Charts as Vega-Lite takes them: building and checking one takes a tenth of a second, which every rerun would wait."""

from collections.abc import Callable
from typing import Any

import altair as alt
import streamlit as st


def chart_spec(key: tuple[object, ...], build: Callable[[], alt.LayerChart]) -> dict[str, Any]:
    """What `build` draws, for `st.vega_lite_chart`; it is built once for each `key`, which names all that it shows."""
    return _chart_spec(key, build)


@st.cache_data(max_entries=64, show_spinner=False)
def _chart_spec(key: tuple[object, ...], _build: Callable[[], alt.LayerChart]) -> dict[str, Any]:
    spec: dict[str, Any] = _build().to_dict()
    spec.pop("config", None)  # Altair's own theme, in whose place Streamlit puts the page's
    return spec
