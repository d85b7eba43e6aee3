"""A dashboard on a free port, and a Chromium that watches what a page asks for."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    Request,
    Response,
    WebSocket,
    expect,
)
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.find_browser import find_browser

PROJECT_ROOT = Path(__file__).resolve().parents[2]
APP = PROJECT_ROOT / "dashboard" / "app.py"
SERVER_SECONDS = 120
FIRST_LOAD_SECONDS = 120
PATIENCE = 120_000  # milliseconds: the first look at a page loads PyTorch, beside other tests that do the same
REOPEN_MS = 5_000
LOOK_MS = 20
REDRAW_MS = 1_000
expect.set_options(timeout=PATIENCE)
OWN_HOSTS = ("127.0.0.1", "localhost")
ColourScheme = Literal["light", "dark"]
_WATCHES: WeakKeyDictionary[Page, "Watch"] = WeakKeyDictionary()
IS_NOT_SHOWN = "url => ![...document.images].some(image => image.src === url)"

QUIET_CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def run_server(folder: Path, *, app: Path = APP, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Serve `app` on a free port until the block ends; its log goes to `folder`.

    The server and all that it starts in its own process group is ended with the block.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    log = folder / "server.log"
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(app), *arguments],
            cwd=PROJECT_ROOT,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", log, process)
    try:
        wait_for_health(server)
        yield server
    finally:
        end_group(process)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_health(server: Server) -> None:
    """Return as soon as the server says that it is well; raises with its log where it does not."""
    deadline = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    code = server.process.poll()
    state = f"has not answered within {SERVER_SECONDS} s" if code is None else f"ended with code {code}"
    raise RuntimeError(f"the dashboard {state}:\n{server.log.read_text(errors='replace')[-4000:]}")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group: politely, then by force."""
    for how, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            # what the server has started may outlive it: the group gets the second signal in any case


@dataclass
class Watch:
    """What the pages of a browser asked for and complained about."""

    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    coming: dict[Page, set[Request]] = field(default_factory=dict)  # pictures and files that a page waits for
    gone: list[tuple[Page, str]] = field(default_factory=list)  # addresses of pictures that were no longer there

    def attach(self, page: Page) -> None:
        """Watch one page."""
        _WATCHES[page] = self
        coming = self.coming.setdefault(page, set())
        page.on("request", lambda request: coming.add(request) if _is_media(request.url) else None)
        page.on("requestfinished", lambda request: coming.discard(request))
        page.on("requestfailed", lambda request: coming.discard(request))
        page.on("request", self._request)
        page.on("websocket", self._websocket)
        page.on("requestfailed", self._request_failed)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("response", lambda answer: self._response(page, answer))

    def problems(self) -> list[str]:
        """All that must not be, one sentence each."""
        return [
            *(f"a request left the machine: {url}" for url in self.outside),
            *(f"a request failed: {each}" for each in self.failed),
            *(f"the page says: {each}" for each in self.errors),
        ]

    def settle(self, page: Page) -> None:
        """Forget pictures that a page asked for too late: Streamlit drops them with the run that a later one replaces.

        Those that the page still shows a moment later remain as problems.
        """
        for url in [url for of, url in self.gone if of is page]:
            try:
                page.wait_for_function(IS_NOT_SHOWN, arg=url, timeout=REDRAW_MS)
            except PlaywrightTimeout:
                continue
            self.failed = [each for each in self.failed if not each.startswith(f"{url} ")]
            self.errors = [each for each in self.errors if each != f"Client Error: Image source error - {url}"]
        self.gone = [each for each in self.gone if each[0] is not page]

    def _request(self, request: Request) -> None:
        self._note_host(request.url)

    def _websocket(self, socket: WebSocket) -> None:
        self._note_host(socket.url)

    def _note_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in OWN_HOSTS:
            self.outside.append(url)

    def _request_failed(self, request: Request) -> None:
        # a page that is left gives up its requests: that is no failure
        if request.failure and "ERR_ABORTED" not in request.failure:
            self.failed.append(f"{request.url} ({request.failure})")

    def _response(self, page: Page, answer: Response) -> None:
        # on a deep link Streamlit first looks for its server below the page's address, and then above it
        looked_for_server = "/_stcore/" in answer.url and answer.status == 404
        if answer.status >= 400 and not looked_for_server:
            self.failed.append(f"{answer.url} (status {answer.status})")
        if answer.status == 404 and answer.request.resource_type == "image":
            self.gone.append((page, answer.url))

    def _console(self, message: ConsoleMessage) -> None:
        # a failed request is noted where its address and status are known
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)


def _is_media(url: str) -> bool:
    return urlsplit(url).path.startswith("/media/")


@contextlib.contextmanager
def open_browser(
    playwright: Playwright, profile: Path, *, arguments: tuple[str, ...] = (), **options: Any
) -> Iterator[BrowserContext]:
    """A Chromium of its own with an empty `profile`; `arguments` are Chromium's, `options` Playwright's."""
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=find_browser(), headless=True, args=[*QUIET_CHROMIUM, *arguments], **options
    )
    try:
        yield context
    finally:
        context.close()


@contextlib.contextmanager
def open_page(
    context: BrowserContext, url: str, watch: Watch, *, width: int, height: int = 900, colour_scheme: ColourScheme
) -> Iterator[Page]:
    """A watched page, drawn; it leaves nothing in the browser that another page would see."""
    page = context.new_page()
    watch.attach(page)
    page.on("popup", watch.attach)
    page.set_default_timeout(PATIENCE)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=colour_scheme)
    try:
        page.goto(url, timeout=FIRST_LOAD_SECONDS * 1000)
        wait_until_drawn(page)
        yield page
        watch.settle(page)
        watch.errors += [f"exception on {page.url}: {text}" for text in exceptions(page)]
        page.evaluate("localStorage.clear()")
    finally:
        page.close()
        context.clear_cookies()


def exceptions(page: Page) -> list[str]:
    """First line of every traceback that the page shows."""
    return [text.splitlines()[0] for text in page.get_by_test_id("stException").all_inner_texts()]


def wait_until_drawn(page: Page, seconds: float = FIRST_LOAD_SECONDS) -> None:
    """Return when Streamlit has finished its run, shows no skeleton or spinner, and its pictures have come."""
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=seconds * 1000
    )
    for busy in ("stSkeleton", "stSpinner"):
        expect(page.get_by_test_id(busy)).to_have_count(0, timeout=seconds * 1000)
    watch = _WATCHES[page]
    deadline = time.monotonic() + seconds
    while coming := watch.coming[page]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{next(iter(coming)).url} has not come within {seconds} s")
        page.wait_for_timeout(LOOK_MS)
    watch.settle(page)


def pick(page: Page, field: Locator, option: str) -> None:
    """Choose an option of a selection field; a list that a late run of the page closed is opened again."""
    wanted = page.get_by_role("option", name=option, exact=True)
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        wait_until_drawn(page)
        field.get_by_role("combobox").click()
        try:
            wanted.click(timeout=REOPEN_MS)
            return
        except PlaywrightTimeout:
            if time.monotonic() > deadline:
                raise
            page.keyboard.press("Escape")  # so that the next click opens the list, wherever this one went


def click_to(page: Page, target: Locator, url: re.Pattern[str]) -> None:
    """Click until the address says so: a click that falls into a run of the page, which redraws, may be lost."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        wait_until_drawn(page)
        target.click()
        try:
            expect(page).to_have_url(url, timeout=2 * REOPEN_MS)
            return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
