"""Images that the preprocessing tests share."""

import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray

REAL_FACES = 300


def _drawn_images() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    ramp = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))
    flat = [np.full((48, 48), level, np.uint8) for level in (0, 7, 128, 255)]
    noise = list(rng.integers(0, 256, (24, 48, 48), dtype=np.uint8))
    smooth = [np.asarray(cv2.GaussianBlur(image, (11, 11), 0), np.uint8) for image in noise]
    narrow = list(rng.integers(100, 104, (8, 48, 48), dtype=np.uint8))
    return np.stack([*flat, ramp, ramp.T, 255 - ramp, *noise, *smooth, *narrow])


@pytest.fixture(scope="session")
def drawn_images() -> NDArray[np.uint8]:
    """Constant, sloping, noisy, smooth and faint images, uint8 (N, 48, 48)."""
    return _drawn_images()


@pytest.fixture(scope="session")
def real_faces(shared_data: Path) -> NDArray[np.uint8]:
    """The first faces of the FER2013 archive, uint8 (300, 48, 48)."""
    faces: list[NDArray[np.uint8]] = []
    with tarfile.open(shared_data / "fer2013.tar.xz", "r|xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".jpg") else None
            if file is not None:
                decoded = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
                faces.append(np.asarray(decoded, np.uint8))
            if len(faces) == REAL_FACES:
                break
    return np.stack(faces)


@pytest.fixture(params=["drawn_images", pytest.param("real_faces", marks=pytest.mark.real_data)])
def gray_images(request: pytest.FixtureRequest) -> NDArray[np.uint8]:
    """Drawn images always, real faces where the data is present: uint8 (N, 48, 48)."""
    images: NDArray[np.uint8] = request.getfixturevalue(request.param)
    return images


@pytest.fixture(params=[1, 3], ids=["gray", "colour"])
def batch(request: pytest.FixtureRequest) -> torch.Tensor:
    """A batch of drawn images, uint8 (N, C, 40, 48): not square, so that swapped sides show."""
    images = torch.from_numpy(_drawn_images())[:, None, :40]
    channels = [images.roll(shift, 0) for shift in range(request.param)]
    return torch.cat(channels, 1).contiguous()


@pytest.fixture(scope="session")
def astronaut_face() -> NDArray[np.uint8]:
    """A photo of a smiling face with some background, RGB uint8 (1, 3, 240, 200)."""
    return np.ascontiguousarray(skimage.data.astronaut()[:240, 120:320].transpose(2, 0, 1)[None])
