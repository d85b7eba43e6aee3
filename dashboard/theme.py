"""The theme of who looks, for what is drawn here and not by Streamlit."""

from pathlib import Path

import streamlit as st

# the colours and buttons of what a browser part draws itself; stands before the part's own rules
CONTROLS_CSS = (Path(__file__).parent / "assets" / "controls.css").read_text(encoding="utf-8")


def scheme() -> str:
    """`light` or `dark`."""
    return st.context.theme.type or "light"


def ramps() -> tuple[list[str], list[str]]:
    """The theme's colours of magnitudes, and of differences around zero."""
    sequential: list[str] = st.get_option(f"theme.{scheme()}.chartSequentialColors")
    diverging: list[str] = st.get_option(f"theme.{scheme()}.chartDivergingColors")
    return sequential, diverging
