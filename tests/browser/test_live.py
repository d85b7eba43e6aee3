"""The live camera in a real browser: it reads faces there, sends nothing, and says what is wrong where it cannot."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Request, WebSocket, expect

from dashboard.live.assets import is_installed
from tests.browser.camera import best_shipped, camera_options, faces_picture, figure, wait_for_frames, write_clip
from tests.browser.harness import PATIENCE, Server, Watch

FIRST, SECOND = "mini_xception__raw__fer2013-official__s0__eafaf933", best_shipped("se_resnet")

pytestmark = pytest.mark.skipif(not is_installed(), reason="the browser's part is missing: `make camera` installs it")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera shows: two faces, the left one larger."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.y4m", faces_picture(2))


def saved(page: Page, button: str) -> bytes:
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_bytes()


def test_two_runs_read_two_faces_and_what_they_read_is_saved(
    browse: Callable[..., Page], server: Server, clip: Path
) -> None:
    page = browse(f"{server.url}/live?run={FIRST}&second={SECOND}", **camera_options(clip))
    live = page.locator(".live")
    expect(live).to_have_attribute("data-state", "running", timeout=PATIENCE)
    expect(live).to_have_attribute("data-faces", "2", timeout=PATIENCE)
    expect(live).to_have_attribute("data-runs", "2", timeout=PATIENCE)
    expect(page.locator(".verdict")).to_have_text([re.compile("happy"), re.compile("happy")], timeout=PATIENCE)
    shares = [float(text.removesuffix(" %")) for text in page.locator(".run").first.locator(".share").all_inner_texts()]
    assert len(shares) == 7
    assert sum(shares) == pytest.approx(100, abs=4)

    page.get_by_role("button", name="Face 2").click()
    expect(page.get_by_role("button", name="Face 2")).to_have_attribute("aria-pressed", "true")

    page.get_by_role("button", name="Record numbers").click()
    wait_for_frames(page, 30)
    page.get_by_role("button", name="End recording").click()
    rows = list(csv.DictReader(io.StringIO(saved(page, "Download CSV").decode())))
    assert {row["face"] for row in rows} == {"1", "2"}
    assert len({row["run"] for row in rows}) == 2
    assert all(sum(float(row[each]) for each in ("angry", "happy", "neutral")) <= 1.001 for row in rows)
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)
    picture = Image.open(io.BytesIO(saved(page, "Save picture")))
    assert picture.size == (640, 480)

    page.get_by_role("button", name="Pause").click()
    before = figure(page, "frames")
    page.wait_for_timeout(500)
    assert figure(page, "frames") <= before + 1, "one may have been on its way"
    page.get_by_role("button", name="Resume").click()
    wait_for_frames(page, 3)
    page.get_by_role("button", name="Mirror").click()
    expect(page.get_by_role("button", name="Mirror")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Stop").click()
    expect(live).to_have_attribute("data-state", "idle")
    assert page.locator(".live video").evaluate("video => video.srcObject") is None


def test_no_frame_is_sent(browse: Callable[..., Page], server: Server, clip: Path) -> None:
    page = browse(f"{server.url}/live?run={FIRST}", **camera_options(clip))
    sent: list[int] = []
    requests: list[str] = []

    def note_socket(socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: sent.append(len(payload)))

    def note_request(request: Request) -> None:
        if not request.url.startswith(("blob:", "data:")):
            requests.append(f"{request.method} {request.url}")

    page.on("websocket", note_socket)
    page.reload()
    expect(page.locator(".live")).to_have_attribute("data-faces", "2", timeout=PATIENCE)
    wait_for_frames(page, 10)
    assert sent, "the page's own socket is watched"
    sent.clear()
    page.on("request", note_request)
    page.get_by_role("button", name="Record numbers").click()
    wait_for_frames(page, 60)
    assert requests == []
    # the page asks for the queue every ten seconds, in a few hundred bytes; one frame would have 1.2 million
    assert len(sent) <= 6
    assert sum(sent) < 6_000


def test_it_is_usable_on_a_phone_in_the_dark(browse: Callable[..., Page], server: Server, clip: Path) -> None:
    page = browse(
        f"{server.url}/live?run={FIRST}&second={SECOND}", width=420, colour_scheme="dark", **camera_options(clip)
    )
    expect(page.locator(".live")).to_have_attribute("data-state", "running", timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    screen = page.locator(".live .screen").bounding_box()
    assert screen is not None
    assert 300 < screen["width"] <= 420
    for name in ("Pause", "Mirror", "Record numbers", "Stop"):
        button = page.get_by_role("button", name=name).bounding_box()
        assert button is not None
        assert button["x"] + button["width"] <= 420


def notice(page: Page) -> str:
    expect(page.locator(".live")).to_have_attribute("data-state", "problem", timeout=PATIENCE)
    return page.locator(".live .sentence").inner_text()


def test_without_a_camera_it_says_so(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/live?run={FIRST}", permissions=["camera"])
    assert notice(page).startswith("No camera was found: connect one")
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()


def test_a_camera_that_is_refused_says_how_to_allow_it(browse: Callable[..., Page], server: Server) -> None:
    page = browse(f"{server.url}/live?run={FIRST}", arguments=("--use-fake-device-for-media-stream",))
    page.get_by_role("button", name="Start camera").click(timeout=PATIENCE)
    assert "allow it in the browser's address bar" in notice(page)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("Object.defineProperty(window, 'isSecureContext', { get: () => false })", "only to pages from localhost"),
        ("Object.defineProperty(window, 'WebAssembly', { value: undefined })", "runs no WebAssembly"),
    ],
    ids=["no secure origin", "no WebAssembly"],
)
def test_what_a_browser_lacks_is_said(
    browse: Callable[..., Page], server: Server, clip: Path, script: str, words: str
) -> None:
    page = browse(f"{server.url}/overview", **camera_options(clip))
    page.context.add_init_script(script)
    page.goto(f"{server.url}/live?run={FIRST}")
    assert words in notice(page)


def test_a_camera_that_goes_away_is_noticed_and_comes_back(
    browse: Callable[..., Page], server: Server, clip: Path
) -> None:
    page = browse(f"{server.url}/overview", **camera_options(clip))
    page.context.add_init_script("""
        const open = MediaDevices.prototype.getUserMedia
        MediaDevices.prototype.getUserMedia = async function (wishes) {
          return (window.opened = await open.call(this, wishes))
        }""")
    page.goto(f"{server.url}/live?run={FIRST}")
    expect(page.locator(".live")).to_have_attribute("data-faces", "2", timeout=PATIENCE)
    page.evaluate("window.opened.getTracks()[0].dispatchEvent(new Event('ended'))")
    assert notice(page).startswith("The camera is gone")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".live")).to_have_attribute("data-state", "running", timeout=PATIENCE)
    wait_for_frames(page, 3)


def test_a_network_that_does_not_load_is_named(
    browse: Callable[..., Page], server: Server, clip: Path, watch: Watch
) -> None:
    page = browse(f"{server.url}/overview", **camera_options(clip))
    page.context.route("**/app/static/exports/**", lambda route: route.abort())
    page.goto(f"{server.url}/live?run={FIRST}")
    expect(page.locator(".live .told")).to_contain_text("could not be loaded", timeout=PATIENCE)
    assert all("/app/static/exports/" in each for each in watch.failed)
    watch.failed.clear()
