import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from fer_core.architectures import ARCHITECTURES, build
from fer_core.cli import predict
from fer_core.config import RunSpec
from fer_core.errors import FerError
from fer_core.inference import FaceBox, Predictor, read_image
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


def test_a_single_bad_file_is_an_error_for_the_main_program(run: Run, tmp_path: Path) -> None:
    result = invoke(run.id, tmp_path / "absent.png")
    assert isinstance(result.exception, FerError)
    assert result.stdout == ""


def test_a_face_without_surroundings_is_predicted_whole(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    Image.fromarray(np.asarray(skimage.data.astronaut())[66:161, 177:272]).save(path)
    result = invoke(run.id, path, "--detector", "whole", "--json")
    (face,) = json.loads(result.stdout)["photos"][0]["faces"]
    assert face["box"] == FaceBox(0, 0, 95, 95).to_json()


def test_an_unknown_run_or_detector_is_refused_with_the_choices(run: Run, portrait: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=run.id.replace("+", r"\+")):
        raise invoke("resnet", portrait).exception or AssertionError("no error")
    assert "choose from haar, whole" in str(invoke(run.id, portrait, "--detector", "dog").exception)
    assert "there are none yet" in str(invoke(run.id, portrait, "--runs", tmp_path / "elsewhere").exception)
