import pytest
import torch

from fer_core.datasets import load_dataset
from fer_core.runs import RunStore
from fer_core.training import TrainingSet, TrainingStopped


class Recorder:
    """An observer that remembers, and can interrupt after an epoch or stop after a batch."""

    def __init__(self, stop_after=None, stop_at_batch=None):
        self.records, self.checkpoints, self.batches = [], [], 0
        self.stop_after, self.stop_at_batch = stop_after, stop_at_batch

    def batch_done(self, epoch, done, total, images_per_s):
        self.batches += 1
        if self.batches == self.stop_at_batch:
            raise TrainingStopped("a test")

    def interrupted(self, checkpoint):
        self.checkpoints.append(checkpoint)

    def epoch_done(self, record, checkpoint):
        self.records.append(record)
        self.checkpoints.append(checkpoint)
        if record["epoch"] == self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def recorder():
    return Recorder


@pytest.fixture(scope="module")
def synthetic():
    return load_dataset("synthetic")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return RunStore(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def bright_or_dark():
    """96 faces of 48×48 whose class is their brightness: learnable in an epoch or two."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(96) % 3
    noise = torch.randint(0, 60, (96, 1, 48, 48), generator=generator)
    return TrainingSet((noise + 90 * labels.view(-1, 1, 1, 1)).clamp(max=255).to(torch.uint8), labels, 3)
