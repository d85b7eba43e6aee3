"""`predict` on photos: what it finds, prints and writes."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from fer_core.cli.readings import Reader
from fer_core.errors import FerError
from fer_core.inference import FaceBox, Predictor, get_detector, read_image
from fer_core.runs import Run, RunError
from tests.fer_core.inference.command import invoke


def test_every_face_of_every_photo_is_listed_as_json(run: Run, portrait: Path, blank: Path) -> None:
    result = invoke(run.id, portrait, blank, "--json")
    assert result.exit_code == 0
    (face,) = Predictor.from_run(run).predict(read_image(portrait))
    assert json.loads(result.stdout) == {
        "run": run.id,
        "photos": [
            {"path": str(portrait), "width": 512, "height": 512, "faces": [face.to_json()]},
            {"path": str(blank), "width": 200, "height": 100, "faces": []},
        ],
    }


def test_the_table_shows_box_emotion_and_all_probabilities(run: Run, portrait: Path, blank: Path) -> None:
    result = invoke("mini_x", portrait, blank)
    assert result.exit_code == 0
    (face,) = Predictor.from_run(run).predict(read_image(portrait))
    words = " ".join(result.stdout.split())
    box = f"{face.box.width}×{face.box.height} at {face.box.x}, {face.box.y}"
    assert f"astronaut [1].png {box} {face.emotion} {100 * face.confidence:.1f}" in words
    for emotion, probability in face.probabilities.items():
        assert f"{emotion} {100 * probability:.1f}" in words
    assert "blank.png no face found" in words


def test_one_bad_file_among_several_is_told_and_the_others_are_predicted(
    run: Run, portrait: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.jpg"
    bad.write_text("dear diary")
    result = invoke(run.id, bad, portrait, tmp_path / "absent.png", "--json")
    assert result.exit_code == 1
    assert [photo["path"] for photo in json.loads(result.stdout)["photos"]] == [str(portrait)]
    assert [line.split(";")[0] for line in result.stderr.splitlines()] == [
        f"error: '{bad}' is not a picture",
        f"error: there is no file '{tmp_path / 'absent.png'}'",
    ]


def test_a_single_bad_file_is_told_and_gives_status_one(run: Run, tmp_path: Path) -> None:
    result = invoke(run.id, tmp_path / "absent.png")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"error: there is no file '{tmp_path / 'absent.png'}'\n"


def test_a_bad_archive_does_not_hide_the_paths_after_it(run: Run, portrait: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK but not really")
    result = invoke(run.id, tmp_path / "bad.zip", tmp_path / "no*.jpg", portrait, "--json")
    assert result.exit_code == 1
    assert [photo["path"] for photo in json.loads(result.stdout)["photos"]] == [str(portrait)]
    assert len(result.stderr.splitlines()) == 2


def test_photos_beyond_one_batch_are_all_read_in_their_order(
    run: Run, portrait: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [portrait, blank, portrait, portrait, blank]
    monkeypatch.setattr("fer_core.cli.readings.TOGETHER", 2)
    read = list(Reader([Predictor.from_run(run)], get_detector()).read(paths))
    assert [each.path for each in read] == [str(path) for path in paths]
    assert [len(list(each.rows())) for each in read] == [1, 0, 1, 1, 0]


def test_a_given_box_is_read_instead_of_found_faces(run: Run, portrait: Path) -> None:
    result = invoke(run.id, portrait, "--box", "200,90,50,50", "--box", "0,0,512,512", "--json")
    (photo,) = json.loads(result.stdout)["photos"]
    expected = [FaceBox(200, 90, 50, 50), FaceBox(0, 0, 512, 512)]
    assert [FaceBox(**face["box"]) for face in photo["faces"]] == expected
    by_hand = Predictor.from_run(run).predict(read_image(portrait), boxes=expected)
    for written, face in zip(photo["faces"], by_hand, strict=True):
        assert written["probabilities"] == pytest.approx(face.probabilities)


def test_a_box_that_does_not_fit_is_refused(run: Run, portrait: Path, blank: Path) -> None:
    assert "expected a box as x,y,width,height" in str(invoke(run.id, portrait, "--box", "1,2,3").exception)
    assert "at least 1 pixel" in str(invoke(run.id, portrait, "--box", "1,2,3,0").exception)
    result = invoke(run.id, blank, portrait, "--box", "150,80,100,100", "--json")
    assert result.exit_code == 1
    assert "150,80,100,100 does not lie within a picture of 200 × 100 pixels" in result.stderr
    assert [photo["path"] for photo in json.loads(result.stdout)["photos"]] == [str(portrait)]


def test_eyes_are_levelled_only_by_a_detector_that_finds_them(run: Run, portrait: Path) -> None:
    result = invoke(run.id, portrait, "--detector", "mtcnn", "--alignment", "level", "--json")
    ((face,),) = [photo["faces"] for photo in json.loads(result.stdout)["photos"]]
    assert 1 < face["box"]["roll"] < 8
    assert "'haar' finds no eyes to level; choose from" in str(
        invoke(run.id, portrait, "--alignment", "level").exception
    )


def test_json_tells_what_of_a_file_was_not_read(run: Run, tmp_path: Path) -> None:
    frames = [Image.new("L", (60, 40), level) for level in (90, 200)]
    frames[0].save(tmp_path / "waving.gif", save_all=True, append_images=frames[1:])
    result = invoke(run.id, tmp_path / "waving.gif", "--json")
    (photo,) = json.loads(result.stdout)["photos"]
    assert photo["notes"] == ["Only the first frame of an animation was read."]
    assert result.stderr == f"note: '{tmp_path / 'waving.gif'}': {photo['notes'][0]}\n"


def test_a_face_without_surroundings_is_predicted_whole(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    Image.fromarray(np.asarray(skimage.data.astronaut())[66:161, 177:272]).save(path)
    result = invoke(run.id, path, "--detector", "whole", "--json")
    (face,) = json.loads(result.stdout)["photos"][0]["faces"]
    assert face["box"] == FaceBox(0, 0, 95, 95).to_json()


def test_an_unknown_run_or_detector_is_refused_with_the_choices(run: Run, portrait: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=run.id.replace("+", r"\+")):
        raise invoke("resnet", portrait).exception or AssertionError("no error")
    assert "choose from centerface, haar, mtcnn, whole" in str(invoke(run.id, portrait, "--detector", "dog").exception)
    assert "there are none yet" in str(invoke(run.id, portrait, "--runs", tmp_path / "elsewhere").exception)


def test_csv_has_a_line_for_every_face_whose_probabilities_are_those_of_json(run: Run, portrait: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(invoke(run.id, portrait, "--csv").stdout))
    ((face,),) = [photo["faces"] for photo in json.loads(invoke(run.id, portrait, "--json").stdout)["photos"]]
    assert {key: float(row[key]) for key in face["box"]} == face["box"]
    assert row["emotion"] == face["emotion"]
    assert {name: float(row[name]) for name in face["probabilities"]} == pytest.approx(face["probabilities"], abs=1e-4)


def test_annotated_pictures_have_frames_and_never_replace_each_other(run: Run, portrait: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert invoke(run.id, portrait, "--annotate", tmp_path / "marked").exit_code == 0
    first, second = sorted((tmp_path / "marked").iterdir())
    assert first.name == "astronaut [1]-2.png"
    assert first.read_bytes() == second.read_bytes()
    changed = (read_image(first) != read_image(portrait)).any(axis=2)
    assert 0.001 < changed.mean() < 0.2


def test_a_file_in_the_place_of_the_folder_is_refused_before_a_run_is_loaded(portrait: Path, tmp_path: Path) -> None:
    for folder in (portrait, portrait / "below"):
        refused = invoke("no-such-run", portrait, "--runs", tmp_path / "elsewhere", "--annotate", folder).exception
        assert isinstance(refused, FerError)
        assert f"'{portrait}' is no folder; name a folder" in str(refused)


def test_no_folder_is_made_where_there_is_no_run(portrait: Path, tmp_path: Path) -> None:
    invoke("no-such-run", portrait, "--runs", tmp_path / "elsewhere", "--annotate", tmp_path / "marked")
    assert not (tmp_path / "marked").exists()
