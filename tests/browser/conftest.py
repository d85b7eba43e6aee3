"""A served dashboard and a watched Chromium for every test in this folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from tests.browser.harness import (
    APP,
    PROJECT_ROOT,
    ColourScheme,
    Server,
    Watch,
    open_browser,
    open_page,
    run_server,
)

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def shared_browser(playwright_driver: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """One Chromium for all tests that need nothing special: it parses Streamlit's scripts only once."""
    with open_browser(playwright_driver, tmp_path_factory.mktemp("profile")) as context:
        yield context


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """`serve(runs)` gives the dashboard on a folder of runs; all tests share one server per folder and app."""
    with ExitStack() as stack:
        servers: dict[tuple[Path, Path], Server] = {}

        def start(runs: Path, app: Path = APP) -> Server:
            if (runs, app) not in servers:
                log_folder = tmp_path_factory.mktemp("server")
                environment = {"FER_RUNS_DIR": str(runs)}
                servers[runs, app] = stack.enter_context(run_server(log_folder, app=app, environment=environment))
            return servers[runs, app]

        yield start


@pytest.fixture
def runs_folder() -> Path:
    """The runs that the server shows: the shipped ones; a test that writes overrides this with its own."""
    return PROJECT_ROOT / "runs"


@pytest.fixture
def server(serve: Callable[..., Server], runs_folder: Path) -> Server:
    """The dashboard, served on `runs_folder`."""
    return serve(runs_folder)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the test's pages asked for; the test fails if anything failed or left the machine.

    A test that provokes a failure on purpose checks the list in question and clears it.
    """
    seen = Watch()
    yield seen
    assert seen.problems() == []


@pytest.fixture
def browse(
    playwright_driver: Playwright, shared_browser: BrowserContext, watch: Watch, tmp_path: Path
) -> Iterator[Callable[..., Page]]:
    """`browse(url, width=420, colour_scheme="dark")` opens a watched page and waits until it is drawn.

    More keywords (`permissions`, `arguments`: see `open_browser`) give the page a Chromium of its own.
    """
    with ExitStack() as stack:

        def open_drawn(
            url: str, *, width: int = 1440, height: int = 900, colour_scheme: ColourScheme = "light", **options: Any
        ) -> Page:
            context = shared_browser
            if options:
                context = stack.enter_context(open_browser(playwright_driver, tmp_path / "profile", **options))
            return stack.enter_context(
                open_page(context, url, watch, width=width, height=height, colour_scheme=colour_scheme)
            )

        yield open_drawn


@pytest.fixture
def page(browse: Callable[..., Page], server: Server) -> Page:
    """The dashboard's first page, drawn, 1440 pixels wide, light."""
    return browse(server.url)
