"""How long one face takes, from its pixels to its probabilities."""

import time
from typing import Any

import numpy as np
import torch

from fer_core.errors import FerError
from fer_core.inference import Predictor
from fer_core.runs import Run
from fer_core.runs.summary import LATENCY
from fer_core.training.environment import processor_name

WARM_UP = 5  # faces that are read before the clock starts
SIZE = 48  # pixels a side, as FER2013's faces; the predictor brings them to its network's size


def measure_latency(run: Run, faces: int = 200) -> dict[str, Any]:
    """Median milliseconds of a run's predictor for one face of 48 × 48 on one CPU thread; written to latency.json.

    Raises FerError for a run that reads no photos, or whose weights are not here.
    """
    if run.state != "finished":
        raise FerError(f"run {run.id} is {run.state}; only a finished run has a latency")
    predictor = Predictor.from_run(run, "cpu")
    random = np.random.default_rng(0)
    drawn = random.integers(0, 256, (WARM_UP + faces, SIZE, SIZE), dtype=np.uint8)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times = [_milliseconds(predictor, face) for face in drawn][WARM_UP:]
    finally:
        torch.set_num_threads(threads)
    told = {
        "ms": float(np.median(times)),
        "ms_90": float(np.quantile(times, 0.9)),
        "faces": faces,
        "threads": 1,
        "device": "cpu",
        "device_name": processor_name(),
        "torch": torch.__version__,
    }
    run.write_json(LATENCY, told)
    return told


def _milliseconds(predictor: Predictor, face: np.ndarray) -> float:
    started = time.perf_counter()
    predictor.predict_faces(face[None])
    return 1000 * (time.perf_counter() - started)
