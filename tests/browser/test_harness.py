"""The browser tests' own tools: what they watch for, they notice."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser import find_browser as finder
from tests.browser.find_browser import NoBrowserError, find_browser, install_browser
from tests.browser.harness import Server, Watch, end_group, open_page, run_server, wait_until_drawn

APP = """
import os
import streamlit as st

st.title("Runs of " + os.environ["FER_RUNS_DIR"])
if "broken" in st.query_params:
    raise ValueError("this page is broken")
st.write("Appearance: " + str(st.context.theme.type))
"""
NOSY = '<img src="http://outside.invalid/a.png">'


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dashboard of three lines."""
    path = tmp_path_factory.mktemp("app") / "app.py"
    path.write_text(APP)
    return path


@pytest.fixture
def server(serve: Callable[..., Server], app: Path) -> Server:
    return serve(Path("some-folder"), app)


def test_a_page_is_drawn_from_the_given_runs_and_leaves_the_machine_alone(page: Page) -> None:
    expect(page.get_by_role("heading", name="Runs of some-folder")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_has_the_width_and_the_appearance_that_were_asked_for(
    browse: Callable[..., Page], server: Server, scheme: str
) -> None:
    page = browse(server.url, width=420, colour_scheme=scheme)
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    background = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert page.viewport_size == {"width": 420, "height": 900}
    assert (dark, background) == ((True, "rgb(16, 17, 20)") if scheme == "dark" else (False, "rgb(255, 255, 255)"))


def test_a_request_that_leaves_the_machine_is_noticed(page: Page, watch: Watch) -> None:
    with page.expect_event("requestfailed"):
        page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", NOSY)
    assert watch.outside == ["http://outside.invalid/a.png"]
    assert [problem.split(":")[0] for problem in watch.problems()] == [
        "a request left the machine",
        "a request failed",
    ]
    watch.outside.clear()
    watch.failed.clear()


def test_a_complaint_and_a_missing_file_are_noticed(page: Page, server: Server, watch: Watch) -> None:
    with page.expect_event("console"):
        page.evaluate("console.error('something is wrong')")
    with page.expect_event("response"):
        page.evaluate("fetch('/media/missing.png')")
    assert watch.errors == ["something is wrong"]
    assert watch.failed == [f"{server.url}/media/missing.png (status 404)"]
    watch.errors.clear()
    watch.failed.clear()


def show(page: Page, picture: str) -> None:
    page.evaluate(f"document.body.insertAdjacentHTML('beforeend', '<img src=\"/media/{picture}.png\">')")


def test_a_missing_picture_is_forgotten_once_the_page_shows_it_no_more(page: Page, watch: Watch) -> None:
    for picture in ("kept", "replaced"):
        with page.expect_response(f"**/media/{picture}.png"):
            show(page, picture)
    page.evaluate("document.querySelector('[src*=replaced]').remove()")
    wait_until_drawn(page)
    page.evaluate("document.querySelector('[src*=kept]').remove()")  # it was broken as long as it was there
    wait_until_drawn(page)
    (problem,) = watch.problems()
    assert problem.endswith("/media/kept.png (status 404)")
    watch.failed.clear()


def test_what_another_page_shows_is_its_own(browse: Callable[..., Page], server: Server, watch: Watch) -> None:
    first, second = browse(server.url), browse(server.url)
    with first.expect_response("**/media/missing.png"):
        show(first, "missing")
    wait_until_drawn(second)
    wait_until_drawn(first)
    assert len(watch.problems()) == 1
    watch.failed.clear()


def test_a_page_is_drawn_only_when_its_pictures_have_come(page: Page) -> None:
    answers: list[Route] = []
    page.route("**/media/late.png", lambda route: answers.append(route))
    with page.expect_request("**/media/late.png"):
        show(page, "late")
    with pytest.raises(TimeoutError, match=r"late\.png has not come within 5 s"):
        wait_until_drawn(page, seconds=5)
    answers[0].fulfill(status=200, content_type="image/png")
    wait_until_drawn(page)


def test_a_traceback_on_the_page_is_noticed(shared_browser: BrowserContext, server: Server) -> None:
    watch = Watch()
    with open_page(shared_browser, f"{server.url}/?broken=1", watch, width=1440, colour_scheme="light"):
        assert watch.problems() == []
    (problem,) = watch.problems()
    assert problem.startswith("the page says: exception on")
    assert problem.endswith("ValueError: this page is broken")


def test_a_server_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with code \d+:\n(.|\n)*missing.py"):
        run_server(tmp_path, app=tmp_path / "missing.py").__enter__()


def test_the_server_ends_with_all_that_it_started() -> None:
    stubborn_child = '(trap "" TERM; echo ready; exec sleep 60) & wait'
    process = subprocess.Popen(["sh", "-c", stubborn_child], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == b"ready\n"
        end_group(process)
        assert output.read() == b""  # its end comes when nobody is left who could write


def test_the_given_browser_is_taken_before_all_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = executable(tmp_path / "my-browser", "exit 0")
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert find_browser() == mine
    executable(mine, "exit 1")
    with pytest.raises(NoBrowserError, match="does not start; unset it, or set it"):
        find_browser()


def test_a_stub_that_does_not_start_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executable(tmp_path / "chromium", "echo this is only a stub; exit 1")
    chrome = executable(tmp_path / "google-chrome", "exit 0")
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() == chrome


def test_the_ways_to_a_browser_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new = tmp_path / "chromium"
    executable(tmp_path / "playwright-fails", "exit 1")
    executable(tmp_path / "package-works", f"printf '#!/bin/sh\\n' > {new}; /bin/chmod +x {new}")
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(finder, "download", lambda: [["playwright-fails"]])
    monkeypatch.setattr(finder, "libraries", lambda: [])
    monkeypatch.setattr(finder, "debian_package", lambda: [["package-works"]])
    monkeypatch.setattr(finder, "playwright_path", lambda: tmp_path / "absent")
    assert install_browser() == new


def test_where_no_way_works_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for way in ("download", "libraries", "debian_package"):
        monkeypatch.setattr(finder, way, lambda: [["no-such-command"]])
    monkeypatch.setattr(finder, "playwright_path", lambda: tmp_path / "absent")
    with pytest.raises(SystemExit, match="^error: no Chromium was found and none could be installed; install") as end:
        finder.main()
    assert "\n" not in str(end.value)


def executable(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path
