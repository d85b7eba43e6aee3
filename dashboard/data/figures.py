"""Charts of a dataset, each built once for what it shows, with its title and its files."""

from collections.abc import Callable

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard import components as ui


def figure(
    title: str, rows: pd.DataFrame, draw: Callable[[pd.DataFrame], alt.LayerChart], note: str, name: str
) -> None:
    """`draw(rows)` below its title, to be saved as `name`; building it takes longer than all else on a page."""
    ui.figure_title(title, note)
    spec = cache.chart_spec((name, rows.to_csv()), lambda: draw(rows))
    st.vega_lite_chart(spec, key=f"chart_{name}", alt=title)
    ui.download_chart(lambda: draw(rows), name)
