"""The live camera where the server reads the frames: asked for, offered, told, and given back."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect

from fer_core.runs import RunStore
from tests.browser.camera import camera_options, faces_picture, figure, wait_for_frames, write_clip
from tests.browser.harness import PATIENCE, Server
from tests.dashboard.runs import make_run

MOST_BYTES = 200_000
Browse = Callable[..., Page]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera shows: two faces, the left one larger."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.y4m", faces_picture(2))


@pytest.fixture(scope="module")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One run whose first step searches with OpenCV's cascade, and so has no ONNX form, and one that has."""
    folder = tmp_path_factory.mktemp("runs")
    store = RunStore(folder)
    make_run(store, architecture="linear", preprocessing="face_crop", weights=True, accuracy=0.5)
    make_run(store, architecture="linear", preprocessing="raw", weights=True, accuracy=0.4)
    return folder


class Frames:
    """What a page sends over the camera's socket, and what it hears."""

    def __init__(self, page: Page) -> None:
        self.opened = 0
        self.closed = 0
        self.sent: list[int] = []
        self.answers: list[dict[str, object]] = []
        page.on("websocket", self._note)

    def _note(self, socket: WebSocket) -> None:
        if not socket.url.endswith("/fer/live"):
            return
        self.opened += 1
        socket.on("framesent", lambda sent: self.sent.append(len(sent)))
        socket.on("framereceived", lambda heard: self.answers.append(json.loads(heard)))
        socket.on("close", lambda _: self._close())

    def _close(self) -> None:
        self.closed += 1


def start(page: Page, *, faces: int = 2) -> None:
    page.get_by_role("button", name="Start camera").click(timeout=PATIENCE)
    expect(page.locator(".live")).to_have_attribute("data-state", "running", timeout=PATIENCE)
    expect(page.locator(".live")).to_have_attribute("data-faces", str(faces), timeout=PATIENCE)


def test_a_run_without_an_onnx_form_is_read_by_the_server_after_a_click(
    browse: Browse, server: Server, clip: Path
) -> None:
    page = browse(f"{server.url}/papers", **camera_options(clip))
    frames = Frames(page)
    page.goto(f"{server.url}/live?run=linear__face_crop&second=linear__raw")
    live = page.locator(".live")
    expect(live.locator(".sentence")).to_contain_text("then its frames go to the server", timeout=PATIENCE)
    expect(page.get_by_text("Frames go to the computer that runs this dashboard")).to_be_visible()
    expect(page.get_by_role("radio", name="Live on the server")).to_be_checked()
    expect(page.get_by_role("radio", name="Live", exact=True)).to_have_count(0)
    assert frames.opened == 0, "nothing is sent before the camera is started"
    start(page)
    expect(live).to_have_attribute("data-runs", "2", timeout=PATIENCE)
    expect(page.locator(".verdict").first).to_contain_text("%", timeout=PATIENCE)
    wait_for_frames(page, 5)
    assert frames.opened == 1
    assert max(frames.sent) <= MOST_BYTES
    answers = [each for each in frames.answers if each["kind"] == "answer"]
    assert len(frames.sent) - 1 <= len(answers) + 1, "the next frame waits for the answer"
    page.get_by_role("button", name="Pause").click()
    before = figure(page, "frames")
    page.wait_for_timeout(500)
    assert figure(page, "frames") <= before + 1
    page.get_by_role("button", name="Resume").click()
    wait_for_frames(page, 2)
    page.get_by_role("button", name="Stop").click()
    page.wait_for_timeout(300)
    assert frames.closed == 1, "another viewer may have the seat"


def test_without_webassembly_the_page_offers_the_server(browse: Browse, server: Server, clip: Path) -> None:
    page = browse(f"{server.url}/papers", **camera_options(clip))
    page.context.add_init_script("Object.defineProperty(window, 'WebAssembly', { value: undefined })")
    page.goto(f"{server.url}/live?run=linear__raw")
    expect(page.locator(".live .sentence")).to_contain_text("runs no WebAssembly", timeout=PATIENCE)
    page.get_by_role("button", name="Let the server read the frames").click()
    expect(page.get_by_text("Frames go to the computer that runs this dashboard")).to_be_visible(timeout=PATIENCE)
    page.wait_for_url("**read=Live+on+the+server**")
    start(page)
    wait_for_frames(page, 3)


def test_another_way_stops_the_camera_so_that_no_frame_goes_to_the_server_unasked(
    browse: Browse, server: Server, clip: Path
) -> None:
    page = browse(f"{server.url}/papers", **camera_options(clip))
    frames = Frames(page)
    page.goto(f"{server.url}/live?run=linear__raw&read=Live+on+the+server")
    start(page)
    page.get_by_role("radio", name="Snapshot").click()
    expect(page.locator(".live")).to_have_count(0, timeout=PATIENCE)
    page.get_by_role("radio", name="Live on the server").click()
    expect(page.locator(".live")).to_have_attribute("data-state", "idle", timeout=PATIENCE)
    assert (frames.opened, frames.closed) == (1, 1)
    assert page.locator(".live video").evaluate("video => video.srcObject") is None


def test_what_the_server_refuses_is_said(browse: Browse, server: Server, clip: Path) -> None:
    page = browse(f"{server.url}/papers", **camera_options(clip))
    page.context.add_init_script("""
        window.WebSocket = class extends WebSocket {
          send(content) {
            super.send(this.url.endsWith("/fer/live") ? "a guess" : content)
          }
        }""")
    page.goto(f"{server.url}/live?run=linear__raw&read=Live+on+the+server")
    page.get_by_role("button", name="Start camera").click(timeout=PATIENCE)
    expect(page.locator(".live .sentence")).to_have_text(
        "The server has started anew: load the page again.", timeout=PATIENCE
    )
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()
