"""How fast the server reads the frames of several viewers' cameras (the live page's second way).

    python -m benchmarks.live_server_speed [--run RUN] [--viewers 1 4 8] [--seconds 10] [--faces 1]

Each viewer sends JPEGs of 640 × 480 pixels over a WebSocket, the next after the answer, at most 30 a second as a camera
has them. Prints for each number of viewers: frames/s of the slowest and of the mean viewer, milliseconds from sending a
frame to its answer (median, and the 90th percentile), the server's processor time for each frame, and how many cores
it took. Machine load is printed beside it, as other work takes from both.
"""

import argparse
import asyncio
import io
import itertools
import json
import logging
import multiprocessing
import os
import socket
import time
from multiprocessing.connection import Connection

import numpy as np
import psutil
from PIL import Image
from websockets.asyncio.client import connect

from tests.browser.camera import faces_picture

CAMERA_S = 1 / 30  # between two frames of a camera
FRAMES = 15  # different ones
SWAY = 6  # pixels
QUALITY = 80
SETTLE_S = 2
DEFAULT_RUN = "mini_xception__raw__fer2013-official__s0__eafaf933"


def serve(listening: socket.socket, run: str, told: Connection) -> None:
    """The route alone, in a process of its own; tells a ticket for `run`."""
    import uvicorn
    from starlette.applications import Starlette

    from dashboard.live.route import routes
    from dashboard.live.tickets import issue
    from dashboard.summaries import RunShelf, find
    from fer_core.runs import RunStore

    logging.disable(logging.WARNING)  # Streamlit's caches work without its server, and warn of that
    chosen = find(RunShelf().read(RunStore()), run)
    told.send(issue([chosen]) if chosen else None)
    uvicorn.Server(uvicorn.Config(Starlette(routes=routes()), log_level="warning")).run([listening])


def frames(faces: int) -> list[bytes]:
    """What a camera shows, as JPEGs."""
    picture, encoded = faces_picture(faces), []
    for number in range(FRAMES):
        moved = np.roll(picture, round(SWAY * np.sin(2 * np.pi * number / FRAMES)), axis=1)
        buffer = io.BytesIO()
        Image.fromarray(moved).save(buffer, "JPEG", quality=QUALITY)
        encoded.append(buffer.getvalue())
    return encoded


async def view(name: str, ticket: str, clip: list[bytes], ready: asyncio.Barrier, seconds: float) -> list[float]:
    """One viewer, for `seconds` after all are `ready` and settled; milliseconds to the answer of each frame."""
    times = []
    async with connect(f"ws://{name}/fer/live", origin=f"http://{name}", proxy=None) as viewer:  # type: ignore[arg-type]
        await viewer.send(ticket)
        assert json.loads(await viewer.recv())["kind"] == "ready"
        await ready.wait()
        start = time.perf_counter() + SETTLE_S
        for frame in itertools.cycle(clip):
            sent = time.perf_counter()
            if sent >= start + seconds:
                return times
            await viewer.send(frame)
            answer = json.loads(await viewer.recv())
            took = time.perf_counter() - sent
            assert answer["kind"] == "answer", answer
            if sent >= start:
                times.append(1000 * took)
            await asyncio.sleep(max(0.0, CAMERA_S - took))
    return times


async def measure(
    name: str, ticket: str, clip: list[bytes], viewers: int, seconds: float, server: psutil.Process
) -> None:
    """Print one line on so many viewers."""
    ready = asyncio.Barrier(viewers + 1)
    async with asyncio.TaskGroup() as group:
        watching = [group.create_task(view(name, ticket, clip, ready, seconds)) for _ in range(viewers)]
        await ready.wait()
        await asyncio.sleep(SETTLE_S)
        before = sum(server.cpu_times()[:2])
        await asyncio.sleep(seconds)
        spent = sum(server.cpu_times()[:2]) - before
    each = [viewer.result() for viewer in watching]
    times = np.concatenate(each)
    rates = [len(answered) / seconds for answered in each]
    median, slow = np.percentile(times, [50, 90])
    print(
        f"{viewers} viewers: {np.mean(rates):5.1f} frames/s each (slowest {min(rates):5.1f}), answer after "
        f"{median:5.1f} ms (90 %: {slow:5.1f}), {1000 * spent / max(1, len(times)):5.1f} ms of processor a frame, "
        f"{spent / seconds:4.2f} cores; load {os.getloadavg()[0]:.1f} on {os.cpu_count()}"
    )


def main() -> None:
    """Print a line for each number of viewers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default=DEFAULT_RUN, help="which run reads")
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 4, 8], help="how many at once; at most 8")
    parser.add_argument("--seconds", type=float, default=10, help="how long each is measured")
    parser.add_argument("--faces", type=int, default=1, help="faces in the picture")
    arguments = parser.parse_args()
    listening = socket.create_server(("127.0.0.1", 0))
    name = f"127.0.0.1:{listening.getsockname()[1]}"
    hears, tells = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(listening, arguments.run, tells), daemon=True
    )
    server.start()
    try:
        ticket = hears.recv()
        if ticket is None:
            raise SystemExit(f"error: there is no run {arguments.run!r}")
        print(f"{arguments.run}, {arguments.faces} in the picture")
        for viewers in arguments.viewers:
            watched = psutil.Process(server.pid)
            asyncio.run(measure(name, ticket, frames(arguments.faces), viewers, arguments.seconds, watched))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
