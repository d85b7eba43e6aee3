import io
import random
import struct
import tarfile
import zlib
from pathlib import Path

import pytest

from fer_core.datasets import DatasetError, SourceError, prepare
from fer_core.datasets.descriptor_table import COLUMNS
from fer_core.errors import FerError


def refused(source, data_dir, *words):
    """The message of the error that preparing `source` ends in: one line that holds all `words`."""
    with pytest.raises(SourceError) as caught:
        prepare(source, "bad", data_dir)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    assert not list(data_dir.iterdir()), "something half-written was left"
    return message


def test_a_missing_path(tmp_path, data_dir):
    refused(tmp_path / "nowhere.zip", data_dir, "there is no file or folder", "nowhere.zip")


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.xz", "tar.gz", "tar.bz2"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_truncated_archive(kind, part, make, kaggle_files, tmp_path, data_dir):
    path = tmp_path / f"cut.{kind}"
    (make.zip if kind == "zip" else make.tar)(path, kaggle_files)
    content = path.read_bytes()
    end = content.rfind(b".png") + 2000 if kind == "tar" and part == 0.9 else int(len(content) * part)
    path.write_bytes(content[:end])
    refused(path, data_dir, f"cut.{kind}", "truncated")


def test_a_tar_cut_between_two_members_is_not_taken_for_a_whole_one(make, kaggle_files, tmp_path, data_dir):
    path = make.tar(tmp_path / "cut.tar", kaggle_files)
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    path.write_bytes(path.read_bytes()[: last.offset])
    refused(path, data_dir, "cut.tar is truncated or damaged")


def test_an_archive_that_is_none(tmp_path, data_dir):
    path = tmp_path / "page.zip"
    path.write_text("<html>not found</html>")
    refused(path, data_dir, "page.zip", "does not begin like a zip or tar archive")


def test_a_csv_row_with_2303_pixels(make, tmp_path, data_dir):
    rows = make.csv_rows()
    rows[11] = (rows[11][0], rows[11][1].rpartition(" ")[0], rows[11][2])
    path = make.csv(tmp_path / "fer2013.csv", rows)
    refused(path, data_dir, "fer2013.csv, row 12 (line 13)", "2,303 pixels instead of 2,304")


@pytest.mark.parametrize("label", ["7", "-1", "", "happy"])
def test_a_csv_row_with_a_label_outside_the_seven(label, make, tmp_path, data_dir):
    rows = make.csv_rows()
    rows[4] = (label, *rows[4][1:])
    refused(make.csv(tmp_path / "fer2013.csv", rows), data_dir, "row 5 (line 6)", f"label is '{label}'", "0 angry")


@pytest.mark.parametrize(
    ("pixel", "words"), [("256", "a pixel is 256"), ("x", "not whole numbers"), ("-3", "not whole numbers")]
)
def test_a_csv_row_with_an_impossible_pixel(pixel, words, make, tmp_path, data_dir):
    rows = make.csv_rows()
    rows[0] = (rows[0][0], f"{pixel} {rows[0][1].partition(' ')[2]}", rows[0][2])
    refused(make.csv(tmp_path / "fer2013.csv", rows), data_dir, "fer2013.csv, row 1", words)


def test_a_csv_with_an_unknown_usage(make, tmp_path, data_dir):
    rows = make.csv_rows()
    rows[2] = (*rows[2][:2], "Holdout")
    refused(make.csv(tmp_path / "fer2013.csv", rows), data_dir, "row 3", "Usage is 'Holdout'", "PublicTest")


def test_a_csv_cut_in_the_middle_of_a_row(make, tmp_path, data_dir):
    path = make.csv(tmp_path / "fer2013.csv", make.csv_rows())
    path.write_bytes(path.read_bytes()[:-4000])
    refused(path, data_dir, "fer2013.csv, row 21")


def test_a_csv_of_other_columns_or_without_rows(make, tmp_path, data_dir):
    other = tmp_path / "other.csv"
    other.write_text("name,age\nAda,36\n")
    refused(other, data_dir, "other.csv has no layout that is known", "emotion, pixels, Usage")
    refused(make.csv(tmp_path / "fer2013.csv", []), data_dir, "holds no image")


def test_a_csv_that_is_no_text(tmp_path, data_dir):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(b"emotion,pixels,Usage\n\xff\xfe\x00\x01\n")
    refused(path, data_dir, "fer2013.csv is not a text file in UTF-8; save it as CSV with the encoding UTF-8")


def test_a_table_of_descriptors_in_another_encoding(tmp_path, data_dir):
    path = tmp_path / "latin.csv"
    path.write_bytes(f"image,label,{','.join(COLUMNS)}\nBj\u00f6rn,1\n".encode("latin-1"))
    refused(path, data_dir, "latin.csv is not a text file in UTF-8; save it as CSV with the encoding UTF-8")


@pytest.mark.parametrize("packed", ["folder", "zip", "tar"])
def test_a_text_file_named_jpg(packed, make, kaggle_files, tmp_path, data_dir):
    kaggle_files["fer2013/train/happy/Training_9.jpg"] = b"hello, I am a text"
    source = tmp_path / "faces" if packed == "folder" else tmp_path / f"faces.{packed}"
    {"folder": make.folder, "zip": make.zip, "tar": make.tar}[packed](source, kaggle_files)
    refused(source, data_dir, "train/happy/Training_9.jpg", "is not an image", "hello")


def test_a_jpeg_cut_short_is_not_filled_with_gray(make, kaggle_files, tmp_path, data_dir):
    import cv2

    whole = cv2.imencode(".jpg", make.face(1, 64, 64))[1].tobytes()
    kaggle_files["fer2013/train/happy/Training_9.jpg"] = whole[:-40]
    refused(make.folder(tmp_path / "faces", kaggle_files), data_dir, "Training_9.jpg", "truncated or damaged image")


def test_an_empty_class(make, kaggle_files, tmp_path, data_dir):
    root = make.folder(tmp_path / "faces", kaggle_files)
    for path in (root / "fer2013/test/disgust").iterdir():
        path.unlink()
    refused(root, data_dir, "class folder 'fer2013/test/disgust' in faces holds no image")


def test_a_single_class(make, tmp_path, data_dir):
    source = make.folder(tmp_path / "faces", {"happy/1.png": make.png(make.face(1))})
    refused(source, data_dir, "single class, happy")


def test_folders_that_name_no_class(make, tmp_path, data_dir):
    unknown = make.folder(tmp_path / "a", {"cats/1.png": make.png(make.face(1))})
    refused(unknown, data_dir, "a has no layout that is known", "a folder per class")
    partly = make.folder(
        tmp_path / "b", {f"{name}/1.png": make.png(make.face(1)) for name in ("happy", "sad", "zebra")}
    )
    refused(partly, data_dir, "'zebra/1.png' lies in no class folder", "angry, disgust")


def test_an_empty_folder(tmp_path, data_dir):
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", data_dir, "empty has no layout that is known")


def test_the_root_of_all_folders_and_the_file_that_cannot_be_read_are_named(data_dir, monkeypatch):
    def vanished(*_arguments: object, **_options: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/proc/1/gone")

    monkeypatch.setattr("fer_core.datasets.sources.os.walk", vanished)
    refused(Path("/"), data_dir, "cannot read / at '/proc/1/gone': No such file or directory")


def test_two_different_images_of_one_id(make, kaggle_files, tmp_path, data_dir):
    kaggle_files["again/train/happy/Training_1.png"] = make.png(make.face(999))
    refused(make.zip(tmp_path / "f.zip", kaggle_files), data_dir, "two different images called 'happy/Training_1'")


@pytest.mark.parametrize("name", ["../../happy/evil.png", "/happy/evil.png", "C:\\happy\\evil.png"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_member_that_points_outside_its_archive(name, kind, make, tmp_path, data_dir):
    source = tmp_path / f"evil.{kind}"
    (make.zip if kind == "zip" else make.tar)(source, {name: make.png(make.face(1))})
    refused(source, data_dir, f"evil.{kind}", "outside the archive")


def test_a_link_in_a_tar(make, kaggle_files, tmp_path, data_dir):
    path = tmp_path / "link.tar"
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("happy/1.png")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    refused(path, data_dir, "'happy/1.png' in link.tar is a link or device")


def test_a_small_file_that_declares_a_huge_image_is_not_decoded(make, kaggle_files, tmp_path, data_dir):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    kaggle_files["fer2013/train/happy/Training_9.png"] = b"\x89PNG\r\n\x1a\n" + chunk + b"\x00" * 64
    refused(make.zip(tmp_path / "bomb.zip", kaggle_files), data_dir, "Training_9.png", "60000x60000 pixels")


def test_a_member_that_unpacks_to_more_than_an_image_ever_has_is_not_read(make, tmp_path, data_dir, monkeypatch):
    monkeypatch.setattr("fer_core.datasets.gather.MAX_IMAGE_BYTES", 10_000)
    files = {"happy/1.png": b"\x00" * 20_000, "sad/1.png": make.png(make.face(1))}
    refused(make.zip(tmp_path / "bomb.zip", files), data_dir, "'happy/1.png' in bomb.zip is 20,000 bytes long")


def test_a_tar_header_of_any_size_is_not_read_into_memory(make, tmp_path, data_dir):
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 3 * 2**20
    with tarfile.open(tmp_path / "long.tar", "w") as archive:
        archive.addfile(entry, io.BytesIO(b"a" * entry.size))
    refused(tmp_path / "long.tar", data_dir, "header of 3,145,728 bytes")


def test_an_encrypted_zip(make, kaggle_files, tmp_path, data_dir):
    path = make.zip(tmp_path / "secret.zip", kaggle_files)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            content[position + offset] |= 1
            position = content.find(signature, position + 4)
    path.write_bytes(content)
    refused(path, data_dir, "secret.zip is encrypted")


@pytest.mark.parametrize("name", ["", "../fer", ".hidden", "a/b", "synthetic"])
def test_a_name_that_cannot_be_a_dataset_s(name, make, kaggle_files, tmp_path, data_dir):
    with pytest.raises(DatasetError, match=r"cannot name a dataset|drawn faces"):
        prepare(make.folder(tmp_path / "faces", kaggle_files), name, data_dir)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_damaged_anywhere_is_read_or_refused_in_a_sentence(kind, make, kaggle_files, tmp_path, data_dir):
    path = (make.zip if kind == "zip" else make.tar)(tmp_path / f"whole.{kind}", kaggle_files)
    whole = path.read_bytes()
    generator = random.Random(0)
    refusals: list[str] = []
    for number in range(25):
        damaged = bytearray(whole)
        for _ in range(20):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        broken = tmp_path / f"broken{number}.{kind}"
        broken.write_bytes(damaged)
        try:
            prepare(broken, "broken", data_dir)
        except FerError as error:
            refusals.append(str(error))
    assert refusals
    assert not any("\n" in message for message in refusals)
