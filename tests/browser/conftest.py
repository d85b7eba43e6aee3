"""A served dashboard and a Chromium for every test in this folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, sync_playwright

from tests.browser.harness import APP, PROJECT_ROOT, Server, Watch, open_browser, run_server, wait_until_drawn

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
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """`serve(runs)` gives the dashboard on a folder of runs; one server per folder and app is shared by all tests."""
    with ExitStack() as stack:
        servers: dict[tuple[Path, Path], Server] = {}

        def start(runs: Path, app: Path = APP) -> Server:
            if (runs, app) not in servers:
                folder = tmp_path_factory.mktemp("server")
                environment = {"FER_RUNS_DIR": str(runs)}
                servers[runs, app] = stack.enter_context(run_server(folder, app=app, environment=environment))
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

    A test that provokes a failure on purpose empties the list in question.
    """
    seen = Watch()
    yield seen
    assert seen.problems() == []


@pytest.fixture
def browse(playwright_driver: Playwright, watch: Watch, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """`browse(url, width=420, colour_scheme="dark", …)` opens a watched page in a new Chromium and waits for it.

    The keywords are those of `open_browser`.
    """
    with ExitStack() as stack:
        opened = 0

        def browse_to(url: str, **options: object) -> Page:
            nonlocal opened
            opened += 1
            profile = tmp_path / f"profile-{opened}"
            context = stack.enter_context(open_browser(playwright_driver, profile, **options))  # type: ignore[arg-type]
            context.on("page", watch.attach)
            page = context.pages[0]
            watch.attach(page)
            page.goto(url)
            wait_until_drawn(page)
            return page

        yield browse_to


@pytest.fixture
def page(browse: Callable[..., Page], server: Server) -> Page:
    """The dashboard's first page, drawn, 1440 pixels wide, light."""
    return browse(server.url)
