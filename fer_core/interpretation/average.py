"""Where a network looks on average: mean Grad-CAM over the faces of a class, or of a confusion."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from fer_core.interpretation.maps import batches
from fer_core.interpretation.network import Network
from fer_core.interpretation.saliency import check_gradients, default_cam_layer, enlarged, grad_cams


@dataclass(frozen=True, eq=False)
class MeanCams:
    """Mean Grad-CAM for the predicted class, for every pair of a true and a predicted one.

    `heat` float32 (classes, classes, S, S) in [0, 1], rows true, and `face` the mean of those faces in the same
    shape, as the network gets them in [-1, 1] (gray); `counts` (classes, classes) says over how many.
    """

    layer: str
    heat: np.ndarray
    face: np.ndarray
    counts: np.ndarray

    def of_class(self, label: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Heat, face and number over all faces of a true class, whatever was predicted."""
        weights = self.counts[label][:, None, None]
        total = int(self.counts[label].sum())
        share = weights / max(1, total)
        return (self.heat[label] * share).sum(0), (self.face[label] * share).sum(0), total


def mean_cams(
    network: Network,
    faces: Callable[[np.ndarray], np.ndarray],
    true: np.ndarray,
    predicted: np.ndarray,
    layer: str = "",
    progress: Callable[[float], None] | None = None,
) -> MeanCams:
    """Average over all given faces, of which `faces` gives those at some places; `true` and `predicted` are (N,).

    Each face's map is first divided by its maximum, so that all count the same. Raises FerError where `grad_cams` does.
    """
    check_gradients(network)
    name, classes, size = layer or default_cam_layer(network), len(network.emotions), network.size
    heat, mean = (
        np.zeros((classes, classes, size, size), np.float32),
        np.zeros((classes, classes, size, size), np.float32),
    )
    counts = np.zeros((classes, classes), np.int64)
    places = np.arange(len(true))
    for part in batches(network, len(true), values=12_000_000):
        inputs = network.inputs(faces(places[part]))
        cams = enlarged(grad_cams(network, inputs, torch.from_numpy(predicted[part].astype(np.int64)), name), size)
        peaks = cams.max(axis=(1, 2), keepdims=True)
        cells = (true[part], predicted[part])
        np.add.at(heat, cells, np.divide(cams, peaks, out=np.zeros_like(cams), where=peaks > 0))
        np.add.at(mean, cells, inputs.mean(1).numpy())
        np.add.at(counts, cells, 1)
        if progress:
            progress(min(1.0, part.stop / max(1, len(true))))
    weight = np.maximum(counts, 1)[:, :, None, None]
    return MeanCams(name, heat / weight, mean / weight, counts)
