"""Videos on the Photos page: followed faces, what is kept of them, charts, and reading in the background."""

import csv
import io
import json
import tempfile
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dashboard import cache
from dashboard.photos import charts, film, record, tracks
from dashboard.photos.film import Film, Reader
from dashboard.photos.record import Record
from fer_core.inference import FaceBox, Prediction, Predictor, get_detector
from fer_core.inference.video import Frame, Video
from fer_core.labels import EMOTIONS
from fer_core.runs import RunStore
from tests.dashboard.runs import make_run
from tests.dashboard.test_photos_parts import prediction


def test_a_face_keeps_its_number_while_it_moves_and_a_new_one_gets_the_next() -> None:
    tracker = tracks.Tracker()
    left, right = FaceBox(0, 0, 50, 50), FaceBox(200, 0, 60, 60)
    assert tracker.numbers([left, right], 0.0) == [1, 2]
    assert tracker.numbers([FaceBox(205, 5, 60, 60), FaceBox(8, 0, 50, 50)], 0.1) == [2, 1], "whatever their order"
    assert tracker.numbers([], 0.2) == []
    assert tracker.numbers([FaceBox(10, 0, 50, 50)], 1.0) == [1], "it was away for a moment"
    assert tracker.numbers([], 1.1) == []
    assert tracker.numbers([FaceBox(10, 0, 50, 50), FaceBox(400, 0, 50, 50)], 9.0) == [3, 4], "it was away for long"


def test_a_frame_that_is_shown_for_long_makes_no_new_face_and_no_gap() -> None:
    tracker, times = tracks.Tracker(), (0.0, 0.04, 0.08, 2.0, 2.04, 5.0, 5.04)
    assert [tracker.numbers([FaceBox(0, 0, 50, 50)], at) for at in times] == [[1]] * 7
    shown = Record(("a",))
    for frame, at in enumerate(times):
        shown.add(frame, at, 1, [prediction((3, 4, 9, 8), "happy")])
    assert record.binned(shown, 1, "a")["part"].nunique() == 1
    for frame, at in ((90, 9.0), (91, 9.04)):
        shown.add(frame, at, 1, [prediction((3, 4, 9, 8), "happy")])
    assert record.binned(shown, 1, "a")["part"].nunique() == 2


@pytest.mark.parametrize(
    ("second", "expected"), [((0, 0, 10, 10), 1.0), ((5, 0, 10, 10), 1 / 3), ((10, 0, 10, 10), 0.0)]
)
def test_overlap_is_intersection_over_union(second: tuple[int, int, int, int], expected: float) -> None:
    assert tracks.overlap(FaceBox(0, 0, 10, 10), FaceBox(*second)) == pytest.approx(expected)


def recorded(numbers: Iterable[int], fps: float = 10.0, runs: int = 1, faces: int = 1) -> Record:
    """A record of `faces` in each frame, which the first run reads as happy and every other one as sad."""
    found = Record(tuple("abcd"[:runs]))
    readings = [prediction((3, 4, 9, 8), "sad" if run else "happy") for run in range(runs)]
    for number in numbers:
        for face in range(1, faces + 1):
            found.add(number, number / fps, face, readings)
    return found


def test_a_long_video_is_drawn_as_means_and_a_gap_interrupts_its_lines() -> None:
    drawn = record.binned(recorded([*range(1000), *range(2000, 3000)]), 1, "a")
    assert len(drawn) <= len(EMOTIONS) * record.MOST_POINTS
    assert drawn["part"].nunique() == 2
    assert drawn[drawn["emotion"] == "happy"]["share"].to_numpy() == pytest.approx(0.88)
    spec = charts.timeline(drawn, (0, 300)).to_dict()["layer"][0]["encoding"]
    assert spec["detail"]["field"] == "part"
    assert spec["x"]["scale"]["domain"] == [0, 300]


def test_the_record_of_a_video_gives_back_what_every_run_reads() -> None:
    found = recorded([0, 5], runs=2, faces=2)
    names = {"a": "first", "b": "second"}
    table = record.table(found, names, 0.9)
    assert table[["frame", "seconds", "face", "run", "emotion", "sure"]].values.tolist() == [
        [frame, frame / 10, face, run, emotion, "unsure"]
        for frame in (0, 5)
        for face in (1, 2)
        for run, emotion in (("first", "happy"), ("second", "sad"))
    ]
    assert table["confidence"].to_numpy() == pytest.approx(88)
    assert table[["x", "y", "width", "height", "roll"]].drop_duplicates().values.tolist() == [[3, 4, 9, 8, 0]]
    assert len(record.table(found, names, 0.9, slice(0, 1))) == 2
    assert record.faces_by_time(found) == {1: 2, 2: 2}
    assert record.usual_emotions(found) == {1: "happy", 2: "happy"}
    assert record.agreement(found) == 0
    assert record.agreement(recorded([0])) == 1


def test_a_face_is_called_by_what_the_first_run_reads_most_often() -> None:
    found = Record(("a", "b"))
    for number, (face, emotion) in enumerate([(7, "sad"), (7, "happy"), (2, "fear"), (7, "sad")]):
        readings = [prediction((0, 0, 9, 9), each) for each in (emotion, "angry")]
        found.add(number, number / 25, face, readings)
    assert record.usual_emotions(found) == {2: "fear", 7: "sad"}


def test_an_emotion_that_a_run_does_not_know_is_left_out_where_none_does() -> None:
    known = Prediction(FaceBox(0, 0, 9, 9), "sad", 0.7, {"happy": 0.3, "sad": 0.7}, np.zeros((48, 48), np.uint8))
    found = Record(("a",))
    found.add(0, 0.0, 1, [known])
    assert [name for name in EMOTIONS if name in record.table(found, {"a": "a"}, 0)] == ["happy", "sad"]
    assert record.table(found, {"a": "a"}, 0)["emotion"].tolist() == ["sad"]
    assert set(record.binned(found, 1, "a")["emotion"]) == {"happy", "sad"}
    assert json.loads(record.to_json(found, {}))["faces"][0]["runs"]["a"]["probabilities"] == {"happy": 0.3, "sad": 0.7}


def test_the_files_of_a_long_video_are_written_in_parts_and_hold_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found = recorded(range(25), runs=2)
    whole = record.to_csv(found, 0.5), record.to_json(found, {"name": "a.mp4"})
    monkeypatch.setattr(record, "AT_ONCE", 4)
    assert (record.to_csv(found, 0.5), record.to_json(found, {"name": "a.mp4"})) == whole
    rows = list(csv.DictReader(io.StringIO(whole[0].decode())))
    assert [(row["frame"], row["run"]) for row in rows] == [(str(n), run) for n in range(25) for run in "ab"]
    assert len(json.loads(whole[1])["faces"]) == 25
    nothing = recorded([])
    assert record.to_csv(nothing, 0.5).decode().startswith("frame,seconds,face,run")
    assert json.loads(record.to_json(nothing, {"name": "b"})) == {"name": "b", "faces": []}


def test_an_hour_of_video_read_by_four_runs_is_kept_in_few_bytes() -> None:
    began = recorded(range(2), runs=4)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = recorded(range(5000), runs=4)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(began) == 2
    assert len(found) == 5000
    assert grown / 5000 < 180, "28 bytes for a face and 28 for each reading, and what arrays hold in reserve"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    run = make_run(RunStore(tmp_path_factory.mktemp("runs")), architecture="linear", weights=True)
    return Reader([Predictor.from_run(run)], get_detector("haar"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files go; the test fails if anything is left in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def clip() -> bytes:
    """The sample video: 48 frames at 12 a second."""
    return cache.sample_video()


def test_a_video_gives_numbers_of_each_frame_and_an_annotated_video(folder: Path, clip: bytes, reader: Reader) -> None:
    read = Film("sample.webm")
    read.start(clip, reader).join(timeout=120)
    assert (read.state, read.reason) == ("finished", "")
    assert (read.looked_at, read.frame, read.width) == (48, 48, 300)
    table = record.table(read.record, {read.record.runs[0]: "some"}, 0.0)
    assert next(iter(record.faces_by_time(read.record))) == 1
    assert table["seconds"].is_monotonic_increasing
    assert table["seconds"].iloc[-1] == pytest.approx(table["frame"].iloc[-1] / 12, abs=0.001)
    assert read.annotated.startswith(b"\x1a\x45\xdf\xa3"), "it is a WebM"
    found = json.loads(read.to_json({"run": "some"}))
    assert (found["run"], found["looked_at"], len(found["faces"])) == ("some", 48, len(table))
    (reading,) = found["faces"][0]["runs"].values()
    assert sum(reading["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert found["faces"][0]["box"]["width"] == table["width"].iloc[0]
    assert not read.is_live


def decoded(video: bytes, folders: pytest.TempPathFactory) -> np.ndarray:
    """The frames of a video file's bytes, (N, H, W, 3)."""
    path = folders.mktemp("decoded") / "video.webm"
    path.write_bytes(video)
    return np.stack(list(Video(path)))


def test_several_runs_read_the_same_faces_of_a_video_and_the_chosen_one_names_them(
    folder: Path, clip: bytes, reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = RunStore(tmp_path_factory.mktemp("runs"))
    second = Predictor.from_run(make_run(store, architecture="linear", preprocessing="hist_eq", weights=True, seed=3))
    first = reader.predictors[0]
    read, alone = Film("sample.webm"), Film("sample.webm")
    read.start(clip, replace(reader, predictors=[first, second], every=6, shown=1)).join(timeout=120)
    alone.start(clip, replace(reader, predictors=[second], every=6)).join(timeout=120)
    assert (read.state, read.looked_at) == ("finished", 8)
    assert read.record.runs == (first.run_id, second.run_id)
    assert np.array_equal(read.record.places(), alone.record.places())
    assert np.allclose(read.record.shares()[:, 1], alone.record.shares()[:, 0], atol=1e-5)
    assert not np.allclose(read.record.shares()[:, 0], read.record.shares()[:, 1], atol=1e-3)
    shown, by_second = (decoded(each.annotated, tmp_path_factory) for each in (read, alone))
    assert np.array_equal(shown, by_second), "the second run names its faces"


def test_an_annotated_video_ends_where_it_grows_too_large_and_the_reading_goes_on(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path / "noise.webm"
    writer = cv2.VideoWriter(str(source), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP80"), 10, (160, 160))
    noise = np.random.default_rng(0)
    for _ in range(200):  # noise, as a WebM is written in parts of 256 kB
        writer.write(noise.integers(0, 255, (160, 160, 3), np.uint8))
    writer.release()
    monkeypatch.setattr(film, "MOST_ANNOTATED", 20_000)
    read = Film("noise.webm")
    read.start(source.read_bytes(), replace(reader, detector=get_detector("whole"), every=10)).join(timeout=120)
    assert (read.state, read.looked_at) == ("finished", 20)
    assert read.annotated_s is not None
    assert 0 < read.annotated_s < 15
    assert len(decoded(read.annotated, tmp_path_factory)) == pytest.approx(10 * read.annotated_s, abs=10)


def test_a_cancelled_video_keeps_what_was_read_and_leaves_no_file(
    folder: Path, clip: bytes, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Film("sample.webm")
    ends = Film._ends
    monkeypatch.setattr(Film, "_ends", lambda self: (self.looked_at >= 10 and self.cancel()) or ends(self))
    read.start(clip, reader).join(timeout=120)
    assert read.state == "cancelled"
    assert read.looked_at == 10
    assert len(read.record) >= 5
    assert read.annotated


def test_while_a_video_is_read_its_own_file_is_gone_already(
    folder: Path, clip: bytes, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    ends = Film._ends

    def noted(self: Film) -> bool:
        seen.append([each.name for each in folder.rglob("*.*")])
        return ends(self)

    monkeypatch.setattr(Film, "_ends", noted)
    Film("sample.webm").start(clip, reader).join(timeout=120)
    assert len(seen) == 48
    assert {name for names in seen for name in names} == {"annotated.webm"}


def test_a_file_that_is_no_video_is_told_and_leaves_no_file(folder: Path, reader: Reader) -> None:
    read = Film("../holiday?.mp4")
    read.start(b"this is no video", reader).join(timeout=60)
    assert read.state == "failed"
    assert "is no video that can be read" in read.reason
    assert "holiday" in read.reason


def test_a_video_at_which_nobody_looks_any_more_is_given_up(
    folder: Path, clip: bytes, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film, "ABANDONED_S", -1.0)
    read = Film("sample.webm")
    read.start(clip, reader).join(timeout=60)
    assert (read.state, read.reason) == ("cancelled", "nobody waited for it any more")
    assert read.looked_at == 1


def test_a_third_video_waits_for_its_turn_and_can_be_cancelled_meanwhile(
    folder: Path, clip: bytes, reader: Reader
) -> None:
    with film._free, film._free:
        read = Film("sample.webm")
        thread = read.start(clip, reader)
        time.sleep(0.05)
        assert read.is_live
        assert not read.looked_at
        read.cancel()
        thread.join(timeout=60)
    assert read.state == "cancelled"
    assert not len(read.record)


def test_a_header_that_promises_too_short_a_video_is_not_believed() -> None:
    read = Film("sample.webm", length_s=0.25)
    read._take(iter([Frame(number, number / 12, ([],)) for number in range(5)]))
    assert (read.frame, read.looked_at) == (5, 5)
    assert read.share == 0
    assert read.remaining_s is None


def test_what_is_left_of_a_video_is_told_from_its_pace() -> None:
    read = Film("a.mp4", length_s=4.0, at_s=1.0, seconds=10.0)
    assert read.remaining_s == pytest.approx(30)
    assert Film("a.mp4").remaining_s is None
