"""Milliseconds for each view of the Network page, and how much each saliency method depends on training.

    python -m benchmarks.view_speed [--runs DIR] [--run RUN --run six_conv_cnn] [--faces 8]

Without --run: the first mini_xception and the run with the most multiplications that has its weights here.
A view is timed after the first use of its network, as the best of three. The sanity check compares the heat of
the trained network with that of two networks of random weights (Adebayo et al., 2018), over test images.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_core.datasets import load_dataset
from fer_core.errors import FerError
from fer_core.interpretation import (
    METHODS,
    Network,
    convolutions,
    feature_maps,
    filters,
    layer_table,
    mean_likeness,
    saliency,
    walk,
)
from fer_core.paths import runs_dir
from fer_core.runs import Run, RunStore

ROUNDS = 3


def milliseconds(view: Callable[[], object]) -> tuple[float, float]:
    """On the clock and of the processors, each the best of ROUNDS; on a busy machine the clock tells less."""
    times = []
    for _ in range(ROUNDS):
        clock, processor = time.perf_counter(), time.process_time()
        view()
        times.append((time.perf_counter() - clock, time.process_time() - processor))
    return 1000 * min(each[0] for each in times), 1000 * min(each[1] for each in times)


def count_layers(network: Network) -> object:
    """The layer table, computed as the page does."""
    with network.looking() as model:
        return layer_table(model, network.channels, network.size)


def views(network: Network, face: np.ndarray) -> dict[str, Callable[[], object]]:
    """What the page asks of a network, one view each, from the face's pixels on."""
    layers = [step.name for step in network.trunk if step.is_spatial] or [network.steps[-1].name]
    found: dict[str, Callable[[], object]] = {
        "layer table": lambda: count_layers(network),
        "prediction": lambda: network.probabilities(network.inputs(face[None])),
        "feature maps": lambda: feature_maps(network, network.inputs(face[None]), layers[0]),
        "walk": lambda: walk(network, network.inputs(face[None]), 24),
    }
    if convolutions(network):
        found["filters"] = lambda: filters(network, convolutions(network)[-1].name)
    for name in METHODS:
        found[name] = lambda name=name: saliency(network, network.inputs(face[None]), 0, name)  # type: ignore[misc]
    return found


def time_views(network: Network, face: np.ndarray) -> None:
    """Print one line a view; what a network does not allow says why."""
    for name, view in views(network, face).items():
        try:
            clock, processor = milliseconds(view)
            print(f"  {name:14}{clock:8.0f} ms   {processor:8.0f} ms of the processors")
        except FerError as error:
            print(f"  {name:14}       –    {error}")


def test_faces(run: Run, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Evenly chosen test images of a run, and their labels as its classes."""
    dataset, arrays = load_dataset(run.spec.dataset), run.predictions()
    chosen = np.linspace(0, len(arrays["test_ids"]) - 1, count).astype(int)
    return np.array(dataset.images[dataset.rows_of(arrays["test_ids"][chosen])]), arrays["test_labels"][chosen]


def check_sanity(network: Network, faces: np.ndarray, labels: np.ndarray) -> None:
    """Print how alike heat is with the trained and with random weights."""
    random = [network.with_random_weights(seed) for seed in (1, 2)]
    inputs = [network.inputs(face[None]) for face in faces]
    for name in METHODS:
        try:
            alike = mean_likeness(network, random, inputs, [int(label) for label in labels], name)
            print(f"  {name:14} rank correlation {alike.rank_correlation:6.2f}   SSIM {alike.ssim:5.2f}")
        except FerError as error:
            print(f"  {name:14} {error}")


def chosen_runs(store: RunStore, names: list[str]) -> list[Run]:
    """The named runs; by default a mini_xception and the costliest that has its weights."""
    if names:
        return [store.get(name) for name in names]
    able = [run for run in store.list() if run.state == "finished" and run.has_weights()]
    networks: dict[str, int] = {}
    for run in able:
        try:
            networks[run.id] = Network.from_run(run).macs
        except FerError:
            continue  # a table of descriptors has no pixels to look at
    smallest = [run for run in able if run.spec.architecture == "mini_xception"][:1]
    costliest = [run for run in able if run.id in networks and networks[run.id] == max(networks.values())][:1]
    return smallest + costliest


def main() -> None:
    """Print the times and the sanity check of the chosen runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=runs_dir(), help="folder of runs")
    parser.add_argument("--run", action="append", default=[], help="a run, once for each")
    parser.add_argument("--faces", type=int, default=8, help="test images of the sanity check; 0 leaves it out")
    arguments = parser.parse_args()
    for run in chosen_runs(RunStore(arguments.runs), arguments.run):
        started = time.perf_counter()
        network = Network.from_run(run)
        print(f"{run.id}: loaded in {time.perf_counter() - started:.2f} s, {network.macs / 1e6:,.0f} M multiplications")
        faces, labels = test_faces(run, max(1, arguments.faces))
        time_views(network, faces[0])
        if arguments.faces:
            print("  with random weights:")
            check_sanity(network, faces, labels)


if __name__ == "__main__":
    main()
