"""`predict` on a photo that is reduced when it is read: every box is told in pixels of the upright file."""

import csv
import io
import json
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from fer_core.inference import FaceBox, get_detector, read_image
from fer_core.runs import Run
from tests.fer_core.inference.command import invoke

TIMES = 10  # as wide and as high as the portrait
NOTE = "It was reduced from 5,120 × 4,400 pixels to a longer side of 4,096."


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """The portrait, ten times as large, without its lower edge, and lying on its side in the file."""
    path = tmp_path / "large.jpg"
    upright = Image.fromarray(skimage.data.astronaut()[:440]).resize((512 * TIMES, 440 * TIMES))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(path, "JPEG", exif=exif)
    return path


@pytest.fixture
def expected(run: Run, portrait: Path) -> list[int]:
    """Where the face of the portrait is in the large photo."""
    ((face,),) = [photo["faces"] for photo in json.loads(invoke(run.id, portrait, "--json").stdout)["photos"]]
    return [TIMES * face["box"][side] for side in ("x", "y", "width", "height")]


def test_json_csv_and_table_tell_boxes_of_the_file(run: Run, large: Path, expected: list[int]) -> None:
    result = invoke(run.id, large, "--json")
    (photo,) = json.loads(result.stdout)["photos"]
    assert (photo["width"], photo["height"], photo["notes"]) == (5120, 4400, [NOTE])
    (face,) = photo["faces"]
    box = FaceBox(**face["box"])
    assert [box.x, box.y, box.width, box.height] == pytest.approx(expected, abs=5 * TIMES)
    (row,) = csv.DictReader(io.StringIO(invoke(run.id, large, "--csv").stdout))
    assert FaceBox(*(int(row[side]) for side in ("x", "y", "width", "height"))) == box
    assert f"{box.width}×{box.height} at {box.x}, {box.y}" in " ".join(invoke(run.id, large).stdout.split())


@pytest.mark.parametrize("kind", [["--json"], ["--csv"], []])
def test_what_was_reduced_is_told_on_stderr(run: Run, large: Path, kind: list[str]) -> None:
    assert invoke(run.id, large, *kind).stderr == f"note: '{large}': {NOTE}\n"


@pytest.mark.parametrize(
    ("detector", "words"),
    [
        (
            "haar",
            "No face of at least 75 pixels was found, and smaller ones are not looked for",
        ),
        ("mtcnn", "No face was found; small ones are passed over"),
    ],
)
def test_where_no_face_is_found_in_a_large_picture_it_is_told_that_small_ones_are_not_looked_for(
    run: Run, tmp_path: Path, detector: str, words: str
) -> None:
    crowd = Image.new("RGB", (1500, 1000), "grey")
    crowd.paste(Image.fromarray(skimage.data.astronaut()).resize((100, 100)), (900, 300))  # its face has 19 pixels
    crowd.save(tmp_path / "crowd.png")
    result = invoke(run.id, tmp_path / "crowd.png", "--json", "--detector", detector)
    (photo,) = json.loads(result.stdout)["photos"]
    assert photo["faces"] == []
    assert photo["notes"][0].startswith(words)
    assert "parts" in photo["notes"][0]
    assert result.stderr == f"note: '{tmp_path / 'crowd.png'}': {photo['notes'][0]}\n"


@pytest.mark.parametrize(("side", "is_reduced"), [(640, True), (700, False), (720, False)])
def test_small_faces_are_said_to_be_passed_over_only_where_the_detector_reduces_the_picture(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int, is_reduced: bool
) -> None:
    monkeypatch.setattr(get_detector("mtcnn", "level"), "max_side", side)
    Image.new("RGB", (700, 500), "grey").save(tmp_path / "wall.png")
    result = invoke(run.id, tmp_path / "wall.png", "--json", "--detector", "mtcnn")
    (photo,) = json.loads(result.stdout)["photos"]
    assert photo["faces"] == []
    assert ("notes" in photo) is is_reduced


def test_a_given_box_is_one_of_the_file_and_told_as_it_was_given(run: Run, large: Path) -> None:
    (found,) = json.loads(invoke(run.id, large, "--json").stdout)["photos"][0]["faces"]
    given = ",".join(str(found["box"][side]) for side in ("x", "y", "width", "height"))
    result = invoke(run.id, large, "--json", "--box", given, "--box", "5119,4399,1,1")
    read, corner = json.loads(result.stdout)["photos"][0]["faces"]
    assert read["box"] == found["box"]
    assert read["probabilities"] == pytest.approx(found["probabilities"], abs=1e-6)
    assert corner["box"] == FaceBox(5119, 4399, 1, 1).to_json()
    result = invoke(run.id, large, "--box", "5119,4399,2,1")
    assert "5119,4399,2,1 does not lie within a picture of 5120 × 4400 pixels" in result.stderr


def test_the_face_is_framed_where_it_is_in_the_reduced_picture(run: Run, large: Path, tmp_path: Path) -> None:
    result = invoke(run.id, large, "--json", "--annotate", tmp_path / "marked")
    box = FaceBox(**json.loads(result.stdout)["photos"][0]["faces"][0]["box"])
    marked, plain = read_image(tmp_path / "marked" / "large.png"), read_image(large)
    assert marked.shape == plain.shape == (3520, 4096, 3)
    rows, columns = (marked != plain).any(axis=2).nonzero()
    line = 25  # its frame is drawn around it
    assert columns.min() == pytest.approx(0.8 * box.x, abs=line)
    assert columns.max() == pytest.approx(0.8 * (box.x + box.width), abs=line)
    assert rows.max() == pytest.approx(0.8 * (box.y + box.height), abs=line)
