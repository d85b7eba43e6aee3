import json
from pathlib import Path

import numpy as np
import pytest

from fer_core.datasets import DatasetError, DatasetMissingError, dataset_names, load_dataset, prepare
from fer_core.errors import FerError


@pytest.fixture
def prepared(make, kaggle_files, tmp_path, data_dir):
    return prepare(make.folder(tmp_path / "faces", kaggle_files), "faces", data_dir)


def test_images_are_memory_mapped_and_read_only(prepared):
    assert isinstance(prepared.images, np.memmap)
    assert not prepared.images.flags.writeable
    assert prepared.faces(np.arange(3)).flags.writeable
    assert prepared.faces(np.arange(3)).shape == (3, 1, 48, 48)


def test_images_are_found_by_their_ids_in_any_order(prepared):
    assert prepared.rows_of(prepared.ids[[5, 0, 5]]).tolist() == [5, 0, 5]
    with pytest.raises(DatasetError, match="2 of 3 images are not in faces as it is prepared here"):
        prepared.rows_of([prepared.ids[1], "nobody", "neither"])


def test_nothing_in_the_cache_needs_unpickling(prepared, data_dir):
    files = sorted(path.name for path in (data_dir / "faces").iterdir())
    assert files == ["ids.npy", "images.npy", "labels.npy", "manifest.json", "split.npy"]
    for path in (data_dir / "faces").glob("*.npy"):
        np.load(path, allow_pickle=False)


def test_the_manifest_names_the_source_without_its_folder(prepared, tmp_path):
    assert prepared.manifest["source"] == {"format": "kaggle_folders", "file": "faces"}
    assert str(tmp_path) not in json.dumps(prepared.manifest)
    assert prepared.manifest["synthetic"] is False


def test_the_hash_changes_with_one_pixel_and_with_one_label(make, kaggle_files, tmp_path, data_dir, prepared):
    pixel = make.face(0)
    pixel[0, 0] ^= 1
    other = {**kaggle_files, "fer2013/train/angry/Training_0.png": make.png(pixel)}
    moved = dict(kaggle_files)
    moved["fer2013/train/fear/Training_7.png"] = moved.pop("fer2013/train/angry/Training_0.png")
    hashes = {prepared.manifest["sha256"]}
    for number, files in enumerate((other, moved)):
        dataset = prepare(make.folder(tmp_path / f"other{number}", files), f"other{number}", data_dir)
        hashes.add(dataset.manifest["sha256"])
    assert len(hashes) == 3


def test_a_failure_leaves_the_earlier_dataset_as_it_was(prepared, make, kaggle_files, tmp_path, data_dir):
    kaggle_files["fer2013/train/happy/Training_9.jpg"] = b"text"
    with pytest.raises(DatasetError):
        prepare(make.folder(tmp_path / "bad", kaggle_files), "faces", data_dir)
    assert load_dataset("faces", data_dir).manifest == prepared.manifest
    assert [path.name for path in data_dir.iterdir()] == ["faces"]


def test_ctrl_c_leaves_nothing_behind(make, kaggle_files, tmp_path, data_dir, nothing_left):
    def interrupt(_fraction: float, images: int) -> None:
        if images == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(make.zip(tmp_path / "faces.zip", kaggle_files), None, data_dir, interrupt)
    assert nothing_left()


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(
    make, kaggle_files, tmp_path, data_dir, nothing_left, monkeypatch
):
    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fer_core.datasets.preparation.np.save", full)
    with pytest.raises(DatasetError, match="cannot write to .*: No space left on device"):
        prepare(make.zip(tmp_path / "faces.zip", kaggle_files), None, data_dir)
    assert nothing_left()


@pytest.fixture
def two_faces(make, tmp_path):
    """A source of two images, which is prepared as `two` unless it is given another name."""
    return make.folder(tmp_path / "two", {f"{name}/1.png": make.png(make.face(5)) for name in ("happy", "sad")})


def test_a_dataset_of_other_content_is_not_replaced_unasked(prepared, two_faces, data_dir):
    with pytest.raises(DatasetError) as caught:
        prepare(two_faces, "faces", data_dir)
    assert str(caught.value) == (
        "the dataset 'faces' is there already, with 42 images of 48×48 from faces, and would be replaced by other "
        "content, 2 images of 48×48 from two; give --name NEW to keep both, or --replace"
    )
    assert load_dataset("faces", data_dir).manifest == prepared.manifest
    assert [path.name for path in data_dir.iterdir()] == ["faces"]


def test_the_same_content_is_prepared_again_from_any_source(prepared, make, kaggle_files, tmp_path, data_dir):
    again = prepare(make.zip(tmp_path / "packed.zip", kaggle_files), "faces", data_dir)
    assert again.manifest["sha256"] == prepared.manifest["sha256"]


def test_the_same_pixels_under_other_ids_are_other_content(two_faces, make, tmp_path, data_dir):
    prepare(two_faces, None, data_dir)
    files = {f"{name}/2.png": make.png(make.face(5)) for name in ("happy", "sad")}
    with pytest.raises(DatasetError, match="is there already"):
        prepare(make.folder(tmp_path / "renamed", files), "two", data_dir)


@pytest.mark.parametrize("part", ["images.npy", "ids.npy", "split.npy", "manifest.json"])
def test_a_damaged_dataset_is_prepared_again_from_its_source(part, two_faces, data_dir):
    prepare(two_faces, None, data_dir)
    (data_dir / "two" / part).write_bytes(b"")
    prepare(two_faces, None, data_dir)
    assert len(load_dataset("two", data_dir)) == 2


def test_a_replaced_dataset_may_still_be_open(prepared, two_faces, data_dir):
    before = np.array(prepared.images)
    assert len(prepare(two_faces, "faces", data_dir, replace=True)) == 2
    assert np.array_equal(prepared.images, before)
    assert [path.name for path in data_dir.iterdir()] == ["faces"]


def test_a_file_in_place_of_the_data_folder_is_told(two_faces, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("a text")
    with pytest.raises(FerError, match="text.txt' is no folder; name a folder, which is made where there is none"):
        prepare(two_faces, None, file)
    assert file.read_text() == "a text"


def test_a_folder_that_is_no_dataset_is_never_replaced(make, kaggle_files, tmp_path, data_dir):
    (data_dir / "faces").mkdir()
    (data_dir / "faces" / "thesis.txt").write_text("years of work")
    with pytest.raises(DatasetError, match="is not a prepared dataset"):
        prepare(make.folder(tmp_path / "faces", kaggle_files), "faces", data_dir)
    assert (data_dir / "faces" / "thesis.txt").read_text() == "years of work"


def test_names_are_the_prepared_ones_and_synthetic(prepared, data_dir: Path, monkeypatch):
    (data_dir / ".preparing.x").mkdir()
    (data_dir / ".preparing.x" / "manifest.json").write_text("{}")
    assert dataset_names(data_dir) == ["faces", "synthetic"]
    monkeypatch.setenv("FER_DATA_DIR", str(data_dir))
    assert dataset_names() == ["faces", "synthetic"]
    assert len(load_dataset("faces")) == len(prepared)
    assert dataset_names(data_dir / "nowhere") == ["synthetic"]


@pytest.mark.parametrize("name", ["fer2013", "ferplus"])
def test_a_missing_dataset_says_how_to_get_fer2013_and_how_to_try_at_once(name, data_dir):
    with pytest.raises(DatasetMissingError) as caught:
        load_dataset(name, data_dir)
    for words in ("data prepare SOURCE", "data download fer2013", "--dataset synthetic"):
        assert words in str(caught.value)


@pytest.mark.parametrize("part", ["images.npy", "labels.npy", "ids.npy", "split.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "empty"])
def test_a_damaged_cache_is_told_and_not_used(part, damage, prepared, data_dir):
    path = data_dir / "faces" / part
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[:100] if damage == "cut" else b"")
    with pytest.raises(DatasetError, match=r"damaged.*prepare it again|no prepared dataset"):
        load_dataset("faces", data_dir)


def test_files_of_two_datasets_are_not_mixed(prepared, data_dir):
    np.save(data_dir / "faces" / "labels.npy", np.zeros(5, np.uint8))
    with pytest.raises(DatasetError, match="do not belong together"):
        load_dataset("faces", data_dir)
