"""The live camera's socket: who may use it, what it takes, what it answers, and what it refuses."""

import asyncio
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from PIL import Image
from skimage.data import astronaut
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dashboard.live import reading, route, tickets
from dashboard.live.reading import read_frame
from dashboard.summaries import RunSummary
from fer_core.architectures import rebuild
from fer_core.errors import FerError
from fer_core.inference import FaceDetector, Predictor
from fer_core.runs import RunStore
from tests.browser.camera import faces_picture
from tests.dashboard.coroutines import run_apart
from tests.dashboard.runs import make_run
from tests.dashboard.test_live import summary

SECONDS = 60  # of patience on a busy machine

Open = Callable[..., ClientConnection]


@pytest.fixture
def open_socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the socket as the page does, or with other headers; faces are found by the cascade, which all have."""
    monkeypatch.setattr(reading, "detector", lambda: FaceDetector(max_side=320))
    listening = socket.create_server(("127.0.0.1", 0))
    name = f"127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=route.routes()), log_level="critical", ws="websockets-sansio")
    )
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()

    def opened(origin: str | None = f"http://{name}", **headers: str) -> ClientConnection:
        return connect(
            f"ws://{name}{route.PATH}", origin=origin, additional_headers=headers, open_timeout=SECONDS, proxy=None
        )

    yield opened
    server.should_exit = True
    thread.join(SECONDS)
    listening.close()


def heard(viewer: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(viewer.recv(SECONDS)))


@pytest.fixture
def run(store: RunStore) -> RunSummary:
    return summary(make_run(store, architecture="linear", weights=True))


def jpeg(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def closing(viewer: ClientConnection) -> tuple[int, str]:
    """The code with which the server closes next, and the sentence that it says before."""
    told = heard(viewer)
    assert told["kind"] == "refused"
    with pytest.raises(ConnectionClosed) as closed:
        viewer.recv(SECONDS)
    assert closed.value.rcvd is not None
    assert told["message"].startswith(closed.value.rcvd.reason)
    return closed.value.rcvd.code, told["message"]


def test_frames_are_read_as_photos_are(open_socket: Open, run: RunSummary) -> None:
    frame = jpeg(faces_picture(2))
    with open_socket() as viewer:
        viewer.send(tickets.issue([run]))
        assert heard(viewer) == {"kind": "ready", "runs": [run.id]}
        for _ in range(2):
            viewer.send(frame)
            answer = heard(viewer)
            assert answer["kind"] == "answer"
            assert len(answer["faces"]) == 2
        picture = np.asarray(Image.open(io.BytesIO(frame)))
        expected = Predictor.from_run(run.path).predict(picture, detector=FaceDetector(max_side=320))
        assert [face["x"] for face in answer["faces"]] == [face.box.x for face in expected]
        (read,) = answer["readings"]
        assert read["run"] == run.id
        assert read["probabilities"] == pytest.approx(
            np.array([list(face.probabilities.values()) for face in expected]), abs=1e-5
        )


def test_two_runs_read_the_same_faces_and_a_colour_network_sees_colours(run: RunSummary) -> None:
    gray = Predictor.from_run(run.path)
    colour = replace(gray, run_id="colour", channels=3, model=rebuild("linear", channels=3, size=48, classes=7))
    answer = read_frame(jpeg(faces_picture(1)), [gray, colour])
    assert [each["run"] for each in answer["readings"]] == [run.id, "colour"]
    assert [len(each["probabilities"]) for each in answer["readings"]] == [1, 1]


@pytest.mark.parametrize(
    "origin",
    [None, "http://elsewhere.example", "http://127.0.0.1.elsewhere.example", "http://127.0.0.1", "null"],
    ids=["no page", "another page", "a page of a similar name", "another port", "a page without a name"],
)
def test_pages_of_other_servers_get_no_socket(open_socket: Open, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        open_socket(origin)
    assert refused.value.response.status_code == 403


def test_behind_a_proxy_the_name_that_it_forwards_counts(open_socket: Open, run: RunSummary) -> None:
    with open_socket("https://faces.example", **{"X-Forwarded-Host": "faces.example"}) as viewer:
        viewer.send(tickets.issue([run]))
        assert heard(viewer)["kind"] == "ready"


def test_a_ticket_that_was_not_given_out_opens_nothing(open_socket: Open) -> None:
    with open_socket() as viewer:
        viewer.send("guessed")
        assert closing(viewer) == (route.UNKNOWN_TICKET, "The server has started anew: load the page again.")


def test_a_run_whose_weights_are_damaged_is_named(open_socket: Open, run: RunSummary) -> None:
    (run.path / "weights.safetensors").write_bytes(b"damaged")
    with open_socket() as viewer:
        viewer.send(tickets.issue([run]))
        code, sentence = closing(viewer)
        assert code == route.BROKEN_RUN
        assert run.id in sentence


@pytest.mark.parametrize(
    ("frame", "code", "words"),
    [
        (b"no picture", route.NOT_A_PICTURE, "the frame is no JPEG"),
        (jpeg(np.zeros((600, 800, 3), np.uint8)), route.NOT_A_PICTURE, "declares 800 × 600 pixels; at most 640 × 480"),
        (jpeg(faces_picture(1))[:9000], route.NOT_A_PICTURE, "not a whole one"),
        (b"\xff\xd8" * 150_000, route.TOO_LARGE, "at most 200 kB"),
        ("a second text", route.REFUSED, "frames as JPEGs"),
    ],
    ids=["no picture", "too many pixels", "truncated", "too many bytes", "text"],
)
def test_what_is_no_frame_is_refused_in_a_sentence(
    open_socket: Open, run: RunSummary, frame: bytes | str, code: int, words: str
) -> None:
    with open_socket() as viewer:
        viewer.send(tickets.issue([run]))
        heard(viewer)
        viewer.send(frame)
        found, sentence = closing(viewer)
        assert (found, words in sentence) == (code, True), sentence


def test_more_viewers_than_seats_are_asked_to_wait_and_a_seat_is_freed(
    open_socket: Open, run: RunSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "MOST_VIEWERS", 1)
    with open_socket() as first:
        first.send(tickets.issue([run]))
        heard(first)
        with open_socket() as second:
            code, sentence = closing(second)
            assert code == route.TRY_LATER
            assert sentence == "1 cameras are read here already: try again later."
    with open_socket() as third:
        third.send(tickets.issue([run]))
        assert heard(third)["kind"] == "ready"


def test_a_viewer_who_sends_nothing_loses_the_seat(
    open_socket: Open, run: RunSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "IDLE_S", 0.05)
    with open_socket() as viewer:
        assert closing(viewer)[0] == route.IDLE
    deadline = time.monotonic() + SECONDS
    while route._viewers and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not route._viewers


class Flood:
    """A socket on which frames come without waiting for answers."""

    def __init__(self, frames: list[bytes]) -> None:
        self.frames = frames
        self.is_dry = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if not self.frames:
            self.is_dry.set()
            await asyncio.sleep(3600)
        return {"type": "websocket.receive", "bytes": self.frames.pop(0)}


def test_of_the_frames_that_wait_only_the_newest_is_read() -> None:
    async def newest() -> bytes | None:
        flood = Flood([b"1", b"2", b"3"])
        inbox = route.Inbox(flood)  # type: ignore[arg-type]
        filling = asyncio.create_task(inbox.fill())
        await flood.is_dry.wait()
        found = await inbox.newest()
        filling.cancel()
        return found

    assert run_apart(newest()) == b"3"


def test_a_flood_of_frames_is_refused() -> None:
    async def flooded() -> None:
        await route.Inbox(Flood([b"frame"] * (route.MOST_RATE + 1))).fill()  # type: ignore[arg-type]

    with pytest.raises(route.RefusedError, match="At most 60 frames a second"):
        run_apart(flooded())


def test_nothing_of_a_frame_is_written(run: RunSummary, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    read_frame(jpeg(astronaut()[:480]), [Predictor.from_run(run.path)])
    assert sorted(tmp_path.rglob("*")) == before


def test_only_so_many_tickets_are_known(run: RunSummary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MOST_TICKETS", 2)
    first, second = tickets.issue([run]), tickets.issue([run])
    assert tickets.admitted(first) == (run,)
    third = tickets.issue([run])
    assert [tickets.admitted(each) is None for each in (first, second, third)] == [False, True, False]


def test_a_frame_that_cannot_be_read_is_an_error_of_ours(run: RunSummary) -> None:
    with pytest.raises(FerError, match="no JPEG"):
        read_frame(b"", [])


def test_the_address_holds_the_path_that_the_server_is_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert route.address() == "/fer/live"
    monkeypatch.setattr("streamlit.get_option", lambda name: "/faces/")
    assert route.address() == "/faces/fer/live"


def test_blazeface_finds_every_face_and_none_on_a_wall() -> None:
    from dashboard.live.assets import VENDOR
    from dashboard.live.blazeface import BlazeFace

    if not (VENDOR / "detector.onnx").is_file():
        pytest.skip("the detector is missing: `make camera` installs it")
    detector = BlazeFace(VENDOR / "detector.onnx")
    wall = np.random.default_rng(0).integers(100, 140, (480, 640, 3)).astype(np.uint8)
    pictures = [faces_picture(1), faces_picture(2), faces_picture(3), wall, np.zeros((480, 640, 3), np.uint8)]
    assert [len(detector.detect(picture)) for picture in pictures] == [1, 2, 3, 0, 0]
