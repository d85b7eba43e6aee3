"""A camera that shows a clip of our own, and what the live page says of it: for tests and benchmarks."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Page
from skimage.data import astronaut

from fer_core.runs import Run, RunStore
from tests.browser.harness import PATIENCE, PROJECT_ROOT

WIDTH, HEIGHT, FRAMES = 640, 480, 30
GRAY = 96


def best_shipped(architecture: str) -> str:
    """Name of the shipped run of FER2013 on raw faces, with weights, that is best on the validation split."""

    def validation(run: Run) -> float:
        accuracy: float = run.evaluation()["splits"]["valid"]["accuracy"]
        return accuracy

    kind = f"{architecture}__raw__fer2013-official__"
    runs = [
        run for run in RunStore(PROJECT_ROOT / "runs").list() if run.id.startswith(kind) and run.state == "finished"
    ]
    return max((run for run in runs if run.has_weights()), key=validation).id


def faces_picture(count: int = 1) -> np.ndarray:
    """The astronaut (NASA, public domain; comes with scikit-image): uint8 (480, 640, 3).

    Several are heads side by side, each smaller than the one before.
    """
    picture = np.full((HEIGHT, WIDTH, 3), GRAY, np.uint8)
    if count == 1:
        picture[:, (WIDTH - HEIGHT) // 2 : (WIDTH + HEIGHT) // 2] = _shrunk(astronaut(), HEIGHT)
        return picture
    head, room = astronaut()[:256, 96:352], WIDTH // count
    for place in range(count):
        side = room - 20 * place
        picture[100 : 100 + side, place * room : place * room + side] = _shrunk(head, side)
    return picture


def _shrunk(photo: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)


def write_clip(path: Path, picture: np.ndarray, sway: int = 6) -> Path:
    """Write a second of `picture` that sways by `sway` pixels, as Chromium's fake camera reads it (Y4M)."""
    with path.open("wb") as clip:
        clip.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420mpeg2\n".encode())
        for number in range(FRAMES):
            offset = round(sway * np.sin(2 * np.pi * number / FRAMES))
            frame = np.ascontiguousarray(np.roll(picture, offset, axis=1))
            clip.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path


def camera_options(clip: Path) -> dict[str, Any]:
    """Options of `open_browser` for a Chromium whose camera shows `clip`, and may be used."""
    arguments = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
    )
    return {"arguments": arguments, "permissions": ["camera"]}


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
