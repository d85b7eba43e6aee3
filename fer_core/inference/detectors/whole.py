"""No detection: the picture is a face already."""

from typing import ClassVar

import numpy as np

from fer_core.inference.boxes import FaceBox, check_picture
from fer_core.inference.detectors.base import DETECTORS


@DETECTORS.register("whole")
class WholePicture:
    """Takes the whole picture for one face, as the pictures of FER2013 are."""

    label: ClassVar[str] = "None: the picture is a face"
    finds_eyes: ClassVar[bool] = False

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """One box: the picture, uint8 (H, W) or RGB (H, W, 3)."""
        check_picture(image)
        return [FaceBox(0, 0, image.shape[1], image.shape[0])]
