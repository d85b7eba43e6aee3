"""The theme of who looks, for what is drawn here and not by Streamlit."""

from pathlib import Path
from typing import Any

import streamlit as st

# the colours and buttons of what a browser part draws itself; stands before the part's own rules
CONTROLS_CSS = (Path(__file__).parent / "assets" / "controls.css").read_text(encoding="utf-8")


# what Streamlit draws axes with, which no option of a theme names: (labels, grid)
AXIS_GREYS = {"light": ("#808495", "#E6EAF1"), "dark": ("#E6EAF1", "#31333F")}


def scheme() -> str:
    """`light` or `dark`."""
    return st.context.theme.type or "light"


def ramps() -> tuple[list[str], list[str]]:
    """The theme's colours of magnitudes, and of differences around zero."""
    sequential: list[str] = st.get_option(f"theme.{scheme()}.chartSequentialColors")
    diverging: list[str] = st.get_option(f"theme.{scheme()}.chartDivergingColors")
    return sequential, diverging


def chart_config() -> dict[str, Any]:
    """The configuration of Vega-Lite that Streamlit gives the page's charts now, for one that leaves the page.

    Source: CustomTheme of Streamlit's frontend; its sizes in rem are pixels here, at the theme's base size of 14.
    """
    appearance = scheme()
    labels, grid = AXIS_GREYS[appearance]
    categories: list[str] = st.get_option(f"theme.{appearance}.chartCategoricalColors")
    sequential, diverging = ramps()
    text = {"labelColor": labels, "titleColor": labels, "labelFontWeight": 400, "titleFontWeight": 400}
    return {
        "background": st.get_option(f"theme.{appearance}.backgroundColor"),
        "font": '"Source Sans", sans-serif',
        "title": {
            "align": "left", "anchor": "start", "color": st.get_option(f"theme.{appearance}.textColor"),
            "fontSize": 14, "fontWeight": 600,
        },
        "axis": text | {
            "labelFontSize": 10.5, "titleFontSize": 12.25, "ticks": False, "domain": False, "gridColor": grid,
            "labelFlush": True, "labelFlushOffset": 1, "labelLimit": 100, "labelOverlap": True, "labelPadding": 14,
            "labelSeparation": 3.5, "titlePadding": 14,
        },
        "axisDiscrete": {"grid": False},
        "legend": text | {
            "labelFontSize": 12.25, "titleFontSize": 12.25, "titlePadding": 7, "columnPadding": 7, "rowPadding": 3.5,
            "padding": 7, "symbolStrokeWidth": 3.5,
        },
        "range": {"category": categories, "diverging": diverging, "ramp": sequential, "heatmap": sequential},
        "view": {"stroke": None, "strokeWidth": 0},
        "mark": {"color": categories[0]},
        "bar": {"binSpacing": 3.5, "discreteBandSize": {"band": 0.85}},
    }  # fmt: skip
