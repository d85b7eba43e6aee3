"""How much a saliency method depends on what was learnt: its pictures beside those of random weights.

Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim, "Sanity checks for saliency maps", 2018: a method whose picture
hardly changes when the weights are random shows the face's edges, and not what the network learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from fer_core.interpretation.network import Network
from fer_core.interpretation.saliency import saliency

SIMILAR = 0.5  # of the rank correlation: above, the picture has little to do with the training


@dataclass(frozen=True)
class Likeness:
    """How alike two pictures of heat are: Spearman's rank correlation and SSIM, of the absolute heat, each at most 1.

    The rank correlation is NaN where one of the pictures is the same everywhere.
    """

    rank_correlation: float
    ssim: float


def likeness(first: np.ndarray, second: np.ndarray) -> Likeness:
    """Compare two heats (S, S); signs are left out, as in the paper, since they flip between networks."""
    from scipy.stats import spearmanr
    from skimage.metrics import structural_similarity

    a, b = np.abs(first), np.abs(second)
    constant = np.ptp(a) == 0 or np.ptp(b) == 0
    correlation = float("nan") if constant else float(spearmanr(a.ravel(), b.ravel()).statistic)
    window = min(7, min(a.shape) // 2 * 2 - 1)
    return Likeness(correlation, float(structural_similarity(a, b, data_range=1.0, win_size=window)))


def mean_likeness(
    trained: Network, random: Sequence[Network], faces: Sequence[Tensor], targets: Sequence[int], method: str
) -> Likeness:
    """The mean over faces (1, C, S, S) and over networks with random weights; NaN correlations are left out."""
    found = [
        likeness(saliency(trained, face, target, method).heat, saliency(other, face, target, method).heat)
        for other in random
        for face, target in zip(faces, targets, strict=True)
    ]
    correlations = [each.rank_correlation for each in found if not np.isnan(each.rank_correlation)]
    rank = float(np.mean(correlations)) if correlations else float("nan")
    return Likeness(rank, float(np.mean([each.ssim for each in found])))
