"""What a face detector is, and the registry of all."""

from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np

from fer_core.inference.boxes import FaceBox
from fer_core.registry import Registry

DEFAULT_DETECTOR = "haar"


class Detector(Protocol):
    """Finds faces; one instance may serve several threads."""

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a uint8 picture (H, W) or RGB (H, W, 3), largest first; all inside the picture."""
        ...


DETECTORS: Registry[Callable[[], Detector]] = Registry("face detector")


@cache
def get_detector(name: str = DEFAULT_DETECTOR) -> Detector:
    """The shared detector called `name`, made at its first use; UnknownNameError lists the choices."""
    return DETECTORS.get(name)()
