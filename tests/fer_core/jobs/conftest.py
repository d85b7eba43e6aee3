"""What the workers' tests compare with."""

import pytest
import torch

from fer_core.datasets import load_dataset
from fer_core.runs import Run, RunStore
from fer_core.training import train_run
from tests.fer_core.jobs.specs import LONG


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """LONG, trained in one go with as many threads as the worker's trainers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train_run(
            LONG, RunStore(tmp_path_factory.mktemp("whole")), device="cpu", dataset=load_dataset("synthetic")
        )
    finally:
        torch.set_num_threads(threads)
