"""Confidence intervals of proportions."""

import math
from statistics import NormalDist


def wilson_interval(correct: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of `correct / n`, both ends in [0, 1]; (0, 1) where n is 0.

    `correct` need not be whole: a mean over repetitions is not.

    Source: E. B. Wilson (1927); recommended over the normal one by Brown, Cai and DasGupta (2001).
    """
    if not 0 <= correct <= n:
        raise ValueError(f"correct must lie between 0 and n, got {correct} of {n}")
    if n == 0:
        return 0.0, 1.0
    z = normal_quantile(0.5 + confidence / 2)
    share = correct / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def normal_quantile(share: float) -> float:
    """What a standard normal variable stays below with the probability `share` in (0, 1), to 15 decimals.

    The standard library's method is right to about 1 part in 10^16, and scipy.special takes half a second to load.
    """
    return round(NormalDist().inv_cdf(share), 15)
