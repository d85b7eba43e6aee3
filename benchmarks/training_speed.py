"""Images per second of our training step beside a plain PyTorch loop, in turn, in one process.

    python -m benchmarks.training_speed [--architectures mini_xception,conv_relu_ann] [--threads 2]

The plain loop is what a tutorial writes: float32, default memory layout, Adam, one batch of 128
normalised images after the other, no augmentation. Ours is the `modern` recipe's step as `fit` runs it,
augmentation and weight averaging included, at the same batch size.
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from fer_core.architectures import build
from fer_core.devices import resolve_device
from fer_core.preprocessing import scale_to_symmetric
from fer_core.training import TrainingSet, get_recipe
from fer_core.training.loop import train_epoch
from fer_core.training.state import TrainingState

BATCH = 128


class Unwatched:
    """An observer that does nothing."""

    def batch_done(self, *seen: object) -> None:
        """Ignore a batch."""

    def interrupted(self, *seen: object) -> None:
        """It never is."""

    def epoch_done(self, *seen: object) -> None:
        """Ignore an epoch."""


def random_faces(count: int, device: torch.device) -> TrainingSet:
    """Noise in the shape of FER2013: speed does not depend on what the faces show."""
    generator = torch.Generator().manual_seed(0)
    faces = torch.randint(0, 256, (count, 1, 48, 48), dtype=torch.uint8, generator=generator)
    return TrainingSet(faces.to(device), torch.randint(0, 7, (count,), generator=generator).to(device), 7)


def plain_epoch(architecture: str, data: TrainingSet, device: torch.device) -> Callable[[], None]:
    """One epoch of the plain loop, as a function to time."""
    model = build(architecture).to(device)
    optimizer = torch.optim.Adam(model.parameters())

    def run() -> None:
        for batch in torch.randperm(len(data)).to(device).split(BATCH):
            optimizer.zero_grad()
            logits = model(scale_to_symmetric(data.faces[batch]))
            nn.functional.cross_entropy(logits, data.labels[batch]).backward()
            optimizer.step()

    return run


def our_epoch(architecture: str, data: TrainingSet, device: torch.device) -> Callable[[], None]:
    """One epoch of `fit`, as a function to time."""
    recipe = dataclasses.replace(get_recipe("modern", architecture), batch_size=BATCH)
    model = build(architecture).to(device).to(memory_format=torch.channels_last)
    state = TrainingState.create(model, recipe, data, device)
    return lambda: void(train_epoch(state, data, 0, Unwatched()))


def void(result: object) -> None:
    """Drop a result."""


def rate(run: Callable[[], None], images: int, device: torch.device) -> float:
    """Images per second of one call."""
    began = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return images / (time.perf_counter() - began)


def main() -> None:
    """Time both loops in turn and print the median of the paired ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", default="mini_xception,conv_relu_ann")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = resolve_device(options.device)
    data = random_faces(options.images, device)
    print(f"{device}, {options.threads} threads, batch {BATCH}, {options.pairs} pairs of {options.images} images")
    for architecture in options.architectures.split(","):
        plain, ours = plain_epoch(architecture, data, device), our_epoch(architecture, data, device)
        plain(), ours()  # warm up
        pairs = [(rate(plain, len(data), device), rate(ours, len(data), device)) for _ in range(options.pairs)]
        ratios = sorted(b / a for a, b in pairs)
        print(
            f"{architecture}: plain {statistics.median(a for a, _ in pairs):.0f} images/s, "
            f"ours {statistics.median(b for _, b in pairs):.0f} images/s, "
            f"ratio {statistics.median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]"
        )


if __name__ == "__main__":
    main()
