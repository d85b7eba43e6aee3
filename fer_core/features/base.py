"""What a descriptor is, and the registry of all descriptors."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_core.chain import Argument, Operation, parse_chain, registering
from fer_core.errors import FerError
from fer_core.registry import Registry

PIXELS_PER_CHUNK = 2**16  # the intermediates, ~100 bytes a pixel, stay near the cache


class FeatureError(FerError):
    """Images or tables that no descriptor can be taken from; the message says why."""


@dataclass(frozen=True)
class Feature(Operation, ABC):
    """One deterministic descriptor of gray images; its dataclass fields are its arguments."""

    @property
    @abstractmethod
    def length(self) -> int:
        """How many values describe one image."""

    @property
    @abstractmethod
    def least_side(self) -> int:
        """The least height and width that an image may have, in pixels."""

    @abstractmethod
    def compute(self, images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Descriptors (n, length) of a few images (n, H, W) that `describe` has checked."""

    def describe(self, images: NDArray[Any]) -> NDArray[np.float64]:
        """Descriptors (N, length) of gray images (N, H, W), uint8 or float.

        Each image comes out the same alone and in a batch. Raises FeatureError for other shapes, for
        images smaller than `least_side` and for values that are not finite.
        """
        described = np.empty((len(images), self.length))
        start = 0
        for chunk in chunks(images, self.least_side, str(self)):
            described[start : start + len(chunk)] = self.compute(chunk)
            start += len(chunk)
        return described


FEATURES: Registry[type[Feature]] = Registry("feature")
FeatureType = TypeVar("FeatureType", bound=type[Feature])


def feature(name: str) -> Callable[[FeatureType], FeatureType]:
    """Register a Feature class as `name`, the word that stands for it in a chain such as `lpq+phog`."""
    return registering(name, FEATURES)


def parse_features(text: str) -> tuple[Feature, ...]:
    """Read descriptors such as `lpq(window=9,rho=0.9)+phog`; FerError says what is possible."""
    return parse_chain(text, FEATURES)


@dataclass(frozen=True)
class FeatureDescription:
    """What a listing or a selector shows of a descriptor; `length` is that of its default arguments."""

    name: str
    summary: str
    length: int
    arguments: tuple[Argument, ...]


def describe_features() -> list[FeatureDescription]:
    """Every registered descriptor, by name."""
    kinds = [FEATURES.get(name) for name in FEATURES.names()]
    return [FeatureDescription(kind.name, kind.summary(), kind().length, kind.arguments()) for kind in kinds]


def chunks(images: NDArray[Any], least_side: int, name: str) -> Iterator[NDArray[np.float64]]:
    """Checked images (N, H, W) a few at a time, float64 (n, H, W); `name` is the descriptor in a message."""
    _check_shape(images, least_side, name)
    size = max(1, PIXELS_PER_CHUNK // (images.shape[1] * images.shape[2]))
    for start in range(0, len(images), size):
        chunk = np.ascontiguousarray(images[start : start + size], np.float64)
        bad = np.flatnonzero(~np.isfinite(chunk).all((1, 2)))
        if bad.size:
            raise FeatureError(f"{name}: image {start + bad[0]} holds values that are not finite")
        yield chunk


def _check_shape(images: NDArray[Any], least_side: int, name: str) -> None:
    real = images.dtype == np.uint8 or np.issubdtype(images.dtype, np.floating)
    if images.ndim != 3 or not real:
        raise FeatureError(
            f"{name} takes gray images of shape (N, H, W), uint8 or float, got {images.dtype} {tuple(images.shape)}"
        )
    if min(images.shape[1:]) < least_side:
        raise FeatureError(
            f"{name} takes images of at least {least_side}x{least_side} pixels, got {images.shape[1]}x{images.shape[2]}"
        )
