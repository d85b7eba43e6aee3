"""Temperature scaling and the calibration error it reduces."""

import numpy as np

SMALLEST = 1e-7  # below float16's smallest normal number; keeps log finite
BINS = 15


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (N, classes) as softmax(logits / temperature) would give them.

    Logits are only known up to a constant per row, which the softmax ignores, so log p serves.
    """
    logits = np.log(np.clip(probabilities.astype(np.float64), SMALLEST, None)) / temperature
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: np.ndarray = scaled / scaled.sum(axis=1, keepdims=True)
    return result


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean negative log likelihood of the true classes, in nats."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, SMALLEST, None)).mean())


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The temperature in [0.05, 20] with the lowest log loss on (validation) predictions.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017).
    """
    if len(labels) == 0:
        return 1.0
    from scipy.optimize import minimize_scalar  # a trainer that starts need not wait for it

    found = minimize_scalar(
        lambda log_t: log_loss(labels, apply_temperature(probabilities, float(np.exp(log_t)))),
        bounds=(np.log(0.05), np.log(20.0)),
        method="bounded",
    )
    return float(np.exp(found.x))


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """Mean |accuracy − confidence| over equal-width confidence bins, weighted by their sizes; in [0, 1]."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    index = np.clip((confidence * bins).astype(int), 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    gap = np.bincount(index, weights=correct, minlength=bins) - np.bincount(index, weights=confidence, minlength=bins)
    return float(np.abs(gap).sum() / max(1, counts.sum()))
