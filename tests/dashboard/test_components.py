"""Errors on a page."""

from streamlit.testing.v1 import AppTest


def script(kind: str) -> None:
    import streamlit as st

    from dashboard.components import errors_shown
    from fer_core.errors import FerError

    with errors_shown():
        if kind == "user":
            raise FerError("run x has no weights; train it again")
        if kind == "ours":
            raise KeyError("splits")
        if kind == "stop":
            st.write("before")
            st.stop()
    st.write("after")


def shown(kind: str) -> AppTest:
    app = AppTest.from_function(script, kwargs={"kind": kind}, default_timeout=60).run()
    assert not app.exception
    return app


def test_an_error_of_the_user_is_its_own_sentence() -> None:
    app = shown("user")
    assert [error.value for error in app.error] == ["Run x has no weights; train it again."]
    assert not app.expander
    assert app.markdown[0].value == "after", "the rest of the page is drawn"


def test_an_unexpected_error_is_one_sentence_with_its_details_folded() -> None:
    app = shown("ours")
    assert len(app.error) == 1
    assert "KeyError" in app.error[0].value
    assert "Traceback" in app.expander[0].code[0].value


def test_a_page_that_stops_is_no_error() -> None:
    app = shown("stop")
    assert not app.error
    assert [each.value for each in app.markdown] == ["before"]
