"""Opens the dashboard in the browser as its server starts, which Streamlit leaves to an `st.App` itself."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

SECONDS = 0.5  # until the server answers, which is as soon as this module has yielded
EVERYWHERE = ("", "0.0.0.0", "::")


@asynccontextmanager
async def opened_in_browser(app: st.App) -> AsyncIterator[None]:
    """Open the dashboard's address, unless `server.headless` says that nobody sits here."""
    if not st.get_option("server.headless"):
        asyncio.get_running_loop().call_later(SECONDS, webbrowser.open, address())
    yield


def address() -> str:
    """Where the browser of this machine finds the dashboard."""
    host = str(st.get_option("server.address") or "")
    name = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{scheme}://{name}:{st.get_option('server.port')}/{path}"
