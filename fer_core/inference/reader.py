"""From a picture to the emotion of every face in it, whatever computes the probabilities of a face."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from fer_core.errors import FerError
from fer_core.inference.boxes import FaceBox, check_picture, crop_face
from fer_core.inference.detectors import Detector, get_detector

BATCH = 256  # faces at once; bounds the memory of a large crowd or a whole dataset


@dataclass(frozen=True, eq=False)
class Prediction:
    """One face: where it is, how likely each emotion, and what the network was given.

    `probabilities` holds every emotion in the run's class order and sums to 1; `confidence` in [0, 1]
    is the one of `emotion`. `face` is uint8 (S, S), or (S, S, 3) for a network of colour faces.
    """

    box: FaceBox
    emotion: str
    confidence: float
    probabilities: dict[str, float]
    face: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels, as plain JSON types."""
        return {
            "box": self.box.to_json(),
            "emotion": self.emotion,
            "confidence": self.confidence,
            "probabilities": dict(self.probabilities),
        }


class FaceReader(ABC):
    """Reads faces: its crops are (input_size, input_size) with 1 or 3 `channels`, its answers one for each emotion."""

    run_id: str
    emotions: tuple[str, ...]
    input_size: int
    channels: int

    @abstractmethod
    def predict_faces(self, faces: np.ndarray, batch_size: int | None = None) -> np.ndarray:
        """Calibrated probabilities float32 (N, classes) of crops uint8 (N, H, W) or RGB (N, H, W, 3) of any size.

        `batch_size` faces go through the network at once, BATCH unless given. Raises FerError for other arrays.
        """

    def predict(
        self, image: np.ndarray, boxes: Sequence[FaceBox] | None = None, detector: Detector | None = None
    ) -> list[Prediction]:
        """Every face of a uint8 picture, RGB (H, W, 3) or gray (H, W): those in `boxes`, else those found.

        `detector` is the shared Haar cascade unless given. One prediction a box, in the order of the boxes.
        """
        check_picture(image)
        found = (detector or get_detector()).detect(image) if boxes is None else list(boxes)
        return self._read(found, [crop_face(image, box, self.input_size, self.channels) for box in found])

    def predict_many(
        self,
        images: Iterable[np.ndarray],
        *,
        boxes: Iterable[Sequence[FaceBox]] | None = None,
        detector: Detector | None = None,
        batch_size: int | None = None,
    ) -> Iterator[list[Prediction]]:
        """Every face of each picture, in the order of the pictures, which are taken one at a time and not kept.

        `boxes` gives those of each picture, else they are found. Faces of several pictures go through the network
        together, `batch_size` at once (BATCH unless given): about that many crops are in memory, however many
        pictures there are. The answers are those of `predict`.
        """
        size, finder = _batch_size(batch_size), detector or get_detector()
        found = ((image, finder.detect(image)) for image in images) if boxes is None else _paired(images, boxes)
        waiting: list[tuple[list[FaceBox], list[np.ndarray]]] = []
        for image, each in found:
            check_picture(image)
            waiting.append((list(each), [crop_face(image, box, self.input_size, self.channels) for box in each]))
            if len(waiting) >= size or sum(len(faces) for _, faces in waiting) >= size:
                yield from self._read_all(waiting, size)
                waiting = []
        yield from self._read_all(waiting, size)

    def _read_all(
        self, pictures: Sequence[tuple[list[FaceBox], list[np.ndarray]]], batch_size: int
    ) -> Iterator[list[Prediction]]:
        boxes = [box for found, _ in pictures for box in found]
        read = iter(self._read(boxes, [face for _, faces in pictures for face in faces], batch_size))
        for found, _ in pictures:
            yield [next(read) for _ in found]

    def _read(self, boxes: list[FaceBox], faces: list[np.ndarray], batch_size: int | None = None) -> list[Prediction]:
        if not boxes:
            return []
        predicted = self.predict_faces(np.stack(faces), batch_size)
        return [self._prediction(box, row, face) for box, row, face in zip(boxes, predicted, faces, strict=True)]

    def _prediction(self, box: FaceBox, row: np.ndarray, face: np.ndarray) -> Prediction:
        probabilities = {emotion: float(p) for emotion, p in zip(self.emotions, row, strict=True)}
        best = self.emotions[int(row.argmax())]
        return Prediction(box, best, probabilities[best], probabilities, face)


def _paired(
    images: Iterable[np.ndarray], boxes: Iterable[Sequence[FaceBox]]
) -> Iterator[tuple[np.ndarray, Sequence[FaceBox]]]:
    for image, each in zip_longest(images, boxes):
        if image is None or each is None:
            raise FerError("there must be as many lists of boxes as pictures")
        yield image, each


def batches(faces: np.ndarray, batch_size: int | None = None) -> Iterator[np.ndarray]:
    """At most `batch_size` of the faces (N, …) after the other, BATCH unless given."""
    size = _batch_size(batch_size)
    return (faces[start : start + size] for start in range(0, len(faces), size))


def _batch_size(chosen: int | None) -> int:
    if chosen is not None and chosen < 1:
        raise FerError(f"batch_size must be at least 1, got {chosen}")
    return chosen or BATCH


def check_faces(faces: np.ndarray) -> None:
    """Raise FerError unless `faces` are uint8 (N, H, W) or RGB (N, H, W, 3)."""
    fits = faces.ndim == 3 or (faces.ndim == 4 and faces.shape[3] == 3)
    if faces.dtype != np.uint8 or not fits or 0 in faces.shape[1:]:
        raise FerError(f"faces are uint8 of shape (N, H, W) or (N, H, W, 3), got {faces.dtype} {faces.shape}")
