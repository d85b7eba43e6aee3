import csv
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from fer_core.architectures import ARCHITECTURES, build
from fer_core.cli import predict
from fer_core.cli.readings import Reader
from fer_core.config import RunSpec
from fer_core.inference import FaceBox, Predictor, get_detector, read_image
from fer_core.inference.video import Video, predict_video
from fer_core.runs import Run, RunError, RunStore

app = typer.Typer()
app.command("predict")(predict.predict)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FER_RUNS_DIR", str(tmp_path / "runs"))
    recipe = ARCHITECTURES.get("mini_xception").paper_recipe
    run = RunStore().create(RunSpec("mini_xception", "hist_eq", "synthetic", "official", recipe))
    run.save_weights(build("mini_xception").state_dict())
    return run


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut [1].png"
    Image.fromarray(skimage.data.astronaut()).save(path)
    return path


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.png"
    Image.new("L", (200, 100), 90).save(path)
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A face that moves to the right over ten frames of 640 × 480, ten a second."""
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 480))
    for number in range(10):
        frame = np.full((480, 640, 3), 90, np.uint8)
        frame[:, 8 * number : 8 * number + 512] = skimage.data.astronaut()[:480]
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


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
    assert f"astronaut [1].png 95×95 at 177, 66 {face.emotion} {100 * face.confidence:.1f}" in words
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
        "error: 'notes.jpg' is not a picture",
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


def test_photos_and_videos_come_in_the_order_of_their_paths(run: Run, portrait: Path, blank: Path, clip: Path) -> None:
    paths = (portrait, blank, clip, portrait)
    read = list(Reader(Predictor.from_run(run), get_detector(), every=5).read(paths))
    assert [each.path for each in read] == [str(path) for path in paths]
    assert [len(list(each.rows())) for each in read] == [1, 0, 2, 1]


def test_photos_beyond_one_batch_are_all_read_in_their_order(
    run: Run, portrait: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [portrait, blank, portrait, portrait, blank]
    monkeypatch.setattr("fer_core.cli.readings.TOGETHER", 2)
    read = list(Reader(Predictor.from_run(run), get_detector()).read(paths))
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
    (photo,) = json.loads(invoke(run.id, tmp_path / "waving.gif", "--json").stdout)["photos"]
    assert photo["notes"] == ["Only the first frame of an animation was read."]


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


def test_folders_patterns_and_zips_are_read_in_order(run: Run, portrait: Path, blank: Path, tmp_path: Path) -> None:
    album = tmp_path / "album"
    (album / "deeper").mkdir(parents=True)
    shutil.copy(blank, album / "b.png")
    shutil.copy(blank, album / "deeper" / "a.PNG")
    (album / "notes.txt").write_text("no picture")
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        archive.write(blank, "inside/c.png")
        archive.writestr("__MACOSX/inside/._c.png", b"not a picture either")
    result = invoke(run.id, album, tmp_path / "blan*.png", tmp_path / "album.zip", "--json")
    assert result.exit_code == 0, result.stderr
    paths = [photo["path"] for photo in json.loads(result.stdout)["photos"]]
    assert paths == [str(album / "b.png"), str(album / "deeper" / "a.PNG"), str(blank), "album.zip/inside/c.png"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "empty", "there is no picture or video in folder"),
        (lambda folder: folder / "no*.jpg", "there is no picture or video in pattern"),
        (lambda folder: folder / "bad.zip", "'bad.zip' is no zip archive that can be read"),
        (lambda folder: folder / "none.zip", "there is no picture in 'none.zip'"),
        (lambda folder: folder / "text.mp4", "'text.mp4' is no video that can be read"),
    ],
)
def test_where_there_is_no_picture_one_sentence_says_so(
    run: Run, tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.zip").write_bytes(b"PK but not really")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    (tmp_path / "text.mp4").write_text("text")
    result = invoke(run.id, make(tmp_path))
    assert result.exit_code == 1
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


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
