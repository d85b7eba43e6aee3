"""The parts of the Photos page: boxes from the browser, tables, charts, and videos read in the background."""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dashboard import cache
from dashboard.photos import charts, film, tables, tracks
from dashboard.photos.faces import Box, Looked, Photo, Refused, boxes_within, faces_of
from dashboard.photos.film import Film, Reader
from fer_core.inference import FaceBox, Prediction, Predictor, get_detector
from fer_core.labels import EMOTIONS
from fer_core.runs import RunStore
from tests.dashboard.runs import make_run

SETTINGS = {"runs": {"a": "first", "b": "second"}, "unsure_below": 0.5}


def prediction(box: tuple[int, int, int, int], emotion: str = "happy", confidence: float = 0.88) -> Prediction:
    rest = (1 - confidence) / 6
    shares = {each: confidence if each == emotion else rest for each in EMOTIONS}
    return Prediction(FaceBox(*box), emotion, confidence, shares, np.zeros((48, 48), np.uint8))


def looked(name: str = "a.jpg", emotions: tuple[str, str] = ("happy", "happy"), confidence: float = 0.88) -> Looked:
    """A photo with one face, which two runs read."""
    box = (10, 20, 40, 40)
    by_run = {run: [prediction(box, each, confidence)] for run, each in zip("ab", emotions, strict=True)}
    return Looked(Photo(name, name, b""), 100, 80, False, faces_of([Box(*box)], by_run))


def test_boxes_of_the_browser_are_rounded_and_unsound_ones_left_out() -> None:
    sound = {"x": 10.4, "y": -3.6, "width": 30.0, "height": 41.5, "roll": -12.5}
    beside = sound | {"x": 200.0}
    drawn = [
        sound,
        beside,
        sound | {"width": 0.2},
        sound | {"x": float("nan")},
        sound | {"width": 9e9},
        "box",
        None,
        {},
    ]
    assert boxes_within(drawn, 100, 80) == (Box(10, -4, 30, 42, -12.5),)
    assert boxes_within("nonsense", 100, 80) == ()
    assert len(boxes_within([sound] * 5000, 100, 80)) == 200


def test_the_table_has_a_row_for_each_face_and_run_and_can_show_what_needs_a_look() -> None:
    photos = [looked(), looked("b.jpg", ("happy", "sad")), looked("c.jpg", confidence=0.3)]
    names = {"a": "first", "b": "second"}
    rows = tables.face_rows(photos, names, 0.5)
    assert rows[["photo", "run"]].values.tolist() == [
        [name, run] for name in ("a.jpg", "b.jpg", "c.jpg") for run in ("first", "second")
    ]
    assert list(rows["sure"]) == ["", "", "", "", "unsure", "unsure"]
    assert rows[list(EMOTIONS)].sum(axis=1).tolist() == pytest.approx([100] * 6)
    assert set(tables.face_rows(photos, names, 0.5, tables.UNSURE)["photo"]) == {"c.jpg"}
    assert set(tables.face_rows(photos, names, 0.5, tables.DISAGREED)["photo"]) == {"b.jpg"}
    assert set(tables.face_rows(photos, names, 0.5, tables.DISAGREED)["place"]) == {1}
    assert tables.face_rows([looked()], names, 0.5, tables.UNSURE).empty


def test_the_summary_counts_photos_faces_and_refusals() -> None:
    photos = [looked("b.jpg", ("happy", "sad")), looked("c.jpg", confidence=0.3)]
    said = tables.summary(photos, [Refused("d.heic", "it is HEIC")], 0.5)
    assert said == "2 photos · 2 faces · 1 unsure · 1 on which runs disagree · 1 file refused"
    assert tables.summary([looked()], [], 0.5) == "1 photo · 1 face"


def test_the_json_holds_what_every_run_reads_and_what_was_refused() -> None:
    found = json.loads(tables.to_json([looked()], [Refused("d.heic", "it is HEIC")], SETTINGS))
    assert found["runs"] == {"a": "first", "b": "second"}
    assert found["refused"] == [{"name": "d.heic", "reason": "it is HEIC"}]
    (face,) = found["photos"][0]["faces"]
    assert face["box"] == {"x": 10, "y": 20, "width": 40, "height": 40, "roll": 0.0}
    assert face["runs"]["b"]["emotion"] == "happy"
    assert sum(face["runs"]["b"]["probabilities"].values()) == pytest.approx(1)


def test_the_bars_of_several_runs_stand_side_by_side_under_their_letters() -> None:
    (face,) = looked(emotions=("happy", "sad")).faces
    rows = tables.shares(face, {"a": "A", "b": "B"})
    assert [(row["place"], row["run"]) for row in rows] == [(0, "A")] * 7 + [(1, "B")] * 7
    assert rows[3]["share_text"] == "88\N{NO-BREAK SPACE}%"
    spec = json.loads(charts.side_by_side(EMOTIONS, ("A", "B")))
    axis = spec["layer"][0]["encoding"]["x"]["axis"]
    assert axis["values"] == [0, 1]
    assert "'A'" in axis["labelExpr"]
    assert "'B'" in axis["labelExpr"]
    one = json.loads(charts.side_by_side(EMOTIONS, ("A",)))
    assert one["layer"][0]["encoding"]["x"]["axis"] is None


def test_a_face_keeps_its_number_while_it_moves_and_a_new_one_gets_the_next() -> None:
    tracker = tracks.Tracker()
    left, right = FaceBox(0, 0, 50, 50), FaceBox(200, 0, 60, 60)
    assert tracker.numbers([left, right], 0.0) == [1, 2]
    assert tracker.numbers([FaceBox(205, 5, 60, 60), FaceBox(8, 0, 50, 50)], 0.1) == [2, 1], "whatever their order"
    assert tracker.numbers([], 0.2) == []
    assert tracker.numbers([FaceBox(10, 0, 50, 50)], 1.0) == [1], "it was away for a moment"
    assert tracker.numbers([FaceBox(10, 0, 50, 50), FaceBox(400, 0, 50, 50)], 9.0) == [3, 4], "it was away for long"


@pytest.mark.parametrize(
    ("second", "expected"), [((0, 0, 10, 10), 1.0), ((5, 0, 10, 10), 1 / 3), ((10, 0, 10, 10), 0.0)]
)
def test_overlap_is_intersection_over_union(second: tuple[int, int, int, int], expected: float) -> None:
    assert tracks.overlap(FaceBox(0, 0, 10, 10), FaceBox(*second)) == pytest.approx(expected)


def test_a_long_video_is_drawn_as_means_and_a_gap_interrupts_its_lines() -> None:
    seconds = [*np.arange(0, 100, 0.1), *np.arange(200, 300, 0.1)]
    rows = [tracks.frame_row(number, at, 1, prediction((0, 0, 9, 9))) for number, at in enumerate(seconds)]
    table = tracks.frame_table(rows, 0.5)
    drawn = tracks.binned(table, 1, ["happy", "sad"])
    assert len(drawn) <= 2 * tracks.MOST_POINTS
    assert drawn["part"].nunique() == 2
    assert drawn[drawn["emotion"] == "happy"]["share"].to_numpy() == pytest.approx(0.88)
    assert charts.timeline(drawn).to_dict()["layer"][0]["encoding"]["detail"]["field"] == "part"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    run = make_run(RunStore(tmp_path_factory.mktemp("runs")), architecture="linear", weights=True)
    return Reader(Predictor.from_run(run), get_detector("haar"))


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
    table = tracks.frame_table(read.rows, 0.0)
    assert tracks.faces_by_time(table)[0] == 1
    assert table["seconds"].is_monotonic_increasing
    assert table["seconds"].iloc[-1] == pytest.approx(table["frame"].iloc[-1] / 12)
    assert read.annotated.startswith(b"\x1a\x45\xdf\xa3"), "it is a WebM"
    found = json.loads(read.to_json({"run": "some"}))
    assert (found["run"], found["looked_at"], len(found["faces"])) == ("some", 48, len(table))
    assert sum(found["faces"][0]["probabilities"].values()) == pytest.approx(1)
    assert found["faces"][0]["box"]["width"] == table["width"].iloc[0]
    assert not read.is_live


def test_a_cancelled_video_keeps_what_was_read_and_leaves_no_file(
    folder: Path, clip: bytes, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Film("sample.webm")
    ends = Film._ends
    monkeypatch.setattr(Film, "_ends", lambda self: (self.looked_at >= 10 and self.cancel()) or ends(self))
    read.start(clip, reader).join(timeout=120)
    assert read.state == "cancelled"
    assert read.looked_at == 10
    assert read.rows
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
    assert not read.rows


def test_what_is_left_of_a_video_is_told_from_its_pace() -> None:
    read = Film("a.mp4", frames=100, frame=25, seconds=10.0)
    assert read.remaining_s == pytest.approx(30)
    assert Film("a.mp4").remaining_s is None
