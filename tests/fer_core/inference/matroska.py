"""A Matroska video whose frames stand at given times, as screens and phones record them."""

import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np


def write_matroska(path: Path, times_ms: Sequence[int], frames: Sequence[np.ndarray]) -> Path:
    """Write RGB frames of one size at their times; by the format's specification, RFC 9559, with Motion JPEG."""
    height, width = frames[0].shape[:2]
    header = _element("1A45DFA3", _element("4282", b"matroska"), _number("4287", 4), _number("4285", 2))
    length = _element("4489", struct.pack(">d", times_ms[-1]))
    facts = _element("1549A966", _number("2AD7B1", 1_000_000), length)
    size = _element("E0", _number("B0", width), _number("BA", height))
    codec = _element("86", b"V_MJPEG")
    track = _element("AE", _number("D7", 1), _number("73C5", 1), _number("83", 1), codec, size)
    clusters = [
        _element("1F43B675", _number("E7", time), _element("A3", b"\x81\0\0\x80", _jpeg(frame)))
        for time, frame in zip(times_ms, frames, strict=True)
    ]
    path.write_bytes(header + _element("18538067", facts, _element("1654AE6B", track), *clusters))
    return path


def _jpeg(frame: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes()


def _number(name: str, value: int) -> bytes:
    return _element(name, value.to_bytes(8, "big"))


def _element(name: str, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return bytes.fromhex(name) + struct.pack(">Q", len(data) | 1 << 56) + data
