"""Where a face is in a picture, and the picture of it that a network gets."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from fer_core.errors import FerError


@dataclass(frozen=True, order=True)
class FaceBox:
    """A rectangle in pixels of the picture; (x, y) is its upper left corner.

    `roll` in degrees within ±180 turns it around its centre, clockwise as one sees it: by as much as the line of the
    eyes is turned, so that the face's crop has the eyes level. 0 for detectors that find no eyes.
    """

    x: int
    y: int
    width: int
    height: int
    roll: float = 0.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise FerError(f"a face box needs a width and height of at least 1 pixel, got {self.width} × {self.height}")
        if not -180 <= self.roll <= 180:
            raise FerError(f"a face box is turned by at most 180 degrees either way, got {self.roll}")

    @property
    def area(self) -> int:
        """Size in pixels."""
        return self.width * self.height

    def to_square(self) -> "FaceBox":
        """The square of the longer side around the same centre, so that a face keeps its proportions."""
        side = max(self.width, self.height)
        return FaceBox(self.x + (self.width - side) // 2, self.y + (self.height - side) // 2, side, side, self.roll)

    def upright(self) -> "FaceBox":
        """The same rectangle, not turned."""
        return replace(self, roll=0.0)

    def scaled(self, across: float, down: float) -> "FaceBox":
        """The same rectangle in a picture `across` times as wide and `down` times as high, in whole pixels."""
        width, height = max(1, round(self.width * across)), max(1, round(self.height * down))
        x = round((self.x + self.width / 2) * across - width / 2)  # by its centre, which keeps it within the picture
        y = round((self.y + self.height / 2) * down - height / 2)
        return FaceBox(x, y, width, height, self.roll)

    def to_json(self) -> dict[str, int | float]:
        """`{"x": …, "y": …, "width": …, "height": …, "roll": …}`."""
        return {"x": self.x, "y": self.y, "width": self.width, "height": self.height, "roll": round(self.roll, 2)}


def crop_face(image: np.ndarray, box: FaceBox, size: int, channels: int = 1) -> np.ndarray:
    """The face in `box` as a network sees it: uint8 (size, size) gray, or (size, size, 3) for 3 channels.

    `image` is uint8, (H, W) or RGB (H, W, 3). The box is made square, and turned back by its roll; what lies outside
    the picture repeats the picture's edge. Raises FerError for a box that does not touch the picture, or is far larger.
    """
    check_picture(image)
    height, width = image.shape[:2]
    square = box.to_square()
    right, bottom = square.x + square.width, square.y + square.height
    if right <= 0 or bottom <= 0 or square.x >= width or square.y >= height:
        raise FerError(f"the face box {box} lies outside the picture of {width} × {height} pixels")
    if square.width > 3 * max(height, width):
        raise FerError(f"the face box {box} is far larger than the picture of {width} × {height} pixels")
    whole = _turned_square(image, square, channels) if square.roll else _square(image, square, channels)
    return resize_face(whole, size)


def _square(image: np.ndarray, square: FaceBox, channels: int) -> np.ndarray:
    height, width = image.shape[:2]
    right, bottom = square.x + square.width, square.y + square.height
    inside = image[max(0, square.y) : bottom, max(0, square.x) : right]
    borders = (max(0, -square.y), max(0, bottom - height), max(0, -square.x), max(0, right - width))
    return cv2.copyMakeBorder(to_channels(inside, channels), *borders, cv2.BORDER_REPLICATE)


def _turned_square(image: np.ndarray, square: FaceBox, channels: int) -> np.ndarray:
    """A turned square of a picture, pixel for pixel, with its own upper side above."""
    centre = (square.width - 1) / 2
    matrix = cv2.getRotationMatrix2D((centre, centre), -square.roll, 1.0)  # from the crop into the picture
    matrix[:, 2] += (square.x, square.y)
    margin = square.width // 4 + 1  # half the diagonal less half the side is 0.21 of the side
    left, top = max(0, square.x - margin), max(0, square.y - margin)
    part = image[top : square.y + square.width + margin, left : square.x + square.width + margin]
    matrix[:, 2] -= (left, top)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (square.width, square.width)
    return cv2.warpAffine(to_channels(part, channels), matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


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
