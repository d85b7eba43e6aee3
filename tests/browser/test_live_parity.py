"""The live camera's answers: in the browser as in Python, and on the server as in the browser."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from playwright.sync_api import Page
from skimage.data import astronaut, lfw_subset

from dashboard.live.assets import VENDOR, address, is_installed, published_scripts, vendor_version
from dashboard.live.blazeface import BlazeFace
from dashboard.live.exports import exported
from dashboard.summaries import RunShelf, RunSummary, find
from fer_core.export.graph import to_onnx
from fer_core.inference import FaceBox, Predictor, get_detector
from fer_core.inference.boxes import crop_face
from fer_core.runs import RunStore
from tests.browser.camera import best_shipped, faces_picture
from tests.browser.harness import PROJECT_ROOT, Server
from tests.dashboard.runs import make_run

FIRST, SECOND = "mini_xception__raw__fer2013-official__s0__eafaf933", best_shipped("se_resnet")
PIPELINES = ("gcn", "hist_eq", "median", "gaussian", "clahe", "local_norm", "gcn+hist_eq")
SHARPER = 200  # an untrained network's weights times this: its probabilities then differ from face to face

pytestmark = pytest.mark.skipif(not is_installed(), reason="the browser's part is missing: `make camera` installs it")


@pytest.fixture(scope="module")
def shipped() -> list[RunSummary]:
    return RunShelf().read(RunStore(PROJECT_ROOT / "runs"))


def chosen(shipped: list[RunSummary], name: str) -> RunSummary:
    run = find(shipped, name)
    assert run is not None
    return run


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


READ = f"""async (data) => {{ {UNPACK}
  const networks = await import(`${{data.scripts}}/networks.js`)
  window.ort ??= await networks.loadRuntime(vendor)
  window.sessions ??= {{}}
  const bytes = () => Uint8Array.from(atob(data.network), (each) => each.charCodeAt(0))
  const url = data.url ? new URL(data.url, location.href).href : URL.createObjectURL(new Blob([bytes()]))
  const session = (window.sessions[data.name] ??= await networks.loadNetwork(window.ort, url))
  return networks.read(window.ort, {{ session, size: 48 }}, unpack(data.picture), data.boxes) }}"""


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
        given = {"name": name, "url": address(exported(run)).replace("+", "%2B"), "picture": packed(picture)}
        read = page.evaluate(READ, {**places, **given, "boxes": [box.to_json() for box in wanted]})
        here = np.array([list(each.probabilities.values()) for each in predictor.predict(picture, wanted)])
        differences.append(np.abs(np.array(read) - here).max(axis=1))
        agreed.append(np.array(read).argmax(axis=1) == here.argmax(axis=1))
    assert len(np.concatenate(agreed)) == 200
    assert np.concatenate(agreed).mean() >= 0.99
    assert np.concatenate(differences).max() <= 0.02


def test_every_pipeline_gives_in_the_browser_what_it_gives_in_python(
    browse: Callable[..., Page], server: Server, places: dict[str, str], tmp_path: Path
) -> None:
    page, store = browse(f"{server.url}/papers"), RunStore(tmp_path / "runs")
    picture, wanted = photos()[3], boxes(3, np.random.default_rng(2))
    for pipeline in PIPELINES:
        predictor = Predictor.from_run(make_run(store, "linear", pipeline, weights=True))
        with torch.no_grad():
            for weights in predictor.model.parameters():
                weights.mul_(SHARPER)
        network = base64.b64encode(to_onnx(predictor).SerializeToString()).decode()
        given = {"name": pipeline, "network": network, "picture": packed(picture)}
        read = np.array(page.evaluate(READ, {**places, **given, "boxes": [box.to_json() for box in wanted]}))
        here = np.array([list(each.probabilities.values()) for each in predictor.predict(picture, wanted)])
        assert here.std(axis=0).max() > 0.05, f"{pipeline}: the faces must be told apart"
        assert np.abs(read - here).max() <= 0.02, pipeline
        assert (read.argmax(axis=1) == here.argmax(axis=1)).mean() >= 0.99, pipeline


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
    on_the_server = BlazeFace(VENDOR / "detector.onnx")
    for picture, there in zip(pictures, found, strict=True):
        here = on_the_server.detect(picture)
        assert len(here) == len(there)
        assert all(overlap(box, other) > 0.9 for box, other in zip(here, there, strict=True))
    for number in (0, 4):
        (cascade,), (there,) = get_detector().detect(pictures[number]), found[number]
        assert overlap(cascade, there) > 0.7


def overlap(here: FaceBox, there: dict[str, float]) -> float:
    """Intersection over union."""
    right, bottom = there["x"] + there["width"], there["y"] + there["height"]
    width = min(here.x + here.width, right) - max(here.x, there["x"])
    height = min(here.y + here.height, bottom) - max(here.y, there["y"])
    both = max(0, width) * max(0, height)
    return both / (here.area + there["width"] * there["height"] - both)
