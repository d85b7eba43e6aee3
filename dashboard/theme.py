"""The theme of who looks, for what is drawn here and not by Streamlit."""

import streamlit as st


def scheme() -> str:
    """`light` or `dark`."""
    return st.context.theme.type or "light"


def ramps() -> tuple[list[str], list[str]]:
    """The theme's colours of magnitudes, and of differences around zero."""
    sequential: list[str] = st.get_option(f"theme.{scheme()}.chartSequentialColors")
    diverging: list[str] = st.get_option(f"theme.{scheme()}.chartDivergingColors")
    return sequential, diverging
