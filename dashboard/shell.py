"""What stands around every page: the navigation, and at the sidebar's foot what is loaded."""

from pathlib import Path

import streamlit as st

from dashboard import cache
from dashboard.components import errors_shown, sidebar_foot
from dashboard.navigation import START_URL, PageInfo, find_pages, grouped

ICON = Path(__file__).parent / "assets" / "favicon.png"


def draw() -> None:
    """Run the page that the visitor's address names."""
    st.set_page_config(page_title="Facial expressions", page_icon=str(ICON), layout="wide")
    sections = {group: [_as_page(page) for page in pages] for group, pages in grouped(find_pages()).items()}
    start = next(page for pages in sections.values() for page in pages if not page.url_path)

    def open_start() -> None:
        st.switch_page(start, query_params=st.query_params.to_dict())

    # Streamlit serves the page that one starts with at `/` alone; its own address leads there too
    address = st.Page(open_start, title=start.title, url_path=START_URL, visibility="hidden")
    page = st.navigation({**sections, "": [address]}, expanded=True)
    with errors_shown():
        sidebar_foot(cache.runs())
    with errors_shown():
        page.run()


def _as_page(page: PageInfo) -> st.Page:
    """A page as Streamlit's navigation takes it."""
    is_start = page.url == START_URL
    url = "start" if is_start else page.url
    return st.Page(page.path, title=page.title, url_path=url, help=page.help, default=is_start)
