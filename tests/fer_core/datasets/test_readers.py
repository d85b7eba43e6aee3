from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.datasets import load_dataset, prepare, served_protocols
from fer_core.datasets.classes import label_of_name
from fer_core.labels import EMOTIONS


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.xz", "tar.gz", "tar.bz2"])
def test_kaggle_s_layout_gives_one_dataset_whatever_it_is_packed_in(kind, make, kaggle_files, tmp_path, data_dir):
    reference = prepare(make.folder(tmp_path / "reference", kaggle_files), "reference", data_dir)
    source = tmp_path / f"fer.{kind}"
    write = {"folder": make.folder, "zip": make.zip}.get(kind, make.tar)
    dataset = prepare(write(source, kaggle_files), "packed", data_dir)
    assert dataset.manifest["sha256"] == reference.manifest["sha256"]
    assert dataset.manifest["source"]["format"] == "kaggle_folders"
    assert dataset.manifest["source"]["file"] == source.name
    assert np.array_equal(dataset.ids, reference.ids)
    assert dataset.images.shape == (42, 48, 48)


def test_the_official_split_is_read_from_the_file_names(make, kaggle_files, tmp_path, data_dir):
    dataset = prepare(make.zip(tmp_path / "archive.zip", kaggle_files), None, data_dir)
    row = int(np.flatnonzero(dataset.ids == "happy/PrivateTest_1")[0])
    assert (dataset.split[row], dataset.labels[row]) == ("test", EMOTIONS.index("happy"))
    assert np.array_equal(dataset.images[row], make.face(EMOTIONS.index("happy") * 100 + 21))
    assert {part: sum(counts.values()) for part, counts in dataset.manifest["counts"].items()} == {
        "train": 14,
        "valid": 14,
        "test": 14,
    }


def test_an_incomplete_fer2013_says_what_is_missing_and_does_not_take_its_name(make, kaggle_files, tmp_path, data_dir):
    dataset = prepare(make.zip(tmp_path / "archive.zip", kaggle_files), None, data_dir)
    assert dataset.name == "archive"
    assert dataset.manifest["missing"][0].startswith("train (Training) has 14 of 28,709 images: angry 2 of 3,995")
    without_test = {name: content for name, content in kaggle_files.items() if "PrivateTest" not in name}
    missing = prepare(make.zip(tmp_path / "b.zip", without_test), None, data_dir).manifest["missing"]
    assert missing[-1] == "test (PrivateTest) is missing: none of its 3,589 images"


def test_fer2013_csv_gives_pixels_labels_splits_and_ids_with_the_row(make, tmp_path, data_dir):
    dataset = prepare(make.csv(tmp_path / "fer2013.csv", make.csv_rows()), "csv", data_dir)
    row = int(np.flatnonzero(dataset.ids == "happy/PrivateTest_00018")[0])  # the 18th row, counted from 1
    assert np.array_equal(dataset.images[row], make.face(17))
    assert (dataset.labels[row], dataset.split[row]) == (3, "test")
    assert served_protocols(dataset) == ["official"]


def test_icml_face_data_with_spaces_in_its_column_names_gives_the_same_dataset(make, tmp_path, data_dir):
    rows = make.csv_rows()
    reference = prepare(make.csv(tmp_path / "fer2013.csv", rows), "csv", data_dir)
    icml = tmp_path / "icml_face_data.csv"
    lines = ["emotion, Usage, pixels", *(f"{emotion},{usage},{pixels}" for emotion, pixels, usage in rows)]
    icml.write_text("\r\n".join(lines))
    dataset = prepare(icml, "icml", data_dir)
    assert dataset.manifest["sha256"] == reference.manifest["sha256"]
    assert np.array_equal(dataset.ids, reference.ids)


def test_a_zipped_csv_is_read_without_unpacking(make, tmp_path, data_dir):
    table = make.csv(tmp_path / "fer2013.csv", make.csv_rows())
    dataset = prepare(make.zip(tmp_path / "fer2013.csv.zip", {"fer2013.csv": table.read_bytes()}), None, data_dir)
    assert len(dataset) == 21
    packed = make.tar(tmp_path / "fer2013.tar.gz", {"fer2013/README": b"x", "fer2013/fer2013.csv": table.read_bytes()})
    assert prepare(packed, "tar", data_dir).manifest["sha256"] == dataset.manifest["sha256"]


def test_torchvision_s_folder_is_read_with_torchvision_s_precedence(make, tmp_path, data_dir):
    rows = make.csv_rows()
    root = tmp_path / "fer2013"
    root.mkdir()
    training = [f'{emotion},"{pixels}"' for emotion, pixels, usage in rows if usage == "Training"]
    (root / "train.csv").write_text("\n".join(["emotion,pixels", *training]))
    (root / "test.csv").write_text("\n".join(["pixels", *(f'"{pixels}"' for _, pixels, _ in rows[7:])]))
    only_train = prepare(root, "only_train", data_dir)
    assert set(only_train.split) == {"train"}
    assert "test.csv beside it was not read" in only_train.manifest["conversions"]
    assert any(sentence.startswith("test (PrivateTest) is missing") for sentence in only_train.manifest["missing"])
    make.csv(root / "fer2013.csv", rows)
    assert len(prepare(tmp_path / "fer2013", "all", data_dir)) == 21


def test_train_and_validation_folders_have_no_official_test(make, tmp_path, data_dir):
    files = {
        f"images/{part}/{emotion}/{number}.png": make.png(make.face(number + 7 * label))
        for number, part in enumerate(("train", "validation"))
        for label, emotion in enumerate(EMOTIONS)
    }
    dataset = prepare(make.zip(tmp_path / "faces.zip", files), None, data_dir)
    assert dataset.manifest["source"]["format"] == "split_folders"
    assert dataset.ids[0] == "train/angry/0"
    assert set(dataset.split) == {"train", "valid"}
    assert "no official test images" in dataset.manifest["missing"]
    assert served_protocols(dataset) == []


def test_an_archive_that_holds_its_images_twice_is_read_once(make, tmp_path, data_dir):
    files = {
        f"{root}/train/{emotion}/1.png": make.png(make.face(label))
        for root in ("images", "images/images")
        for label, emotion in enumerate(EMOTIONS)
    }
    dataset = prepare(make.zip(tmp_path / "faces.zip", files), None, data_dir)
    assert len(dataset) == 7
    assert "7 images that stand twice in faces.zip were read once" in dataset.manifest["conversions"]


def test_colour_images_of_one_size_are_kept_as_they_are(make, tmp_path, data_dir):
    files = {
        f"sfew/{name}/a.png": make.png(make.colour_face(number, 36, 45)) for number, name in enumerate(("Angry", "Sad"))
    }
    dataset = prepare(make.tar(tmp_path / "SFEW.tar", files), None, data_dir)
    assert dataset.name == "sfew"
    assert dataset.images.shape == (2, 36, 45, 3)
    assert np.array_equal(dataset.images[0], make.colour_face(0, 36, 45))
    assert "2 images of 45x36 kept in colour" in dataset.manifest["conversions"]
    assert "no official split" in dataset.manifest["missing"]
    assert dataset.faces(np.array([1])).shape == (1, 3, 36, 45)


def test_images_of_mixed_size_and_colour_become_one_array_and_the_report_says_how(make, tmp_path, data_dir):
    gray_as_colour = np.repeat(make.face(3)[..., None], 3, axis=2)
    files = {
        "happy/1.png": make.png(make.face(1)),
        "happy/2.png": make.png(make.face(2, 96, 120)),
        "sadness/3.png": make.png(gray_as_colour),
        "sadness/4.png": make.png(make.colour_face(4)),
        "sadness/5.png": make.png(make.face(5)),
    }
    dataset = prepare(make.folder(tmp_path / "mixed", files), None, data_dir)
    assert dataset.images.shape == (5, 48, 48)
    assert np.array_equal(dataset.images[2], make.face(3))
    expected = cv2.cvtColor(make.colour_face(4), cv2.COLOR_RGB2GRAY)
    assert np.array_equal(dataset.images[3], expected)
    told = dataset.manifest["conversions"]
    assert "1 images of other sizes resized to 48x48, cut at the edges" in told
    assert "1 colour images turned gray, as most are" in told
    assert "1 images with three equal channels stored as gray" in told


def test_images_without_a_common_size_become_squares_that_keep_proportions(make, tmp_path, data_dir):
    left_to_right = np.tile(np.linspace(0, 255, 80).astype(np.uint8), (40, 1))
    files = {"happy/1.png": make.png(left_to_right)} | {
        f"fear/{side}.png": make.png(make.face(side, side, side)) for side in (40, 60, 64)
    }
    dataset = prepare(make.folder(tmp_path / "sizes", files), None, data_dir)
    assert dataset.images.shape == (4, 50, 50)  # the median of 40, 40, 60, 64
    wide = dataset.images[list(dataset.ids).index("happy/1")]
    assert 60 < wide[25, 0] < 68
    assert 187 < wide[25, -1] < 195


def test_a_larger_image_than_any_model_looks_at_is_reduced(make, tmp_path, data_dir):
    files = {f"{name}/1.png": make.png(np.full((1200, 2048), 90, np.uint8)) for name in ("happy", "sad")}
    dataset = prepare(make.folder(tmp_path / "large", files), None, data_dir)
    assert dataset.images.shape == (2, 600, 1024)
    assert "2 images reduced to at most 1024 pixels a side" in dataset.manifest["conversions"]


def test_two_files_of_one_stem_keep_their_suffix_in_the_id(make, tmp_path, data_dir):
    bmp = cv2.imencode(".bmp", make.face(2))[1].tobytes()
    files = {"happy/1.png": make.png(make.face(1)), "happy/1.bmp": bmp, "sad/1.png": make.png(make.face(3))}
    dataset = prepare(make.folder(tmp_path / "stems", files), None, data_dir)
    assert list(dataset.ids) == ["happy/1.bmp", "happy/1.png", "sad/1"]


def test_what_systems_leave_behind_is_passed_over_and_other_expressions_are_counted(make, tmp_path, data_dir):
    files = {
        "happy/1.png": make.png(make.face(1)),
        "sad/1.png": make.png(make.face(2)),
        "contempt/1.png": make.png(make.face(3)),
        "__MACOSX/happy/._1.png": b"resource fork",
        "happy/.DS_Store": b"x",
        "happy/Thumbs.db": b"x",
        "README.txt": b"hello",
    }
    dataset = prepare(make.zip(tmp_path / "junk.zip", files), None, data_dir)
    assert len(dataset) == 2
    assert "1 images of expressions outside the seven left out" in dataset.manifest["conversions"]
    assert "1 other files left out" in dataset.manifest["conversions"]


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("Anger", "angry"),
        ("happiness", "happy"),
        ("3_Happy", "happy"),
        ("04 - sadness", "sad"),
        ("Surprised", "surprise"),
    ],
)
def test_class_folders_may_be_named_as_people_name_them(name, emotion):
    assert label_of_name(name) == EMOTIONS.index(emotion)


def test_a_bare_number_names_no_class_because_datasets_number_them_differently():
    assert label_of_name("3") is None


def test_a_linked_folder_is_read_once_even_in_a_loop(make, tmp_path, data_dir):
    elsewhere = make.folder(tmp_path / "elsewhere", {"1.png": make.png(make.face(1))})
    root = make.folder(tmp_path / "root", {"sad/1.png": make.png(make.face(2))})
    (root / "happy").symlink_to(elsewhere)
    (root / "loop").symlink_to(root)
    assert list(prepare(root, None, data_dir).ids) == ["happy/1", "sad/1"]


def test_exif_orientation_is_applied(tmp_path, make, data_dir):
    from PIL import Image

    upright = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[:, None], (1, 64))
    for name in ("happy", "sad"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        exif = Image.Exif()
        exif[0x0112] = 3  # taken upside down
        Image.fromarray(upright[::-1, ::-1]).save(tmp_path / "photos" / name / "1.jpg", quality=95, exif=exif)
    images = prepare(tmp_path / "photos", None, data_dir).images
    assert images[0, 0].mean() < 20 < 235 < images[0, -1].mean()


def test_a_dataset_prepared_is_the_dataset_loaded(make, kaggle_files, tmp_path: Path, data_dir: Path):
    prepared = prepare(make.folder(tmp_path / "faces", kaggle_files), "faces", data_dir)
    loaded = load_dataset("faces", data_dir)
    assert loaded.manifest == prepared.manifest
    assert np.array_equal(loaded.images, prepared.images)
    assert not loaded.synthetic
