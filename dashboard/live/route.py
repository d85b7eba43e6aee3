"""The live camera's second way: frames come over a WebSocket beside the pages, and are read on this server.

For runs that have no ONNX form, and for browsers without WebAssembly. The viewer sends its ticket as text, hears
"ready", and then sends JPEGs, each after the answer to the one before. Nothing is stored.
"""

import asyncio
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.live.reading import MOST_BYTES, read_frame
from dashboard.live.tickets import admitted
from dashboard.summaries import RunSummary
from fer_core.errors import FerError

if TYPE_CHECKING:
    from fer_core.inference import Predictor

PATH = "/fer/live"
MOST_VIEWERS = 8
MOST_RATE = 60  # frames in one second of one viewer; a camera gives 30
IDLE_S = 120  # without a frame; a page opens its socket again with the next one
READERS = min(4, os.cpu_count() or 1)  # frames that are read at once, each on one processor
MOST_REASON = 123  # bytes of the sentence in a closing frame (RFC 6455, 5.5)

# Why a socket is closed (RFC 6455, 7.4.1); from 4000 on they are ours.
NOT_A_PICTURE, REFUSED, TOO_LARGE, BROKEN_RUN, TRY_LATER = 1007, 1008, 1009, 1011, 1013
UNKNOWN_TICKET, IDLE = 4001, 4002

_viewers: set[int] = set()  # the server's loop alone changes it


class RefusedError(Exception):
    """A socket that is closed: with a code, and one sentence for the viewer."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


def address() -> str:
    """The path part of the socket's address."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{PATH}" if base else PATH


def routes() -> list[WebSocketRoute]:
    """What `st.App` serves beside the pages."""
    return [WebSocketRoute(address(), serve)]


async def serve(socket: WebSocket) -> None:
    """One viewer, from the handshake to the end."""
    if not is_own_page(socket.headers):
        await socket.close(REFUSED)  # before it is accepted: the handshake fails with status 403
        return
    await socket.accept()
    with suppress(WebSocketDisconnect):
        try:
            with _seat(id(socket)):
                await _converse(socket)
        except RefusedError as refused:
            await _refuse(socket, refused.code, refused.sentence)
        except FerError as error:
            await _refuse(socket, BROKEN_RUN, str(error))


def is_own_page(headers: Headers) -> bool:
    """Whether a page of this very server asks: browsers name the page's origin, and let no page choose it."""
    asked = {headers.get("host"), headers.get("x-forwarded-host")}  # a proxy in front may change the first
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc in asked


@contextmanager
def _seat(viewer: int) -> Iterator[None]:
    if len(_viewers) >= MOST_VIEWERS:
        raise RefusedError(TRY_LATER, f"{MOST_VIEWERS} cameras are read here already: try again later.")
    _viewers.add(viewer)
    try:
        yield
    finally:
        _viewers.discard(viewer)


async def _refuse(socket: WebSocket, code: int, sentence: str) -> None:
    await socket.send_json({"kind": "refused", "message": sentence})
    await socket.close(code, sentence.encode()[:MOST_REASON].decode(errors="ignore"))


async def _converse(socket: WebSocket) -> None:
    runs = admitted(await _received(socket, "text"))
    if runs is None:
        raise RefusedError(UNKNOWN_TICKET, "The server has started anew: load the page again.")
    loop = asyncio.get_running_loop()
    readers = await loop.run_in_executor(_pool(), _load, runs)
    await socket.send_json({"kind": "ready", "runs": [reader.run_id for reader in readers]})
    inbox = Inbox(socket)
    receiving = asyncio.create_task(inbox.fill())
    try:
        while (frame := await inbox.newest()) is not None:
            await socket.send_json(await loop.run_in_executor(_pool(), _answer, frame, readers))
        await receiving  # raises what has ended it
    finally:
        receiving.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RefusedError):
            await receiving


class Inbox:
    """A viewer's newest frame; one that comes while another is read replaces those that wait."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.times: deque[float] = deque(maxlen=MOST_RATE + 1)
        self.frame: bytes | None = None
        self.is_over = False
        self.changed = asyncio.Event()

    async def fill(self) -> None:
        """Take frames until the socket closes; raises RefusedError for what must not come."""
        try:
            while True:
                frame = await _received(self.socket, "bytes")
                self._check(frame)
                self.frame = frame
                self.changed.set()
        finally:
            self.is_over = True
            self.changed.set()

    async def newest(self) -> bytes | None:
        """The next frame to read, as soon as there is one; None after the last."""
        while self.frame is None and not self.is_over:
            self.changed.clear()
            await self.changed.wait()
        frame, self.frame = self.frame, None
        return None if self.is_over else frame

    def _check(self, frame: bytes) -> None:
        if len(frame) > MOST_BYTES:
            raise RefusedError(
                TOO_LARGE, f"A frame has at most {MOST_BYTES // 1000} kB, and this one {len(frame) // 1000}."
            )
        self.times.append(asyncio.get_running_loop().time())
        if len(self.times) > MOST_RATE and self.times[-1] - self.times[0] < 1:
            raise RefusedError(REFUSED, f"At most {MOST_RATE} frames a second are taken.")


async def _received(socket: WebSocket, kind: Literal["text", "bytes"]) -> Any:
    """The next message; raises WebSocketDisconnect, or RefusedError where it is of another kind or none comes."""
    try:
        message = await asyncio.wait_for(socket.receive(), IDLE_S)
    except TimeoutError:
        raise RefusedError(IDLE, f"No frame came for {IDLE_S} s.") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1000)
    content = message.get(kind)
    if content is None:
        raise RefusedError(REFUSED, "First comes the page's ticket as text, and then frames as JPEGs.")
    return content


def _answer(frame: bytes, readers: "Sequence[Predictor]") -> dict[str, Any]:
    try:
        return read_frame(frame, readers)
    except FerError as error:
        raise RefusedError(NOT_A_PICTURE, str(error)) from error


def _load(runs: Sequence[RunSummary]) -> "list[Predictor]":
    from dashboard.cache.photos import predictor  # Streamlit's caches want its server to run

    return [predictor(str(run.path), run.stamp) for run in runs]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, thread_name_prefix="live", initializer=_use_one_thread)


def _use_one_thread() -> None:
    """Let the networks of this thread compute on it alone: viewers share the processors, not a frame."""
    import torch
    from threadpoolctl import ThreadpoolController

    torch.get_num_threads()  # PyTorch sets its own number when it is asked first
    ThreadpoolController().limit(limits=1, user_api="openmp")
