"""Where a face is in a picture, and the picture of it that a network gets."""

from dataclasses import dataclass

import cv2
import numpy as np

from fer_core.errors import FerError


@dataclass(frozen=True, order=True)
class FaceBox:
    """A rectangle in pixels of the picture; (x, y) is its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise FerError(f"a face box needs a width and height of at least 1 pixel, got {self.width} × {self.height}")

    @property
    def area(self) -> int:
        """Size in pixels."""
        return self.width * self.height

    def to_square(self) -> "FaceBox":
        """The square of the longer side around the same centre, so that a face keeps its proportions."""
        side = max(self.width, self.height)
        return FaceBox(self.x + (self.width - side) // 2, self.y + (self.height - side) // 2, side, side)

    def to_json(self) -> dict[str, int]:
        """`{"x": …, "y": …, "width": …, "height": …}`."""
        return {"x": self.x, "y": self.y, "width": self.width, "height": self.height}


def crop_face(image: np.ndarray, box: FaceBox, size: int, channels: int = 1) -> np.ndarray:
    """The face in `box` as a network sees it: uint8 (size, size) gray, or (size, size, 3) for 3 channels.

    `image` is uint8, (H, W) or RGB (H, W, 3). The box is made square; what lies outside the picture
    repeats the picture's edge. Raises FerError for a box that does not touch the picture, or is far larger.
    """
    check_picture(image)
    height, width = image.shape[:2]
    square = box.to_square()
    right, bottom = square.x + square.width, square.y + square.height
    if right <= 0 or bottom <= 0 or square.x >= width or square.y >= height:
        raise FerError(f"the face box {box} lies outside the picture of {width} × {height} pixels")
    if square.width > 3 * max(height, width):
        raise FerError(f"the face box {box} is far larger than the picture of {width} × {height} pixels")
    inside = image[max(0, square.y) : bottom, max(0, square.x) : right]
    borders = (max(0, -square.y), max(0, bottom - height), max(0, -square.x), max(0, right - width))
    whole = cv2.copyMakeBorder(to_channels(inside, channels), *borders, cv2.BORDER_REPLICATE)
    return resize_face(whole, size)


def resize_face(face: np.ndarray, size: int) -> np.ndarray:
    """A face as (size, size): averaged over areas when it shrinks, linear when it grows, as datasets are."""
    if face.shape[:2] == (size, size):
        return face
    shrinks = max(face.shape[:2]) > size
    return cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def to_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """`image` (H, W) or RGB (H, W, 3) as gray (H, W) for 1 channel (OpenCV's weighted sum), or as (H, W, 3)."""
    if image.ndim == 3 and channels == 1:
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 and channels == 3 else image


def check_picture(image: np.ndarray) -> None:
    """Raise FerError unless `image` is uint8 (H, W) or (H, W, 3)."""
    fits = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not fits or image.size == 0:
        raise FerError(f"a picture is uint8 of shape (H, W) or (H, W, 3), got {image.dtype} {image.shape}")
