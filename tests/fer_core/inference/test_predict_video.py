"""`predict` on videos, and with several runs."""

import csv
import io
import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.architectures import ARCHITECTURES, build
from fer_core.cli.readings import Reader
from fer_core.config import RunSpec
from fer_core.inference import Predictor, get_detector
from fer_core.inference.video import MOST_FPS, MOST_WRITTEN_FPS, Frame, Video, _Clock, predict_video
from fer_core.runs import Run, RunStore
from tests.fer_core.inference.command import invoke
from tests.fer_core.inference.matroska import write_matroska


def test_photos_and_videos_come_in_the_order_of_their_paths(run: Run, portrait: Path, blank: Path, clip: Path) -> None:
    paths = (portrait, blank, clip, portrait)
    read = [
        (each.path, len(list(each.rows())))
        for each in Reader([Predictor.from_run(run)], get_detector(), every=5).read(paths)
    ]
    assert read == [(str(path), faces) for path, faces in zip(paths, (1, 0, 2, 1), strict=True)]


def second_run(run: Run) -> Run:
    recipe = ARCHITECTURES.get("mini_xception").paper_recipe
    second = RunStore().create(RunSpec("mini_xception", "raw", "synthetic", "official", recipe))
    second.save_weights(build("mini_xception").state_dict())
    return second


def test_several_runs_read_the_same_faces_of_photos_and_videos(run: Run, portrait: Path, clip: Path) -> None:
    second = second_run(run)
    paths, chosen = (portrait, clip), ("--beside", second.id, "--every", "4")
    both = json.loads(invoke(run.id, *paths, *chosen, "--json").stdout)
    assert both["runs"] == [run.id, second.id]
    for each in (run, second):
        alone = json.loads(invoke(each.id, *paths, "--every", "4", "--json").stdout)
        assert alone["run"] == each.id
        pairs = [(both["photos"][0]["faces"], alone["photos"][0]["faces"])]
        frames = zip(both["videos"][0]["looked_at"], alone["videos"][0]["looked_at"], strict=True)
        pairs += [(first["faces"], other["faces"]) for first, other in frames]
        assert len(pairs) == 4
        for read, expected in pairs:
            assert [face["box"] for face in read] == [face["box"] for face in expected]
            assert [face["runs"][each.id]["probabilities"] for face in read] == [
                pytest.approx(face["probabilities"], abs=1e-4) for face in expected
            ]
    rows = list(csv.DictReader(io.StringIO(invoke(run.id, *paths, *chosen, "--csv").stdout)))
    assert [(row["frame"], row["face"], row["run"]) for row in rows] == [
        (frame, "1", each.id) for frame in ("", "0", "4", "8") for each in (run, second)
    ]
    shown = invoke(run.id, portrait, "--beside", second.id).stdout
    assert f"B  {second.id}" in shown
    assert "named twice" in str(invoke(run.id, portrait, "--beside", run.id).exception)


def test_the_frames_of_a_long_video_are_written_as_they_are_read_and_not_kept(
    run: Run, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: weakref.WeakSet[Frame] = weakref.WeakSet()
    counts: list[int] = []

    def watched(*given: Any, **more: Any) -> Iterator[Frame]:
        for frame in predict_video(*given, **more):
            alive.add(frame)
            counts.append(len(alive))
            yield frame
            del frame

    monkeypatch.setattr("fer_core.cli.readings.predict_video", watched)
    for kind in ("--csv", "--json"):
        assert invoke(run.id, clip, clip, kind).exit_code == 0
    assert len(counts) == 40
    assert max(counts) <= 3, "frames of which someone holds the faces"


def test_few_frames_are_in_memory_however_many_a_video_has(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.inference.video.TOGETHER", 2)
    alive: list[weakref.ref[np.ndarray]] = []
    counts: list[int] = []

    class Watched(Video):
        def __iter__(self) -> Iterator[np.ndarray]:
            for image in super().__iter__():
                alive.append(weakref.ref(image))
                counts.append(sum(each() is not None for each in alive))
                yield image

    predictor = Predictor.from_run(run)
    frames = predict_video(predictor, Watched(clip), get_detector("whole"), annotate=tmp_path / "marked.webm")
    assert len(list(frames)) == 10
    assert len(counts) == 10
    assert max(counts) <= 5, "two frames that are read, two that wait, and the one that is decoded"


def test_the_table_of_a_long_video_is_cut_and_says_so(run: Run, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.cli.predict_output.MOST_ROWS", 4)
    shown = " ".join(invoke(run.id, clip).stdout.split())
    assert shown.count("clip.mp4, 0.") == 4
    assert "clip.mp4, 6 more rows --csv and --json give all" in shown


def test_frames_beyond_one_batch_are_all_read_in_their_order(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = json.loads(invoke(run.id, clip, "--every", "2", "--json").stdout)["videos"][0]["looked_at"]
    monkeypatch.setattr("fer_core.inference.video.TOGETHER", 3)
    result = invoke(run.id, clip, "--every", "2", "--json", "--annotate", tmp_path)
    read = json.loads(result.stdout)["videos"][0]["looked_at"]
    assert [frame["frame"] for frame in read] == [0, 2, 4, 6, 8]
    for frame, other in zip(read, expected, strict=True):
        assert frame["faces"][0]["box"] == other["faces"][0]["box"]
        assert frame["faces"][0]["probabilities"] == pytest.approx(other["faces"][0]["probabilities"], abs=1e-4)
    assert len(list(Video(tmp_path / "clip.webm"))) == 10


def test_a_video_is_read_frame_by_frame_and_annotated(run: Run, clip: Path, tmp_path: Path) -> None:
    result = invoke(run.id, clip, "--every", "3", "--json", "--annotate", tmp_path)
    (film,) = json.loads(result.stdout)["videos"]
    assert (film["width"], film["height"], film["frames"]) == (640, 480, 10)
    assert [(frame["frame"], frame["seconds"]) for frame in film["looked_at"]] == [(0, 0), (3, 0.3), (6, 0.6), (9, 0.9)]
    assert [len(frame["faces"]) for frame in film["looked_at"]] == [1, 1, 1, 1]
    xs = [frame["faces"][0]["box"]["x"] for frame in film["looked_at"]]
    assert xs == sorted(xs)
    annotated = Video(tmp_path / "clip.webm")
    assert (annotated.facts.width, annotated.facts.height, annotated.facts.fps) == (640, 480, 10)
    frames = list(annotated)
    assert len(frames) == 10
    assert np.abs(frames[0].astype(int) - next(iter(Video(clip))).astype(int)).max() > 100, "a frame is drawn"


def test_taking_no_more_frames_of_a_video_leaves_what_was_made(run: Run, clip: Path, tmp_path: Path) -> None:
    predictor, target = Predictor.from_run(run), tmp_path / "begun.webm"
    frames = predict_video(predictor, Video(clip), get_detector("whole"), annotate=target)
    for _ in range(4):
        next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert len(list(Video(target))) == 3


UNEVEN_MS = [*(40 * place for place in range(10)), *(400 + 200 * place for place in range(10))]


def gray_frames(count: int) -> list[np.ndarray]:
    return [np.full((96, 128, 3), 10 * place, np.uint8) for place in range(count)]


def test_frames_of_a_video_of_changing_rate_are_told_at_their_own_times(run: Run, tmp_path: Path) -> None:
    path = write_matroska(tmp_path / "screen.mkv", UNEVEN_MS, gray_frames(20))
    (film,) = json.loads(invoke(run.id, path, "--detector", "whole", "--every", "3", "--json").stdout)["videos"]
    assert [round(1000 * each["seconds"]) for each in film["looked_at"]] == UNEVEN_MS[::3]
    assert film["length_s"] == pytest.approx(2.2, abs=0.1)


def test_an_annotated_video_shows_each_frame_at_its_time_in_the_original(run: Run, tmp_path: Path) -> None:
    path, target = write_matroska(tmp_path / "screen.mkv", UNEVEN_MS, gray_frames(20)), tmp_path / "marked.webm"
    video = Video(path)
    assert video.facts.fps > 0
    list(predict_video(Predictor.from_run(run), video, get_detector("whole"), annotate=target, every=20))
    made = Video(target)
    brightness = [(made.seconds, float(image[-20:, -20:].mean())) for image in made]
    assert brightness[-1][0] == pytest.approx(2.2, abs=0.1)
    for place, time in enumerate(UNEVEN_MS[10:], start=10):
        shown = [value for seconds, value in brightness if -0.01 < seconds - time / 1000 < 0.19]
        assert shown == pytest.approx([10 * place] * len(shown), abs=4)
        assert shown


def test_times_that_stand_still_or_begin_anew_go_on() -> None:
    clock, told = _Clock(10.0), []
    for position in (0.0, 0.1, 0.1, 0.2, 0.0, 0.1, 0.5):
        clock.take(position)
        told.append(clock.seconds)
    assert told == pytest.approx([0, 0.1, 0.2, 0.2, 0.3, 0.4, 0.8])


def test_a_file_without_times_counts_them_at_a_usual_rate() -> None:
    clock, told = _Clock(0.0), []
    for _ in range(3):
        clock.take(0.0)
        told.append(clock.seconds)
    assert told == pytest.approx([0, 1 / 30, 2 / 30])


@pytest.mark.parametrize("wrong", [[0.2], [0.2, 0.6], [0.0]])
def test_a_single_wrong_time_changes_no_later_one(wrong: list[float]) -> None:
    clock, told = _Clock(10.0), []
    for position in (0.5, 0.6, 0.7, wrong[0], 0.9, *wrong[1:], 1.1, 1.2):
        clock.take(position)
        told.append(clock.seconds)
    assert told == sorted(told)
    assert told[4] == pytest.approx(0.9)
    assert told[-2:] == pytest.approx([1.1, 1.2])


def test_the_grid_of_uneven_times_is_no_rate_and_an_annotated_video_is_not_filled_by_it(
    run: Run, tmp_path: Path
) -> None:
    times = [4 * round((33 * place + 9 * (place * 7 % 5)) / 4) for place in range(30)]  # ms, on a grid of 4
    path, target = (
        write_matroska(tmp_path / "jitter.mkv", times, gray_frames(20) + gray_frames(10)),
        tmp_path / "marked.webm",
    )
    video = Video(path)
    assert video.facts.fps <= MOST_FPS
    list(predict_video(Predictor.from_run(run), video, get_detector("whole"), annotate=target, every=30))
    made = Video(target)
    assert len(list(made)) <= 1 + MOST_WRITTEN_FPS * times[-1] / 1000
    assert made.seconds == pytest.approx(times[-1] / 1000, abs=0.05)
