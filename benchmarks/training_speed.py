"""Images per second of our training step beside two plain loops, in turn, in one process, and how near the roof it is.

    python -m benchmarks.training_speed [--architectures mini_xception,conv_relu_ann] [--threads 2]

The plain loop is what a tutorial writes: float32, default memory layout, Adam, one batch of 128
normalised images after the other, no augmentation. Ours is the `modern` recipe's step as `fit` runs it,
augmentation and weight averaging included, at the same batch size. The Keras-like loop is the plain one
behind what Keras' ImageDataGenerator does for paper 1's network: every image on its own turned, shifted,
zoomed and mirrored by SciPy, within the same limits as ours.

The roof is what this device reaches in the same precision where nothing but one large product of square
matrices is computed; a network's operations are those of its convolutions and matrices, forward and backward.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.ndimage import affine_transform
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fer_core.architectures import build
from fer_core.devices import resolve_device, resolve_precision
from fer_core.heap import freed_memory_kept
from fer_core.preprocessing import scale_to_symmetric
from fer_core.training import TrainingSet, get_recipe
from fer_core.training.loop import train_epoch
from fer_core.training.state import TrainingState
from fer_core.training.updates import Updates

BATCH = 128
SIDE = 48
TURN, SHIFT, ZOOM = 10, 0.08, 0.1  # degrees and shares, as the recipe `modern` has them
SQUARE = 2048  # rows of the matrices that measure the roof


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
            plain_step(model, optimizer, data.faces[batch], data.labels[batch])

    return run


def plain_step(model: nn.Module, optimizer: torch.optim.Optimizer, faces: torch.Tensor, labels: torch.Tensor) -> None:
    """One update on faces uint8 (B, 1, S, S), as a tutorial writes it."""
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(scale_to_symmetric(faces)), labels).backward()
    optimizer.step()


def keras_like_epoch(architecture: str, data: TrainingSet, device: torch.device) -> Callable[[], None]:
    """One epoch of the plain loop on faces that are augmented one by one on the CPU, as a function to time."""
    model = build(architecture).to(device)
    optimizer = torch.optim.Adam(model.parameters())
    faces, random = data.faces.cpu().numpy()[:, 0], np.random.default_rng(0)

    def run() -> None:
        for batch in torch.randperm(len(data)).split(BATCH):
            augmented = np.stack([augmented_alone(faces[row], random) for row in batch.tolist()])
            plain_step(model, optimizer, torch.from_numpy(augmented)[:, None].to(device), data.labels[batch.to(device)])

    return run


def augmented_alone(face: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One face uint8 (S, S), turned, zoomed and shifted about its middle by bilinear interpolation, or mirrored too."""
    angle, zoom = np.deg2rad(random.uniform(-TURN, TURN)), random.uniform(1 - ZOOM, 1 + ZOOM)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, (SIDE - 1) / 2)
    offset = middle - turn @ middle + random.uniform(-SHIFT, SHIFT, 2) * SIDE
    moved = affine_transform(face, turn, offset, order=1, mode="nearest")
    return np.ascontiguousarray(moved[:, ::-1]) if random.random() < 0.5 else moved


def our_epoch(architecture: str, data: TrainingSet, device: torch.device) -> Callable[[], None]:
    """One epoch of `fit`, as a function to time."""
    recipe = dataclasses.replace(get_recipe("modern", architecture), batch_size=BATCH)
    model = build(architecture).to(device).to(memory_format=torch.channels_last)
    state = TrainingState.create(model, recipe, data, device)
    update = Updates.of(state, data)

    def run() -> None:
        with freed_memory_kept(device):  # as `train_run` does, and the plain loops do not
            train_epoch(update, 0, Unwatched())

    return run


def operations(architecture: str) -> float:
    """Floating-point operations of one training image: of convolutions and matrices, forward and backward."""
    model, images = build(architecture), torch.zeros(BATCH, 1, SIDE, SIDE)
    with FlopCounterMode(display=False) as counter:
        model(images).sum().backward()
    return counter.get_total_flops() / BATCH


def roof(device: torch.device, precision: torch.dtype) -> float:
    """Operations per second of a product of two SQUARE × SQUARE matrices: the best of ten."""
    matrix = torch.randn(SQUARE, SQUARE, device=device).to(precision)

    def run() -> None:
        matrix @ matrix

    run()
    return max(rate(run, 2 * SQUARE**3, device) for _ in range(10))


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
    precision = resolve_precision("auto", device)  # as `modern` has it
    best = roof(device, precision)
    print(f"{device}, {options.threads} threads, batch {BATCH}, {options.pairs} rounds of {options.images} images")
    print(f"roof: {best / 1e9:,.0f} GFLOP/s in {str(precision).removeprefix('torch.')}")
    for architecture in options.architectures.split(","):
        loops = [make(architecture, data, device) for make in (keras_like_epoch, plain_epoch, our_epoch)]
        for run in loops:  # warm up
            run()
        rounds = np.array([[rate(run, len(data), device) for run in loops] for _ in range(options.pairs)])
        keras, plain, ours = np.median(rounds, axis=0)
        ratios = rounds[:, 2] / rounds[:, 1]
        share = operations(architecture) * ours / best
        print(
            f"{architecture}: Keras-like {keras:.0f}, plain {plain:.0f}, ours {ours:.0f} images/s; "
            f"ours / plain {np.median(ratios):.2f} [{ratios.min():.2f}, {ratios.max():.2f}], "
            f"ours / Keras-like {np.median(rounds[:, 2] / rounds[:, 0]):.2f}, {share:.1%} of the roof"
        )


if __name__ == "__main__":
    main()
