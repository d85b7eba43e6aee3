"""The dashboard opens in the browser of whoever sits at the machine, at the address that it is served at."""

import asyncio
from typing import Any

import pytest
import streamlit as st

from dashboard import opening
from tests.dashboard.coroutines import run_apart

OPTIONS = {"server.port": 8501, "server.headless": False, "server.address": "localhost"}


def serve_with(monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    chosen = OPTIONS | {f"server.{name}": value for name, value in options.items()}
    monkeypatch.setattr(st, "get_option", chosen.get)


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({}, "http://localhost:8501/"),
        ({"address": "0.0.0.0", "port": 80}, "http://localhost:80/"),
        ({"address": "::1"}, "http://[::1]:8501/"),
        ({"address": "faces.example", "sslCertFile": "own.pem"}, "https://faces.example:8501/"),
        ({"baseUrlPath": "/faces/"}, "http://localhost:8501/faces"),
    ],
    ids=["as make has it", "all addresses", "IPv6", "HTTPS", "a path"],
)
def test_the_address_is_one_that_this_machine_reaches(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], address: str
) -> None:
    serve_with(monkeypatch, **options)
    assert opening.address() == address


@pytest.mark.parametrize(("headless", "expected"), [(False, ["http://localhost:8501/"]), (True, [])])
def test_it_is_opened_once_unless_nobody_sits_here(
    monkeypatch: pytest.MonkeyPatch, headless: bool, expected: list[str]
) -> None:
    serve_with(monkeypatch, headless=headless)
    monkeypatch.setattr(opening, "SECONDS", 0)
    opened: list[str] = []
    monkeypatch.setattr(opening.webbrowser, "open", opened.append)

    async def start() -> None:
        async with opening.opened_in_browser(st.App(__file__)):
            await asyncio.sleep(0.05)

    run_apart(start())
    assert opened == expected
