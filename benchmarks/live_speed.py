"""How fast the live camera is: Chromium without a screen, a camera of 640 × 480 that shows a clip with one face.

    python -m benchmarks.live_speed [--run RUN] [--second RUN] [--seconds 10] [--faces 1]

First the camera alone, shown on a page that looks at no frame: what this machine could give at most just now. Then,
for each run (and for the pair, if --second is given): milliseconds from the page's script to the first frame that was
looked at, frames/s with detection, the median from a frame's arrival to its boxes, what finding and reading take, and
the processor time of the browser for each frame, which a busy machine changes least.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.camera import HEIGHT, WIDTH, best_shipped, camera_options, faces_picture, write_clip
from tests.browser.harness import Watch, open_browser, open_page, run_server

DEFAULT_RUNS = ("mini_xception__raw__fer2013-official__s0__eafaf933", best_shipped("se_resnet"))
SETTLE_S = 5
PATIENCE = 120_000  # milliseconds: a run may have to be exported first
READ_DATASET = "camera => ({ ...camera.dataset })"
SHOW_CAMERA = """async ([width, height]) => {
  const video = Object.assign(document.createElement("video"), { muted: true })
  document.body.replaceChildren(video)
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate: 30 } })
  await video.play()
  window.frames_shown = 0
  const count = () => (window.frames_shown++, video.requestVideoFrameCallback(count))
  video.requestVideoFrameCallback(count)
}"""


def figures(page: Page) -> dict[str, float]:
    """The numbers that the component writes on its element."""
    found = page.locator(".live").evaluate(READ_DATASET)
    return {name: float(value) for name, value in found.items() if name != "state"}


def browser_seconds(profile: Path) -> float:
    """Processor time of the Chromium that uses `profile`, and of its children, in seconds."""
    total = 0.0
    for process in psutil.process_iter(["cmdline"]):
        if f"--user-data-dir={profile}" in (process.info["cmdline"] or []):
            family = [process, *process.children(recursive=True)]
            total = sum(sum(each.cpu_times()[:2]) for each in family)
            break
    return total


def measure_camera(context: BrowserContext, profile: Path, url: str, seconds: float) -> None:
    """Show the camera on an empty page of the same server, and print one line."""
    page = context.new_page()
    page.goto(url)
    page.evaluate(SHOW_CAMERA, [WIDTH, HEIGHT])
    time.sleep(SETTLE_S)
    before, started, spent = page.evaluate("frames_shown"), time.perf_counter(), browser_seconds(profile)
    time.sleep(seconds)
    frames, passed = page.evaluate("frames_shown") - before, time.perf_counter() - started
    per_frame = 1000 * (browser_seconds(profile) - spent) / max(1, frames)
    print(f"the camera alone   {frames / passed:5.1f} frames/s   processors {per_frame:5.1f} ms")
    page.close()


def measure(context: BrowserContext, profile: Path, url: str, seconds: float) -> None:
    """Open the page, let it settle, and print one line."""
    with open_page(context, url, Watch(), width=1440, colour_scheme="light") as page:
        page.wait_for_selector(".live[data-ready][data-latency]", timeout=PATIENCE)
        page.reload()  # the first opening may have exported the run
        page.wait_for_selector(".live[data-ready][data-latency]", timeout=PATIENCE)
        time.sleep(SETTLE_S)
        before, started, spent = figures(page), time.perf_counter(), browser_seconds(profile)
        time.sleep(seconds)
        after, passed = figures(page), time.perf_counter() - started
        frames = after["frames"] - before["frames"]
        per_frame = 1000 * (browser_seconds(profile) - spent) / max(1, frames)
        print(
            f"  ready {after['ready']:5.0f} ms   {frames / passed:5.1f} frames/s   box {after['latency']:5.1f} ms   "
            f"find {after['find']:5.1f} ms   read {after.get('read', 0):5.1f} ms   processors {per_frame:5.1f} ms"
        )


def main() -> None:
    """Print the speed of each run, and of two together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="append", default=[], help="a run, once for each")
    parser.add_argument("--second", default="", help="a second run, read beside each")
    parser.add_argument("--seconds", type=float, default=10, help="how long each is measured")
    parser.add_argument("--faces", type=int, default=1, help="faces in the picture")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver, run_server(Path(name)) as server:
        options = camera_options(write_clip(Path(name) / "clip.y4m", faces_picture(arguments.faces)))
        profile = Path(name) / "profile"
        with open_browser(driver, profile, **options) as context:
            measure_camera(context, profile, f"{server.url}/_stcore/health", arguments.seconds)
            for run in arguments.run or DEFAULT_RUNS:
                second = f"&second={arguments.second}" if arguments.second else ""
                print(f"{run}{' and ' + arguments.second if second else ''}, {arguments.faces} in the picture")
                measure(context, profile, f"{server.url}/live?run={run}{second}", arguments.seconds)
                print(f"  load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
