"""Crop to the face."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_core.chain import argument
from fer_core.haar import find_squares
from fer_core.preprocessing.base import Context, Step, step

Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the image

DETECTION_SIDE = 144  # smaller images are enlarged: the cascade's window is 24 pixels, and it misses small faces
MARGIN = 8  # one eighth of the short side is added around: tight faces lack the border that the cascade looks for
PARALLEL_FROM = 64  # images; a thread may first load a cascade, which takes as long as several images

FOUND = "face_crop: faces found"
NOT_FOUND = "face_crop: no face, whole image kept"


@step("face_crop")
@dataclass(frozen=True)
class FaceCrop(Step):
    """Crop to the largest frontal face and enlarge it to the image's size; without a face nothing changes.

    OpenCV's Haar cascade (Viola and Jones; paper 1). Images whose short side is below 144 pixels are enlarged
    for the search, and all get a margin for it. How many faces were found, and how many not, is counted
    in the notes. The one step that is not batched: it takes milliseconds an image.
    """

    scale: float = argument(1.1, "growth of the search window from size to size", low=1.01, high=2.0)
    neighbors: int = argument(3, "overlapping detections that make a face", low=0, high=50)
    smallest: float = argument(0.5, "smallest face, as a share of the short side", low=0.05, high=1.0)

    def apply(self, images: Tensor, context: Context) -> Tensor:
        """Crop uint8 (N, C, H, W); counts into `context.notes`."""
        faces = [np.ascontiguousarray(image) for image in images.permute(0, 2, 3, 1).cpu().numpy()]
        workers = torch.get_num_threads() if len(faces) >= PARALLEL_FROM else 1
        if workers == 1:
            cropped = [self._crop(face) for face in faces]
        else:
            with ThreadPoolExecutor(workers) as pool:
                cropped = list(pool.map(self._crop, faces))
        found = sum(crop is not None for crop in cropped)
        context.count(FOUND, found)
        context.count(NOT_FOUND, len(faces) - found)
        result = images.clone(memory_format=torch.contiguous_format)
        for position, crop in enumerate(cropped):
            if crop is not None:
                result[position] = torch.from_numpy(crop).permute(2, 0, 1)
        return result

    def _crop(self, image: Image) -> Image | None:
        """The face of an image (H, W, C) in the image's size, or None."""
        height, width, channels = image.shape
        gray = image[..., 0] if channels == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        box = self._largest_face(np.asarray(gray, np.uint8))
        if box is None:
            return None
        left, top, right, bottom = box
        face = cv2.resize(image[top:bottom, left:right], (width, height), interpolation=cv2.INTER_LINEAR)
        return face.reshape(height, width, channels).astype(np.uint8, copy=False)

    def _largest_face(self, gray: Image) -> Box | None:
        height, width = gray.shape
        short = min(height, width)
        margin = short // MARGIN
        factor = max(1.0, DETECTION_SIDE / short)
        wider = cv2.copyMakeBorder(gray, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        enlarged = cv2.resize(wider, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        least = max(1, round(self.smallest * short * factor))
        found = find_squares(enlarged, scale_factor=self.scale, min_neighbors=self.neighbors, min_side=least)
        if not found:
            return None
        x, y, side = found[0]
        left, top = (max(0, round(each / factor) - margin) for each in (x, y))
        right, bottom = round((x + side) / factor) - margin, round((y + side) / factor) - margin
        return left, top, min(width, right), min(height, bottom)
