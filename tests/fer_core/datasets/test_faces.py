"""Faces cropped from pictures while a dataset is prepared."""

import cv2
import numpy as np
import pytest
import skimage.data

from fer_core.datasets import DatasetError, SourceError, Wanted, load_dataset, prepare
from fer_core.datasets.faces import MARGIN, Pass, find_face
from fer_core.haar import FRONTAL

ASTRONAUT = np.ascontiguousarray(skimage.data.astronaut()[:280, 90:370])
MIDDLE = np.array([135.0, 115.0])  # between her eyes, nose and mouth, measured by hand
FLAT = np.full((150, 200, 3), (90, 120, 150), np.uint8)


def distance(square):
    """Pixels between the centre of a found square and that of the face."""
    return np.linalg.norm(np.array(square[:2]) + square.side / 2 - MIDDLE)


@pytest.fixture
def pictures(make, tmp_path):
    """Two portraits of different sizes and two pictures of nobody."""
    files = {
        "happy/astronaut.png": make.png(ASTRONAUT),
        "sad/smaller.png": make.png(cv2.resize(ASTRONAUT, (220, 220), interpolation=cv2.INTER_AREA)),
        "sad/nobody.png": make.png(FLAT),
        "fear/nobody.png": make.png(FLAT[:, :100]),
    }
    return make.folder(tmp_path / "pictures", files)


def test_the_largest_face_with_its_margin_fills_the_image(pictures, data_dir):
    dataset = prepare(pictures, "faces", data_dir, wanted=Wanted(96, without_face="keep"))
    assert dataset.images.shape == (4, 96, 96, 3)
    _, (x, y, side) = find_face(ASTRONAUT)
    edge = round(MARGIN * side)
    around = ASTRONAUT[y - edge : y + side + edge, x - edge : x + side + edge]
    expected = cv2.resize(around, (96, 96), interpolation=cv2.INTER_AREA)
    difference = dataset.images[list(dataset.ids).index("happy/astronaut")].astype(int) - expected
    assert np.abs(difference).mean() < 8  # gray levels: at most a pixel beside; without the margin it would be 38


def test_a_picture_stored_narrow_is_widened_to_how_it_is_shown(make, tmp_path, data_dir):
    height, width = ASTRONAUT.shape[:2]
    narrow = cv2.resize(ASTRONAUT, (round(width / 1.42), height), interpolation=cv2.INTER_AREA)
    files = {
        "happy/narrow.png": make.png(narrow),
        "happy/right.png": make.png(ASTRONAUT),
        "sad/flat.png": make.png(FLAT),
    }
    source = make.folder(tmp_path / "narrow", files)
    likeness = {}
    for aspect in (width / height, None):
        wanted = Wanted(64, without_face="keep", aspect=aspect)
        dataset = prepare(source, "faces", data_dir, wanted=wanted, replace=True)
        rows = [list(dataset.ids).index(f"happy/{name}") for name in ("narrow", "right")]
        likeness[aspect] = np.corrcoef(dataset.images[rows].reshape(2, -1))[0, 1]
        widened = "3 pictures widened to 1 times their height before" in dataset.manifest["conversions"]
        assert widened == (aspect is not None)
    assert likeness[width / height] > 0.93
    assert likeness[None] < 0.85


def test_without_a_face_the_centre_of_the_picture_is_kept_and_counted(pictures, data_dir):
    dataset = prepare(pictures, "faces", data_dir, wanted=Wanted(32, "gray", without_face="keep"))
    assert dataset.images.shape == (4, 32, 32)
    gray = cv2.cvtColor(FLAT[:1, :1], cv2.COLOR_RGB2GRAY).item()
    assert (dataset.images[list(dataset.ids).index("sad/nobody")] == gray).all()
    told = dataset.manifest["conversions"]
    assert any(line.startswith("2 of 4 pictures cropped to their largest face") for line in told)
    assert "2 of 4 pictures without a found face: their centre square kept" in told
    assert "4 colour images turned gray, as wanted" in told


def test_pictures_without_a_face_are_dropped_and_counted(pictures, data_dir):
    dataset = prepare(pictures, "faces", data_dir, wanted=Wanted(32, without_face="drop"))
    assert list(dataset.ids) == ["happy/astronaut", "sad/smaller"]
    assert "2 of 4 pictures without a found face: dropped" in dataset.manifest["conversions"]
    assert "no image of fear" in dataset.manifest["missing"]
    height, width = ASTRONAUT.shape[:2]
    assert dataset.manifest["original_sizes"] == [[220, 220, 1], [width, height, 1]], "of what was not dropped"


def test_pictures_without_a_face_are_refused_with_their_number_the_first_and_the_choices(
    pictures, data_dir, nothing_left
):
    with pytest.raises(SourceError) as error:
        prepare(pictures, "faces", data_dir, wanted=Wanted(32, without_face="refuse"))
    assert str(error.value) == (
        "no face was found in 2 of the 4 pictures of pictures, the first is 'fear/nobody'; "
        "choose --without-face keep (their centre) or drop (leave them out)"
    )
    assert nothing_left()


@pytest.mark.parametrize("without_face", ["keep", "drop", "refuse"])
def test_pictures_of_nobody_alone_are_refused(make, tmp_path, data_dir, nothing_left, without_face):
    source = make.folder(tmp_path / "walls", {f"{name}/wall.png": make.png(FLAT) for name in ("happy", "sad")})
    with pytest.raises(SourceError, match="no face was found in any picture of walls; prepare it without --faces"):
        prepare(source, "faces", data_dir, wanted=Wanted(32, without_face=without_face))
    assert nothing_left()


def test_a_dataset_of_which_one_class_is_left_is_refused(make, tmp_path, data_dir, nothing_left):
    files = {"happy/astronaut.png": make.png(ASTRONAUT), "sad/nobody.png": make.png(FLAT)}
    with pytest.raises(SourceError, match="faces were found in a single class of one, happy; choose --without-face"):
        prepare(make.folder(tmp_path / "one", files), None, data_dir, wanted=Wanted(32, without_face="drop"))
    assert nothing_left()


@pytest.mark.parametrize(("angle", "name"), [(30.0, "tilted left"), (-30.0, "tilted right")])
def test_a_tilted_face_is_found_where_it_is(angle, name):
    turn = cv2.getRotationMatrix2D(tuple(MIDDLE), angle, 1.0)
    found_by, square = find_face(cv2.warpAffine(ASTRONAUT, turn, (280, 280), borderMode=cv2.BORDER_REPLICATE))
    assert found_by == name
    assert distance(square) < 10
    assert 80 < square.side < 120


def test_a_face_found_in_the_mirror_is_told_where_it_is_in_the_picture():
    beside = cv2.cvtColor(np.ascontiguousarray(ASTRONAUT[:, :210]), cv2.COLOR_RGB2GRAY)
    square = Pass("mirrored", FRONTAL, 1.1, 5, 1 / 6, mirrored=True).largest(beside)
    assert distance(square) < 10


@pytest.mark.parametrize("side", [48, 1024])
def test_small_and_large_pictures_are_looked_at_in_a_fitting_size(side):
    portrait = cv2.resize(ASTRONAUT[20:220, 35:235], (side, side), interpolation=cv2.INTER_AREA)
    _, square = find_face(portrait)
    middle = (MIDDLE - (35, 20)) * side / 200
    assert np.abs(np.array(square[:2]) + square.side / 2 - middle).max() < side / 10


@pytest.mark.parametrize("shape", [(1, 1), (1, 1024), (1024, 1, 3), (40, 40, 3)])
def test_no_face_is_found_in_a_flat_picture_of_any_shape(shape):
    assert find_face(np.full(shape, 128, np.uint8)) == ("", None)


def test_progress_runs_once_from_nothing_to_all(pictures, data_dir):
    seen: list[tuple[float, int]] = []
    wanted = Wanted(32, without_face="keep")
    prepare(pictures, "faces", data_dir, lambda fraction, images: seen.append((fraction, images)), wanted)
    assert [fraction for fraction, _ in seen] == sorted(fraction for fraction, _ in seen)
    assert seen[-1] == (1.0, 4)


def test_ctrl_c_during_the_search_leaves_the_earlier_dataset_as_it_was(pictures, data_dir):
    earlier = prepare(pictures, "faces", data_dir, wanted=Wanted(16)).manifest

    def interrupt(fraction: float, _images: int) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(pictures, "faces", data_dir, interrupt, Wanted(32, without_face="keep"))
    assert load_dataset("faces", data_dir).manifest == earlier
    assert [path.name for path in data_dir.iterdir()] == ["faces"]


def test_a_picture_is_squeezed_whole_where_its_aspect_is_asked_for(make, tmp_path, data_dir):
    ramp = np.tile(np.linspace(0, 255, 120).astype(np.uint8), (40, 1))
    source = make.folder(tmp_path / "wide", {"happy/a.png": make.png(ramp), "sad/b.png": make.png(ramp[::-1])})
    cut = prepare(source, "cut", data_dir, wanted=Wanted(32)).images[0, 0]
    whole = prepare(source, "whole", data_dir, wanted=Wanted(32, aspect=1.0)).images[0, 0]
    assert cut[0] > 60  # the middle third alone
    assert whole[0] < 10
    assert whole[-1] > 245


def test_a_size_and_gray_can_be_asked_for_without_faces(make, tmp_path, data_dir):
    source = make.csv(tmp_path / "fer2013.csv", make.csv_rows())
    assert prepare(source, "small", data_dir, wanted=Wanted(24)).images.shape == (21, 24, 24)
    files = {f"{name}/1.png": make.png(make.colour_face(1, 30, 20)) for name in ("happy", "sad")}
    dataset = prepare(make.folder(tmp_path / "colour", files), None, data_dir, wanted=Wanted(20, "gray"))
    assert dataset.images.shape == (2, 20, 20)
    assert sum(number for *_, number in dataset.manifest["original_sizes"]) == len(dataset)
    assert dataset.manifest["conversions"] == [
        "2 images of other sizes resized to 20x20, cut at the edges",
        "2 colour images turned gray, as wanted",
    ]


def test_only_fer2013_as_it_is_takes_its_name(make, kaggle_files, tmp_path, data_dir, monkeypatch):
    monkeypatch.setattr("fer_core.datasets.preparation.missing_from_fer2013", lambda _counts: [])
    source = make.zip(tmp_path / "archive.zip", kaggle_files)
    assert prepare(source, None, data_dir).name == "fer2013"
    assert prepare(source, None, data_dir, wanted=Wanted(24)).name == "archive"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"size": 15}, "images can be 16 to 512 pixels wide and high, not 15"),
        ({"size": 513, "without_face": "keep"}, "images can be 16 to 512 pixels wide and high, not 513"),
        (
            {"size": 48, "without_face": "ask"},
            "unknown choice 'ask' for pictures without a face; choose from keep, drop, refuse",
        ),
        ({"aspect": 9.0}, "pictures can be 0.25 to 4 times as wide as high, not 9"),
        ({"aspect": 1.0}, "pictures shown at another aspect are brought to one size; say which"),
        ({"without_face": "drop"}, "faces are cropped to one size; say which"),
    ],
)
def test_what_cannot_be_wanted_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(DatasetError) as error:
        Wanted(**arguments)
    assert str(error.value) == sentence


def test_faces_cannot_be_cropped_from_a_table_of_descriptors(tmp_path, data_dir):
    components = [f"{name}_pc{number}" for name in ("lpq", "phog") for number in range(1, 6)]
    table = tmp_path / "sfew_lpq_phog.csv"
    table.write_text(",".join(["image", "label", *components]) + "\n")
    with pytest.raises(SourceError, match="holds descriptors, not pictures; leave out --faces"):
        prepare(table, None, data_dir, wanted=Wanted(48, without_face="keep"))
