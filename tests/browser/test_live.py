"""The live camera in a real browser: it reads faces there, sends nothing, and says what is wrong where it cannot."""

import base64
import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, WebSocket, expect
from skimage.data import astronaut, lfw_subset

from dashboard.live import is_installed
from dashboard.live.assets import VENDOR, address, published_scripts, vendor_version
from dashboard.live.exports import exported
from dashboard.summaries import RunShelf, RunSummary, find
from fer_core.inference import FaceBox, Predictor, get_detector
from fer_core.inference.boxes import crop_face
from fer_core.runs import RunStore
from tests.browser.camera import camera_options, faces_picture, write_clip
from tests.browser.harness import PATIENCE, PROJECT_ROOT, Server, Watch

FIRST, SECOND = "mini_xception__raw__fer2013-official", "se_resnet__raw__fer2013-official"

pytestmark = pytest.mark.skipif(not is_installed(), reason="the browser's part is missing: `make camera` installs it")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera shows: two faces, the left one larger."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.y4m", faces_picture(2))


@pytest.fixture(scope="module")
def shipped() -> list[RunSummary]:
    return RunShelf().read(RunStore(PROJECT_ROOT / "runs"))


def chosen(shipped: list[RunSummary], name: str) -> RunSummary:
    run = find(shipped, name)
    assert run is not None
    return run


def figure(page: Page, name: str) -> float:
    """A number that the component writes on its element."""
    return float(page.locator(".live").get_attribute(f"data-{name}", timeout=PATIENCE) or "nan")


def wait_for_frames(page: Page, count: int) -> None:
    """Return when `count` more frames were looked at."""
    wanted = figure(page, "frames") + count
    page.wait_for_function(
        "wanted => [...document.querySelectorAll('*')].some("
        "each => Number(each.shadowRoot?.querySelector('.live')?.dataset.frames) >= wanted)",
        arg=wanted,
        timeout=PATIENCE,
    )


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


# --- the same answers as in Python ---


def photos() -> list[np.ndarray]:
    """RGB pictures with real faces: the astronaut, and 100 faces of LFW in sizes from 30 to 150 pixels."""
    faces = (lfw_subset()[:100] * 255).round().astype(np.uint8)
    pictures = [faces_picture(1)]
    for start, side in ((0, 30), (25, 60), (50, 96), (75, 150)):
        picture = np.full((480, 640, 3), 127, np.uint8)
        for number, face in enumerate(faces[start : start + 25]):
            row, column = divmod(number, 640 // side)
            if (row + 1) * side <= 480:
                large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
                picture[row * side : (row + 1) * side, column * side : (column + 1) * side] = large[..., None]
        pictures.append(picture)
    return pictures


def boxes(picture: int, random: np.random.Generator) -> list[FaceBox]:
    """40 boxes around faces, some of which reach over the picture's edge."""
    if picture == 0:
        found = get_detector().detect(faces_picture(1))[0]
        near = [(found.x, found.y, found.width)] * 40
    else:
        side = (30, 60, 96, 150)[picture - 1]
        near = [(number % (640 // side) * side, number // (640 // side) * side, side) for number in range(12)] * 4
    moved = []
    for x, y, side in near[:40]:
        dx, dy, scale = random.integers(-side // 6, side // 6 + 1, 2), 0, random.uniform(0.8, 1.3)
        moved.append(FaceBox(int(x + dx[0]), int(y + dx[1] + dy), max(8, round(side * scale)), max(8, round(side))))
    return moved


def packed(picture: np.ndarray) -> dict[str, Any]:
    """A picture as the scripts take it, its RGBA bytes as text."""
    height, width = picture.shape[:2]
    rgba = np.dstack([picture, np.full((height, width), 255, np.uint8)])
    return {"pixels": base64.b64encode(rgba.tobytes()).decode(), "width": width, "height": height}


UNPACK = """
const unpack = ({ pixels, width, height }) =>
  ({ pixels: Uint8ClampedArray.from(atob(pixels), (each) => each.charCodeAt(0)), width, height })
const vendor = (name) => `${data.vendor}/${name}?v=${data.version}`
"""


@pytest.fixture(scope="module")
def places() -> dict[str, str]:
    return {"scripts": address(published_scripts()), "vendor": address(VENDOR), "version": vendor_version()}


def test_faces_are_cropped_as_in_python(browse: Callable[..., Page], server: Server, places: dict[str, str]) -> None:
    page = browse(f"{server.url}/papers")
    random = np.random.default_rng(0)
    for number, picture in enumerate(photos()):
        wanted = boxes(number, random)
        crops = page.evaluate(
            f"async (data) => {{ {UNPACK} const {{ cropFace }} = await import(`${{data.scripts}}/pixels.js`)\n"
            "const picture = unpack(data.picture)\n"
            "return data.boxes.map((box) => [...cropFace(picture, box, 48)]) }",
            {**places, "picture": packed(picture), "boxes": [box.to_json() for box in wanted]},
        )
        expected = np.stack([crop_face(picture, box, 48) for box in wanted]).astype(int)
        difference = np.abs(np.array(crops).reshape(-1, 48, 48) - expected)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_networks_read_what_they_read_in_python(
    browse: Callable[..., Page], server: Server, places: dict[str, str], shipped: list[RunSummary], name: str
) -> None:
    run = chosen(shipped, name)
    page = browse(f"{server.url}/papers")
    random, predictor = np.random.default_rng(1), Predictor.from_run(run.path)
    differences, agreed = [], []
    for number, picture in enumerate(photos()):
        wanted = boxes(number, random)
        read = page.evaluate(
            f"""async (data) => {{ {UNPACK}
            const networks = await import(`${{data.scripts}}/networks.js`)
            window.ort ??= await networks.loadRuntime(vendor)
            window.session ??= await networks.loadNetwork(window.ort, new URL(data.url, location.href).href)
            const run = {{ session: window.session, size: 48 }}
            return networks.read(window.ort, run, unpack(data.picture), data.boxes) }}""",
            {
                **places,
                "picture": packed(picture),
                "url": address(exported(run)).replace("+", "%2B"),
                "boxes": [box.to_json() for box in wanted],
            },
        )
        here = np.array([list(each.probabilities.values()) for each in predictor.predict(picture, wanted)])
        differences.append(np.abs(np.array(read) - here).max(axis=1))
        agreed.append(np.array(read).argmax(axis=1) == here.argmax(axis=1))
    assert len(np.concatenate(agreed)) == 200
    assert np.concatenate(agreed).mean() >= 0.99
    assert np.concatenate(differences).max() <= 0.02


def test_the_detector_finds_every_face_where_opencv_does_and_none_on_a_wall(
    browse: Callable[..., Page], server: Server, places: dict[str, str]
) -> None:
    page = browse(f"{server.url}/papers")
    wall = np.random.default_rng(0).integers(100, 140, (480, 640, 3)).astype(np.uint8)
    pictures = [faces_picture(1), faces_picture(2), faces_picture(3), wall, astronaut()]
    found = page.evaluate(
        f"""async (data) => {{ {UNPACK}
        const {{ loadRuntime, loadNetwork }} = await import(`${{data.scripts}}/networks.js`)
        const {{ detect }} = await import(`${{data.scripts}}/detector.js`)
        const ort = await loadRuntime(vendor)
        const session = await loadNetwork(ort, new URL(vendor("detector.onnx"), location.href).href)
        const found = []
        for (const picture of data.pictures) found.push(await detect(ort, session, unpack(picture)))
        return found }}""",
        {**places, "pictures": [packed(picture) for picture in pictures]},
    )
    assert [len(faces) for faces in found] == [1, 2, 3, 0, 1]
    for number in (0, 4):
        (here,), (there,) = get_detector().detect(pictures[number]), found[number]
        assert overlap(here, there) > 0.7


def overlap(here: FaceBox, there: dict[str, float]) -> float:
    """Intersection over union."""
    right, bottom = there["x"] + there["width"], there["y"] + there["height"]
    width = min(here.x + here.width, right) - max(here.x, there["x"])
    height = min(here.y + here.height, bottom) - max(here.y, there["y"])
    both = max(0, width) * max(0, height)
    return both / (here.area + there["width"] * there["height"] - both)
