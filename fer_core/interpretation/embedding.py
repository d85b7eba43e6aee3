"""Where a network puts faces: the values before its last layer, and pictures of them in two dimensions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor, nn

from fer_core.errors import FerError
from fer_core.interpretation.maps import batches
from fer_core.interpretation.network import Network
from fer_core.interpretation.trace import FACE, Step

Projection = Literal["pca", "tsne"]
FEWEST = 5  # faces, below which there is nothing to arrange


@dataclass(frozen=True, eq=False)
class Embedding:
    """Faces as the last layer gets them: `values` float32 (N, D) of `layer`, `probabilities` (N, classes)."""

    layer: str
    values: np.ndarray
    probabilities: np.ndarray


def penultimate(network: Network) -> Step | None:
    """The step whose result the last layer with weights takes; None where that is the face itself.

    Raises FerError for an ensemble, each of whose members has a last layer.
    """
    network.check_single()
    last = [step for step in network.steps if isinstance(step.module, nn.Linear | nn.Conv2d)][-1]
    return None if last.inputs in ((FACE,), ()) else network.steps[last.inputs[0]]


def embed(
    network: Network, faces: Callable[[slice], np.ndarray], count: int, progress: Callable[[float], None] | None = None
) -> Embedding:
    """The values before the last layer for `count` faces, of which `faces` gives a slice for `Network.inputs`.

    Maps become their means; of a network of one layer the pixels themselves are taken. `progress` is told the
    share that is done. Raises FerError for an ensemble.
    """
    step = penultimate(network)
    values, probabilities = [], []
    for part in batches(network, count):
        inputs = network.inputs(faces(part))
        if step is None:
            found, shares = inputs.flatten(1), network.probabilities(inputs)
        else:
            outputs = network.outputs(inputs, [step.name])
            found, shares = _flat(outputs[step.name]), network.calibrated(outputs[""])
        values.append(found.float().numpy())
        probabilities.append(shares)
        if progress:
            progress(min(1.0, part.stop / count))
    return Embedding(step.name if step else "face", np.concatenate(values), np.concatenate(probabilities))


def _flat(values: Tensor) -> Tensor:
    return values.mean((2, 3)) if values.ndim == 4 else values.flatten(1)


def project(values: np.ndarray, how: Projection, seed: int = 0) -> tuple[np.ndarray, str]:
    """Points (N, 2) of values (N, D), and how to read them; raises FerError for too few faces.

    PCA keeps distances as well as a plane can; t-SNE keeps neighbours, and its distances between groups mean nothing.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    if len(values) < FEWEST:
        raise FerError(f"{len(values)} faces are too few to arrange; at least {FEWEST} are needed")
    if how == "pca":
        fit = PCA(2, random_state=seed)
        points = fit.fit_transform(values)
        share = float(fit.explained_variance_ratio_.sum())
        return points.astype(np.float32), f"The two directions hold {100 * share:.0f} % of the variance."
    narrow = values if values.shape[1] <= 50 else PCA(min(50, len(values)), random_state=seed).fit_transform(values)
    perplexity = min(30.0, (len(values) - 1) / 3)
    # its many short parallel parts take six times as long where another process works on the same cores
    with threadpool_limits(1):
        points = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(narrow)
    return points.astype(np.float32), "Neighbours stay neighbours; distances between groups mean nothing."
