"""What a worker costs beside plain `train`: the same runs, in turn, each from the command to the result.

    python -m benchmarks.worker_overhead [--epochs 200] [--pairs 3] [--threads 1]

Both train `mini_xception` on drawn faces in folders of their own. Printed are the seconds that the trainings
themselves took (`wall_s` of the run) with their ratio, and what comes on top of them: a process that starts,
loads torch and ends, for which a worker has its queue to look at, too.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fer_core.runs import RunStore

PROGRAM = (sys.executable, "-m", "fer_core")


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    training = ("train", "-a", "mini_xception", "-d", "synthetic", "--epochs", str(options.epochs), "--device", "cpu")
    pairs = []
    for _ in range(options.pairs):
        plain = measure((*training, "--threads", str(options.threads)))
        queued = measure((*training, "--queue"), ("worker", "--until-empty", "--threads", str(options.threads)))
        pairs.append((plain, queued))
        print(f"train: {plain[0]:.1f} s trained, {plain[1]:.1f} s on top    "
              f"worker: {queued[0]:.1f} s trained, {queued[1]:.1f} s on top", flush=True)  # fmt: skip
    ratio = statistics.median(queued[0] / plain[0] for plain, queued in pairs)
    more = statistics.median(queued[1] - plain[1] for plain, queued in pairs)
    print(f"training itself takes {ratio:.3f} times as long; a worker adds {more:.1f} s to each run")


def measure(*commands: tuple[str, ...]) -> tuple[float, float]:
    """Seconds of the training itself, and what the last command took beyond them."""
    with tempfile.TemporaryDirectory() as folder:
        for command in commands:
            began = time.perf_counter()
            subprocess.run([*PROGRAM, *command, "--runs", folder], check=True, capture_output=True)
            wall = time.perf_counter() - began
        (run,) = RunStore(Path(folder)).list()
        trained = run.environment()["wall_s"]
        return trained, wall - trained


if __name__ == "__main__":
    main()
