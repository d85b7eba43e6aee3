"""A run that reads faces, and files for it to read."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from fer_core.architectures import ARCHITECTURES, build
from fer_core.config import RunSpec
from fer_core.runs import Run, RunStore


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FER_RUNS_DIR", str(tmp_path / "runs"))
    recipe = ARCHITECTURES.get("mini_xception").paper_recipe
    run = RunStore().create(RunSpec("mini_xception", "hist_eq", "synthetic", "official", recipe))
    torch.manual_seed(3)  # what it reads decides how wide a table is
    run.save_weights(build("mini_xception").state_dict())
    return run


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut [1].png"
    Image.fromarray(skimage.data.astronaut()).save(path)
    return path


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.png"
    Image.new("L", (200, 100), 90).save(path)
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A face that moves to the right over ten frames of 640 × 480, ten a second."""
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 480))
    for number in range(10):
        frame = np.full((480, 640, 3), 90, np.uint8)
        frame[:, 8 * number : 8 * number + 512] = skimage.data.astronaut()[:480]
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path
