"""Cards in pages, of which the link holds the number."""

from collections.abc import Hashable

import streamlit as st

from dashboard.formats import count
from dashboard.linked import LINKED, linked_notice


def page_of(number: int, per_page: int, key: str, what: Hashable) -> slice:
    """Which of `number` things are shown: the page that the link says, and the first again where `what` has changed."""
    pages = max(1, -(-number // per_page))
    if key not in st.session_state:
        linked_notice(key, (), lambda value: value.isdecimal() and 1 <= int(value) <= pages)
    seen = f"{key}_of"
    if st.session_state.get(seen, what) != what:
        st.session_state[key] = 1
    st.session_state[seen] = what
    linked = st.query_params.get(key, "1")
    page = int(st.session_state.get(key, linked if linked.isdecimal() else 1))
    if not 1 <= page <= pages:
        page = st.session_state[key] = 1
    return slice((page - 1) * per_page, min(page * per_page, number))


def pager(shown: slice, number: int, per_page: int, key: str) -> None:
    """The way to the other pages; stands after what is shown, in a horizontal container."""
    if number > per_page:
        st.pagination(-(-number // per_page), key=key, bind=LINKED)
    st.caption(f"{count(shown.start + 1)} to {count(shown.stop)} of {count(number)}", width="content")
