"""The parts of the Photos page: boxes from the browser, tables and charts."""

import dataclasses
import json

import numpy as np
import pytest

from dashboard.photos import charts, tables
from dashboard.photos.faces import Box, Looked, Photo, Refused, boxes_within, faces_of
from fer_core.inference import FaceBox, Prediction
from fer_core.labels import EMOTIONS

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
    assert list(rows["sure"]) == ["yes", "yes", "yes", "yes", "unsure", "unsure"]
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


def test_boxes_of_a_reduced_photo_are_told_in_pixels_of_its_file() -> None:
    reduced = dataclasses.replace(looked(), scale=(2.5, 1.5))
    rows = tables.face_rows([reduced], {"a": "first", "b": "second"}, 0.5)
    assert rows[["x", "y", "width", "height"]].values.tolist() == [[25, 30, 100, 60]] * 2
    (told,) = json.loads(tables.to_json([reduced], [], SETTINGS))["photos"]
    assert (told["width"], told["height"]) == (250, 120)
    assert told["faces"][0]["box"] == {"x": 25, "y": 30, "width": 100, "height": 60, "roll": 0.0}


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
    four = json.dumps(json.loads(charts.side_by_side(EMOTIONS, tuple("ABCD"))))
    assert f"1 - {4 * charts.NUMBER_WIDTH} / width" in four, "the bars leave as many pixels as each number takes"
