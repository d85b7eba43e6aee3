"""What `grid --jobs N` gains over the same grid in turn, from the command to the table.

    python -m benchmarks.grid_speed [--architectures mini_xception,linear] [--jobs 2] [--epochs 2] [--pairs 3]

Each architecture is trained on four pipelines, on drawn faces unless `--dataset` names others, in folders of their
own; in turn a training has all threads of the processor, side by side they share them. On a GPU (`--device cuda`)
they share it. Printed are the seconds on the clock, with all that starts and loads, and their ratio.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time

PIPELINES = "raw,hist_eq,median,gaussian"


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", default="mini_xception,linear")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dataset", default="synthetic")
    options = parser.parse_args()
    grid = ("--architectures", options.architectures, "--preprocessing", PIPELINES, "--device", options.device)
    grid += ("--dataset", options.dataset, "--epochs", str(options.epochs))
    ratios = []
    for _ in range(options.pairs):
        in_turn, at_once = (seconds(*grid, "--jobs", str(jobs)) for jobs in (1, options.jobs))
        ratios.append(in_turn / at_once)
        print(f"in turn: {in_turn:.1f} s    {options.jobs} at once: {at_once:.1f} s", flush=True)
    print(f"{options.jobs} at once are {statistics.median(ratios):.2f} times as fast "
          f"[{min(ratios):.2f}, {max(ratios):.2f}]")  # fmt: skip


def seconds(*grid: str) -> float:
    """How long the grid takes; raises CalledProcessError where it fails."""
    with tempfile.TemporaryDirectory() as runs:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "fer_core", "grid", *grid, "--runs", runs], check=True, stdout=subprocess.DEVNULL
        )
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
