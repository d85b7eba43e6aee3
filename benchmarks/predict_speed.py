"""How fast faces are found and read, beside the package `fer` where a Python that has it is named.

    python -m benchmarks.predict_speed [--run RUN] [--onnx FILE] [--peer-python PATH] [--rounds 15]

The peer has needs that clash with ours, so it lives in an environment of its own and is no requirement:

    python3 -m venv peer && peer/bin/pip install 'fer==25.10.3' 'opencv-python-headless<5' 'setuptools<81'

Measured in processes of their own, which take turns so that a busy machine slows all alike; the figures are medians
of wall and of processor time (of all threads):
* a frame of 640 × 480 with one face, Haar cascade and classification, with each side's own settings, and with
  the peer's settings (scale 1.1, faces from 50 pixels) on both sides;
* 256 face crops at once: gray, 48 × 48, on our side; the peer resizes them to its 64 × 64, and crops with a margin;
* from starting Python to the first answer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

DEFAULT_RUN = "mini_xception__raw__fer2013-official__s0__eafaf933"
CROPS = 256
TASKS = ("frame", "frame, same settings", "crops")
PEER_SETTINGS = {"scale_factor": 1.1, "min_neighbors": 5}
PEER_MIN_SIDE = 50
Tasks = dict[str, Callable[[], int]]  # each does its work once, and returns the number of faces


def frame_and_crops(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The pictures that all sides read: RGB (480, 640, 3) and gray (CROPS, 48, 48)."""
    return np.load(folder / "frame.npy"), np.load(folder / "crops.npy")


def save_pictures(folder: Path) -> None:
    """An astronaut in a frame as of a camera, and pieces of the photo around her face."""
    import cv2
    from skimage.data import astronaut

    photo = np.asarray(astronaut())
    frame = np.full((480, 640, 3), 90, np.uint8)
    frame[:, 64:576] = photo[:480]
    gray, shifts = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.random.default_rng(0).integers(-12, 12, (CROPS, 2))
    faces = [gray[66 + y : 162 + y, 177 + x : 273 + x] for x, y in shifts]
    np.save(folder / "frame.npy", frame)
    np.save(
        folder / "crops.npy", np.stack([cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA) for face in faces])
    )


def our_tasks(folder: Path, network: str) -> Tasks:
    """What we do: `network` is a run, or an exported file, which is read without torch."""
    from fer_core.inference import ExportedPredictor, FaceDetector

    if network.endswith(".onnx"):
        predictor = ExportedPredictor.from_file(Path(network))
    else:
        from fer_core.inference import Predictor

        predictor = Predictor.from_run(network)
    frame, crops = frame_and_crops(folder)
    same = FaceDetector(**PEER_SETTINGS, min_side=PEER_MIN_SIDE)
    return {
        TASKS[0]: lambda: len(predictor.predict(frame)),
        TASKS[1]: lambda: len(predictor.predict(frame, detector=same)),
        TASKS[2]: lambda: len(predictor.predict_faces(crops)),
    }


def peer_tasks(folder: Path) -> Tasks:
    """What `fer` does with its defaults, which are the settings that we take over."""
    from fer.fer import FER

    reader = FER(mtcnn=False)
    frame, crops = frame_and_crops(folder)
    frame = np.ascontiguousarray(frame[:, :, ::-1])  # it takes blue first
    # all crops as one picture, and where they lie in it; its margin of 10 pixels is the neighbour's
    sheet = np.repeat(crops.reshape(16, 16, 48, 48).swapaxes(1, 2).reshape(768, 768, 1), 3, axis=2)
    boxes = [(48 * column, 48 * row, 48, 48) for row in range(16) for column in range(16)]
    return {
        TASKS[0]: lambda: len(reader.detect_emotions(frame)),
        TASKS[1]: lambda: len(reader.detect_emotions(frame)),
        TASKS[2]: lambda: len(reader.detect_emotions(sheet, face_rectangles=boxes)),
    }


def serve(tasks: Tasks, answers: IO[str]) -> None:
    """Answer each task named on standard input with its faces, wall and processor seconds; the first after warming."""
    for line in sys.stdin:
        task = tasks[line.strip()]
        wall, processor = time.perf_counter(), time.process_time()
        faces = task()
        print(
            json.dumps([faces, time.perf_counter() - wall, time.process_time() - processor]), file=answers, flush=True
        )


def started(python: str, *arguments: str) -> subprocess.Popen[str]:
    """One side's process; what its packages print beside the answers is dropped."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [python, __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=environment, cwd=Path(__file__).resolve().parents[1],
    )  # fmt: skip


def asked(process: "subprocess.Popen[str]", task: str) -> tuple[int, float, float]:
    """(faces, wall seconds, processor seconds) of one task."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{task}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"{' '.join(map(str, process.args))} ended; run it by hand to see why")  # type: ignore[union-attr]
    faces, wall, processor = json.loads(answer)
    return faces, wall, processor


def start_up(sides: dict[str, list[str]], rounds: int) -> dict[str, tuple[float, float]]:
    """Median (wall, processor) seconds from starting each side's process to its first answer."""
    found: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, command in sides.items():
            before, wall = os.times(), time.perf_counter()
            with started(*command) as process:
                asked(process, TASKS[0])
                passed = time.perf_counter() - wall
                process.communicate()
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            found[side].append((passed, spent))
    return {side: middle(times) for side, times in found.items()}


def take_turns(sides: dict[str, list[str]], rounds: int) -> dict[str, dict[str, tuple[int, float, float]]]:
    """By task and side: faces, and median wall and processor seconds, after one round that is not counted."""
    processes = {side: started(*command) for side, command in sides.items()}
    answers: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    try:
        for turn in range(rounds + 1):
            for task in TASKS:
                for side, process in processes.items():
                    answer = asked(process, task)
                    if turn:
                        answers.setdefault((task, side), []).append(answer)
    finally:
        for process in processes.values():
            process.communicate()
    return {
        task: {side: (found[0][0], *middle([each[1:] for each in found])) for side in sides
               for found in [answers[task, side]]}
        for task in TASKS
    }  # fmt: skip


def middle(times: list[tuple[float, float]]) -> tuple[float, float]:
    """The median of the wall and of the processor times."""
    walls, processors = zip(*times, strict=True)
    return statistics.median(walls), statistics.median(processors)


def show(title: str, sides: dict[str, tuple[float, float]], faces: dict[str, int] | None = None) -> None:
    """One table: a line for each side, with how many times as fast as the peer it is."""
    print(f"\n{title}")
    for side, (wall, processor) in sides.items():
        ratio = ""
        if "fer" in sides and side != "fer":
            ratio = f"{sides['fer'][0] / wall:6.1f} × ({sides['fer'][1] / processor:.1f} × by processor time)"
        count = f"{faces[side]:4} faces" if faces else ""
        print(f"  {side:10}{1000 * wall:9.1f} ms   {1000 * processor:9.1f} ms of the processors{count}   {ratio}")


def main() -> None:
    """Print the tables, or be one side's process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default=DEFAULT_RUN, help="a run, by its name")
    parser.add_argument("--onnx", type=Path, help="the same run's exported file; exported anew unless given")
    parser.add_argument("--peer-python", default="", help="a Python that imports fer")
    parser.add_argument("--rounds", type=int, default=15, help="how often each task is done")
    parser.add_argument("--starts", type=int, default=3, help="how often each side is started")
    parser.add_argument("--side", choices=("ours", "fer"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        # packages print, too: the answers keep the real standard output to themselves
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        folder = arguments.folder
        serve(our_tasks(folder, arguments.run) if arguments.side == "ours" else peer_tasks(folder), answers)
        return
    compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """Measure all sides and print."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        folder = Path(name)
        save_pictures(folder)
        onnx = arguments.onnx or exported(arguments.run, folder)
        sides = {
            "torch": [sys.executable, "--side", "ours", "--run", arguments.run, "--folder", name],
            "exported": [sys.executable, "--side", "ours", "--run", str(onnx.resolve()), "--folder", name],
        }
        if arguments.peer_python:
            sides["fer"] = [arguments.peer_python, "--side", "fer", "--folder", name]
        else:
            print("Without --peer-python there is nothing to compare with: these are our figures alone.")
        print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; run {arguments.run}")
        for task, found in take_turns(sides, arguments.rounds).items():
            show(task, {side: times[1:] for side, times in found.items()}, {side: n[0] for side, n in found.items()})
        show("start", start_up(sides, arguments.starts))


def exported(run: str, folder: Path) -> Path:
    """The run's ONNX file, written into `folder`."""
    from fer_core.export import export_run
    from fer_core.runs import RunStore

    (written,) = export_run(RunStore().get(run), folder)
    return written.path


if __name__ == "__main__":
    main()
