"""What a worker costs beside plain `train`: the same runs, in turn, each from the command to the result.

    python -m benchmarks.worker_overhead [--epochs 30] [--pairs 3] [--threads 1]

Both train `mini_xception` on drawn faces in folders of their own. Printed are the seconds of processor time of
everything that was started (what else a busy machine does hardly counts in it), the seconds that the trainings
themselves took on the clock (`wall_s` of the run), and what comes on top of these: a process that starts, loads
torch and ends, for which a worker has its queue to look at, too.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
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
        print(f"train: {plain}    worker: {queued}", flush=True)
    processor = statistics.median(queued.processor / plain.processor for plain, queued in pairs)
    clock = statistics.median(queued.trained / plain.trained for plain, queued in pairs)
    more = statistics.median(queued.on_top - plain.on_top for plain, queued in pairs)
    print(f"with a worker: {processor:.3f} times the processor time; the training takes {clock:.3f} times as long on "
          f"the clock, and {more:.1f} s come on top of each run")  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """Seconds: of all processors, of the training on the clock, and of everything else on the clock."""

    processor: float
    trained: float
    on_top: float

    def __str__(self) -> str:
        return f"{self.processor:.1f} s of processor, {self.trained:.1f} s trained, {self.on_top:.1f} s on top"


def measure(*commands: tuple[str, ...]) -> Measured:
    """What the commands took together; on top is counted for the last one alone."""
    with tempfile.TemporaryDirectory() as folder:
        before = processor_seconds()
        for command in commands:
            began = time.perf_counter()
            subprocess.run([*PROGRAM, *command, "--runs", folder], check=True, capture_output=True)
            wall = time.perf_counter() - began
        (run,) = RunStore(Path(folder)).list()
        trained = run.environment()["wall_s"]
        return Measured(processor_seconds() - before, trained, wall - trained)


def processor_seconds() -> float:
    """Of all ended children, and of those that they waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
