"""Seconds until Overview and Leaderboard are drawn over many runs, and the memory that this takes.

    python -m benchmarks.store_speed [--runs 1000 10000] [--stores FOLDER]

For each number of runs a folder is made (see make_store; one that is there is used again), and each page is drawn in a
server process of its own, through Streamlit's AppTest: `first` without an index, every folder is read; `cold` by a new
process that finds the index; `warm` again, the median of five. A process has drawn the page without runs before, so
that the libraries are loaded. `new run` is the time from the end of a training to the list that has it. Each time is
told on the clock / of the processor: on a busy machine the clock tells little.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGES = ("overview", "leaderboard")
BARS = {1000: (1.5, 0.5), 10_000: (5.0, 1.0)}  # seconds for cold and warm, by the number of runs
MOST_MEMORY, LONGEST_WAIT = 1000, 5.0  # MB; seconds until a new run is seen
WARM_ROUNDS = 5
APP = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"
Timed = tuple[float, float]


def timed(work: Callable[[], object]) -> Timed:
    """Seconds on the clock, and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def draw(page: str, root: Path) -> dict[str, Any]:
    """Draw a page in this process: without runs, then with those of `root`, then again and again."""
    import logging

    logging.disable(logging.WARNING)
    from streamlit.testing.v1 import AppTest

    with tempfile.TemporaryDirectory() as empty:
        os.environ["FER_RUNS_DIR"] = empty
        app = AppTest.from_file(str(APP), default_timeout=600).run()
        if page != "overview":
            app.switch_page(f"app_pages/{page}.py").run()
    os.environ["FER_RUNS_DIR"] = str(root)
    first = timed(app.run)
    check(app)
    warm = [timed(app.run) for _ in range(WARM_ROUNDS)]
    check(app)
    seen = wait_for_a_new_run(root)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"first": first, "warm": warm, "new": seen, "mb": peak / 1024 / (1024 if sys.platform == "darwin" else 1)}


def check(app: Any) -> None:
    """Raise where the page shows an error or no table: a page that fails is quick."""
    if app.exception or app.error or not app.dataframe:
        raise RuntimeError(f"the page is not drawn: {[each.value for each in (*app.exception, *app.error)]}")


def wait_for_a_new_run(root: Path) -> float:
    """Seconds from the end of a training to the list that has the run as finished."""
    from dashboard import cache
    from fer_core.runs import Run, RunStore

    store = RunStore(root)
    template = next(run for run in cache.runs() if run.state == "finished")
    copy = root / f".new.{os.getpid()}"
    shutil.copytree(template.path, copy)
    name = f"{template.id.rpartition('__')[0]}__{os.getpid():08x}"
    started = time.perf_counter()
    os.rename(copy, root / name)
    while name not in {run.id for run in cache.runs() if run.state == "finished"}:
        time.sleep(0.02)
    seen = time.perf_counter() - started
    shutil.rmtree(store.delete(Run(root / name)))
    return seen


def measure(page: str, root: Path) -> dict[str, Any]:
    """`draw` in a process of its own: what it takes, and its memory, are its own."""
    command = [sys.executable, "-m", "benchmarks.store_speed", "--draw", page, "--stores", str(root)]
    done = subprocess.run(command, cwd=APP.parents[1], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows(count: int, root: Path) -> list[tuple[str, ...]]:
    """The table's lines for one folder of runs."""
    from benchmarks.make_store import fill
    from fer_core.runs.index_file import index_path

    if not root.exists():
        fill(root, count)
    found = []
    for page in PAGES:
        index_path(root).unlink(missing_ok=True)
        first, cold = measure(page, root), measure(page, root)
        warm = tuple(statistics.median(each[kind] for each in cold["warm"]) for kind in (0, 1))
        bars = BARS.get(count)
        verdict = "" if bars is None else told(cold["first"], warm, bars, cold)
        times = (seconds(first["first"]), seconds(cold["first"]), seconds(warm))  # type: ignore[arg-type]
        found.append(
            (f"{count:,}", page, *times, f"{cold['new']:.2f} s", f"{max(first['mb'], cold['mb']):.0f} MB", verdict)
        )
    return found


def told(cold: Timed, warm: tuple[float, ...], bars: tuple[float, float], other: dict[str, Any]) -> str:
    """Whether the bars are met: on the clock, or else by the processor's time alone."""
    if other["mb"] > MOST_MEMORY or other["new"] > LONGEST_WAIT:
        return "no"
    for name, kind in (("yes", 0), ("processor", 1)):
        if cold[kind] <= bars[0] and warm[kind] <= bars[1]:
            return name
    return "no"


def seconds(each: Timed) -> str:
    """`0.42 / 0.18 s`."""
    return f"{each[0]:.2f} / {each[1]:.2f} s"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=list(BARS))
    parser.add_argument("--stores", type=Path, default=Path(tempfile.gettempdir()) / "fer_stores")
    parser.add_argument("--draw", choices=PAGES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.draw:
        print(json.dumps(draw(arguments.draw, arguments.stores)))
        return
    print("| runs | page | first | cold | warm | new run | memory | within the bars |")
    print("|---:|---|---:|---:|---:|---:|---:|---|")
    for count in arguments.runs:
        for row in rows(count, arguments.stores / str(count)):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
